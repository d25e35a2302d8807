// What a finding is called and coded as. A finding is named by its list and its place there. Nothing here touches the page.
import { language } from "./i18n.js";

const LISTS = { condition: "conditions", medication: "medications", allergy: "allergies", observation: "observations", plan: "plan", social: "social" };

export const findingOf = (note, { kind, index }) => note?.[LISTS[kind]]?.[index] ?? null;

export function findingName(note, finding) {
  const found = findingOf(note, finding);
  if (found === null) return "";
  if (finding.kind === "condition") return language() === "zh" ? found.display.zh : found.display.en;
  return found.name ?? found.substance ?? found.display ?? found.text;
}

export function findingCodes(note, finding) {
  const found = findingOf(note, finding);
  return (found?.codes ?? []).map(({ code }) => code).join(" ") || (found?.atc ?? found?.loinc ?? "–");
}
