// What was changed in a note: who, when, from what to what.
import { $, make } from "./dom.js";
import { t, tongue, when } from "./i18n.js";

/** One difference as words: gone, come, or one for the other. */
export function difference({ place, was, now }) {
  const where = place.line ? t(`note.section.${place.line}`) : t(`finding.${place.finding}`);
  const part = (tag, text) => (text === null ? null : make(tag, { lang: tongue(text) }, text));
  const arrow = was !== null && now !== null ? make("span", { class: "arrow", aria: { label: t("history.to") } }, "→") : null;
  return make("li", {}, make("span", { class: "where" }, where), make("span", { class: "what" }, part("del", was), arrow, part("ins", now)));
}

/** Whose the recording was: a patient's name, nobody's, or somebody's who was erased. */
export const whose = (side) => (side === null ? t("visit.nobody_short") : side.name ?? t("visit.gone"));

export function showHistory(entries) {
  const items = entries.map(({ version, act, by, at, differences, moved }) =>
    make("li", {},
      make("p", { class: "head" }, make("b", {}, t(`history.${act}`)), make("span", {}, t("history.by", { by, when: when(at), n: version }))),
      moved ? make("p", {}, t("history.moved", { from: whose(moved.from), to: whose(moved.to) })) : null,
      differences.length > 0 ? make("ul", { class: "differences" }, ...differences.map(difference)) : null,
    ));
  $("history-list").replaceChildren(...items);
  $("history-none").hidden = items.length > 0;
  $("history").showModal();
  $("history-close").focus();
}

$("history-close").addEventListener("click", () => $("history").close());
