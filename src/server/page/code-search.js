// The dialog in which a finding, or words that nothing is known of, is given a code: a field, and what the terminology has for it
// while it is typed.
import * as api from "./api.js";
import { $, ask, make } from "./dom.js";
import { findingName, findingCodes } from "./findings.js";
import { language, t } from "./i18n.js";

/** Keys come faster than this while a word is typed. */
const PAUSE_MS = 60;
/** What a finding can become. */
const KINDS = { condition: "condition", medication: "drug", allergy: "drug" };

const dialog = $("codes");
const field = $("codes-query");
const list = $("codes-list");
let chosen = null;
let concepts = [];
let at = -1;
let timer = null;
let asked = 0;

export const canBeCoded = ({ kind }) => kind in KINDS;

/**
 * Resolves to `{finding, concept}`, or to null when nothing was chosen. `findings` are those of one line; `term` are the words of it
 * that nothing is known of, or null: for them `finding` is null.
 */
export function chooseCode(note, findings, term) {
  const names = findings.map((finding) => `${findingName(note, finding)} · ${findingCodes(note, finding)}`);
  const choices = [...findings, ...(term === null ? [] : [null])];
  if (term !== null) names.push(t("codes.term", { words: term }));
  const which = $("codes-finding");
  which.replaceChildren(...names.map((name, index) => make("option", { value: String(index) }, name)));
  $("codes-which").hidden = names.length < 2;
  $("codes-now").hidden = names.length > 1;
  $("codes-now").textContent = names[0];
  chosen = null;
  field.value = "";
  show([]);
  const finding = () => choices[Number(which.value) || 0];
  dialog.fits = ({ kind }) => finding() === null || kind === KINDS[finding().kind];
  const answered = ask(dialog, () => (chosen === null ? null : { finding: finding(), concept: chosen }));
  field.focus();
  return answered;
}

function show(found, status = "") {
  concepts = found;
  at = found.length > 0 ? 0 : -1;
  list.replaceChildren(...found.map((concept, index) => option(concept, index)));
  $("codes-status").textContent = status;
  field.setAttribute("aria-expanded", String(found.length > 0));
  mark();
}

function option({ en, zh, codes }, index) {
  const [first, second] = language() === "zh" && zh ? [zh, en] : [en, zh];
  const names = make("span", { class: "names" }, make("b", {}, first), second ? make("span", { class: "other" }, second) : null);
  const node = make("li", { id: `code-${index}`, aria: { role: "option" } }, names, make("span", { class: "code" }, codes.map(({ code }) => code).join(" · ")));
  node.addEventListener("click", () => take(index));
  return node;
}

function mark() {
  [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === at)));
  if (at < 0) field.removeAttribute("aria-activedescendant");
  else field.setAttribute("aria-activedescendant", `code-${at}`);
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function take(index) {
  if (!concepts[index]) return;
  chosen = concepts[index].concept;
  dialog.close();
}

async function look() {
  const query = field.value.trim();
  const number = ++asked;
  if (query === "") return show([]);
  try {
    const found = (await api.terminology(query)).filter(({ concept }) => dialog.fits(concept));
    // An answer that a later one has overtaken is not shown.
    if (number === asked) show(found, found.length === 0 ? t("codes.none") : "");
  } catch (error) {
    if (number === asked) show([], t(`error.${error.code}`));
  }
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE_MS);
});
field.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && concepts.length > 0) {
    event.preventDefault();
    at = (at + step + concepts.length) % concepts.length;
    mark();
  } else if (event.key === "Enter") {
    event.preventDefault();
    take(at);
  }
});
$("codes-finding").addEventListener("change", look);
$("codes-close").addEventListener("click", () => dialog.close());
