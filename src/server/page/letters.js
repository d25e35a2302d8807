// Letters of the signed note that is shown: a dialog that asks for what the note does not say, and opens the letter to print.
import * as api from "./api.js";
import { showBanner } from "./banner.js";
import { $, button, make } from "./dom.js";
import { explain } from "./recordings.js";
import { onLanguage, t } from "./i18n.js";
import { Turns } from "./turn.js";

const KINDS = [
  { kind: "referral", lang: "en" },
  { kind: "sick-leave", lang: "en", from: true },
  { kind: "summary", lang: "zh-Hant" },
];
const LANGUAGES = [["en", "letters.english"], ["zh-Hant", "letters.chinese"]];

let recording = null;
let whose = null;
/** Of the dialog: over once it is closed. */
const turns = new Turns();

/** Shows the button for a recording that is finished; whether its note is signed the server says. `banner` is whose it is. */
export function letters(id, banner = null) {
  recording = id;
  whose = banner;
  $("letters-open").hidden = id === null;
}

function row(id, { kind, lang, from }) {
  const language = make("select", { id: `letter-lang-${kind}` }, ...LANGUAGES.map(([value, key]) => make("option", { value, selected: value === lang }, t(key))));
  const day = from ? make("input", { type: "date", id: `letter-from-${kind}` }) : null;
  const problem = make("p", { class: "problem", id: `letter-problem-${kind}`, aria: { role: "alert" } });
  const values = (format) => ({ format, lang: language.value, ...(day?.value ? { from: day.value } : {}) });
  const open = (format) => void show(api.documentAddress(id, `letters/${kind}`, values(format)), problem);
  const name = t(`letters.${kind}`);
  const label = (key) => ({ label: `${t(key)}: ${name}` });
  return make(
    "section",
    { class: "letter", aria: { label: name } },
    make("h3", {}, name),
    make("p", { class: "hint" }, t(`letters.${kind}.hint`)),
    make("div", { class: "letter-row" },
      make("label", { htmlFor: language.id }, t("letters.language")), language,
      ...(day ? [make("label", { htmlFor: day.id }, t("letters.from")), day] : []),
      button(t("letters.page"), () => open("html"), { class: "small primary", data: { letter: `${kind}-html` }, aria: label("letters.page") }),
      button(t("letters.pdf"), () => open("pdf"), { class: "small", data: { letter: `${kind}-pdf` }, aria: label("letters.pdf") })),
    problem,
  );
}

/** Asked for first, so that a refusal is told here and not in an empty window. */
async function show(address, problem) {
  problem.textContent = "";
  const turn = turns.running();
  try {
    await api.check(address);
    if (turn()) window.open(address, "_blank", "noopener");
  } catch (error) {
    problem.textContent = explain(error);
  }
}

function draw() {
  showBanner("letters-banner", whose);
  $("letters-list").replaceChildren(...KINDS.map((kind) => row(recording, kind)));
}

$("letters-open").addEventListener("click", () => {
  draw();
  $("letters").showModal();
});
$("letters").addEventListener("close", () => turns.end());
$("letters-close").addEventListener("click", () => $("letters").close());
onLanguage(() => $("letters").open && draw());
