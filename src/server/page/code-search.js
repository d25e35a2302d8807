// The dialog in which a finding, or words that nothing is known of, is given a code: a field, and what the terminology has for it
// while it is typed.
import * as api from "./api.js";
import { $, ask, make } from "./dom.js";
import { findingName, findingCodes } from "./findings.js";
import { language, t } from "./i18n.js";

/** Keys come faster than this while a word is typed. */
const PAUSE_MS = 15;
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
/** What the list that is shown was looked for; null while another is on its way. */
let listed = null;

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
  // What was looked for in the dialog before comes too late.
  clearTimeout(timer);
  asked += 1;
  show("", []);
  const finding = () => choices[Number(which.value) || 0];
  dialog.fits = ({ kind }) => finding() === null || kind === KINDS[finding().kind];
  const answered = ask(dialog, () => (chosen === null ? null : { finding: finding(), concept: chosen }));
  field.focus();
  return answered;
}

function show(query, found, status = "") {
  listed = query;
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

const wanted = () => field.value.trim();

/** Lists what fits what is typed now; resolves to whether the list is shown: one that a later one has overtaken is not. */
async function look() {
  clearTimeout(timer);
  const query = wanted();
  const number = ++asked;
  listed = null;
  let [found, status] = [[], ""];
  try {
    if (query !== "") {
      found = (await api.terminology(query)).filter(({ concept }) => dialog.fits(concept));
      if (found.length === 0) status = t("codes.none");
    }
  } catch (error) {
    status = t(`error.${error.code}`);
  }
  if (number !== asked) return false;
  show(query, found, status);
  return true;
}

/** Takes what is marked, once the list is that of what is typed. */
async function enter() {
  if (listed === wanted() || (await look())) take(at);
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
    void enter();
  }
});
$("codes-finding").addEventListener("change", look);
$("codes-close").addEventListener("click", () => dialog.close());
