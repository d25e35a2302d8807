// Signing: what is still open, what was changed since the machine's draft, what to read once more. And adding to a signed note.
import { showBanner } from "./banner.js";
import { $, ask, button, make } from "./dom.js";
import { difference } from "./history.js";
import { language, t, tongue } from "./i18n.js";

const dialog = $("sign");
const CHECKED = ["negation", "dose", "side", "unsure"];

/**
 * Resolves to `sign`, `review` or null. `show(line)` leads to a line that has something open: `{section, index}`.
 */
export function askToSign({ note, desk, banner, by, show }) {
  showBanner("sign-banner", banner);
  const open = desk.open.length > 0;
  const done = (answer) => () => dialog.close(answer);
  const parts = [open ? openItems(desk, show) : null, changes(desk), toRead(note, desk), leftOver(note)];
  $("sign-body").replaceChildren(...parts.filter(Boolean));
  $("sign-text").textContent = t(open ? "sign.refused" : "sign.text", { by });
  const no = button(t(open ? "sign.back" : "sign.not_yet"), done(""));
  const yes = open ? [] : [button(t("sign.reviewed"), done("review"), { disabled: desk.stage === "reviewed" }), button(t("sign.yes", { by }), done("sign"), { class: "primary", id: "sign-yes" })];
  $("sign-buttons").replaceChildren(no, ...yes);
  const answered = ask(dialog, () => (["sign", "review"].includes(dialog.returnValue) ? dialog.returnValue : null));
  ($("sign-yes") ?? no).focus();
  return answered;
}

function part(key, values, ...children) {
  return make("section", {}, make("h3", {}, t(key, values)), ...children);
}

/** What is asked of something in doubt. */
export function question({ heard, en, zh }) {
  return t("doubt.question", { heard, name: language() === "zh" && zh ? zh : en });
}

function openItems(desk, show) {
  const items = desk.open.map((doubt) => {
    const line = desk.lines.find(({ findings }) => findings.some(({ kind, index }) => kind === doubt.finding.kind && index === doubt.finding.index));
    const go = () => {
      dialog.close("");
      if (line) show(line);
    };
    return make("li", {}, button(question(doubt), go, { class: "plain" }));
  });
  return part("sign.open", { n: items.length }, make("ul", {}, ...items));
}

function changes(desk) {
  if (desk.changed.length === 0) return part("sign.unchanged", {});
  return part("sign.changed", { n: desk.changed.length }, make("ul", { class: "differences" }, ...desk.changed.map(difference)));
}

/** The lines with what is easily misheard. */
function toRead(note, desk) {
  const lines = desk.lines.filter(({ marks }) => marks.some((mark) => CHECKED.includes(mark)));
  if (lines.length === 0) return null;
  const items = lines.map(({ section, index, marks }) => {
    const { text } = note.sections.find(({ code }) => code === section).sentences[index];
    return make("li", {}, make("span", { lang: tongue(text) }, text), ...chips(marks.filter((mark) => CHECKED.includes(mark))));
  });
  return part("sign.read", {}, make("ul", { class: "to-read" }, ...items));
}

export function chips(marks) {
  return marks.map((mark) => make("span", { class: `chip ${mark}`, title: t(`mark.${mark}.why`) }, t(`mark.${mark}`)));
}

function leftOver(note) {
  const count = (note.uncovered ?? []).length;
  if (count === 0) return null;
  const words = [...document.querySelectorAll("#uncovered q")].map((node) => {
    const reason = node.parentElement.querySelector(".reason")?.textContent;
    return make("li", {}, make("q", { lang: tongue(node.textContent) }, node.textContent), reason ? ` ${reason}` : null);
  });
  return part("sign.uncovered", { n: count }, make("ul", { class: "to-read" }, ...words));
}

const addendum = $("addendum");
let addedTo = null;

/** Resolves to `{section, text}` or null. What was typed stays in the dialog until it was taken, for this recording alone. */
export function askForAddendum({ id, banner, by }) {
  showBanner("addendum-banner", banner);
  if (addedTo !== id) addendumTaken();
  addedTo = id;
  $("addendum-yes").textContent = t("addendum.yes", { by });
  const answered = ask(addendum, () => {
    const text = $("addendum-text").value.replace(/\s+/g, " ").trim();
    return addendum.returnValue === "yes" && text !== "" ? { section: $("addendum-section").value, text } : null;
  });
  $("addendum-text").focus();
  return answered;
}

export function addendumTaken() {
  $("addendum-text").value = "";
}

$("addendum-yes").addEventListener("click", () => $("addendum-text").value.trim() === "" ? $("addendum-text").focus() : addendum.close("yes"));
$("addendum-no").addEventListener("click", () => addendum.close(""));
