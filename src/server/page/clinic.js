// What the clinic's signed notes tell and teach: figures, learned terms, and the clinician's own forms of the note.
import * as api from "./api.js";
import { $, button, make } from "./dom.js";
import { readForms } from "./form.js";
import { length, onLanguage, t, tongue } from "./i18n.js";
import { explain } from "./recordings.js";

const percent = (share) => `${Math.round(share * 100)}%`;

async function figures() {
  const { notes, median_seconds, timed, kept, changed, corrected } = await api.figures();
  if (notes === 0) return [make("p", { class: "hint" }, t("clinic.no_notes"))];
  const fact = (key, value, hint) => make("div", {}, make("dt", {}, t(key)), make("dd", {}, value, make("span", { class: "hint" }, ` ${hint}`)));
  const unknown = t("clinic.unknown");
  const list = make("dl", { class: "figures" },
    fact("clinic.time", median_seconds === null ? unknown : length(median_seconds * 1000), t("clinic.time_hint", { n: timed })),
    fact("clinic.kept", kept === null ? unknown : percent(kept), t("clinic.kept_hint", { n: notes })),
    fact("clinic.changed", changed === null ? unknown : percent(changed), t("clinic.changed_hint")));
  const terms = corrected.map(({ term, times }) => make("li", {}, `${term} `, make("span", { class: "hint" }, t("clinic.times", { n: times }))));
  const title = make("h4", {}, t("clinic.corrected"));
  return [list, title, terms.length > 0 ? make("ol", {}, ...terms) : make("p", { class: "hint" }, t("clinic.none_corrected"))];
}

async function learned() {
  const terms = await api.learned();
  if (terms.length === 0) return [make("p", { class: "hint" }, t("clinic.none_learned"))];
  const forget = async ({ words, concept }) => {
    await api.forget(words, concept);
    await fill("clinic-learned", learned);
    $("clinic-title").focus();
  };
  const item = (term) => {
    const meant = term.concept.en ?? term.concept.name;
    const remove = button(t("clinic.forget"), () => guarded("clinic-learned", () => forget(term)), { class: "small", aria: { label: t("clinic.forget_term", { words: term.words }) } });
    return make("li", {}, make("q", { lang: tongue(term.words) }, term.words), ` → ${meant} `, make("span", { class: "hint" }, t("clinic.times", { n: term.times })), " ", remove);
  };
  return [make("ul", {}, ...terms.map(item))];
}

async function templates() {
  const all = await api.templates();
  const name = make("input", { id: "template-name", maxLength: 60, autocomplete: "off" });
  const specialty = make("input", { id: "template-specialty", maxLength: 60, autocomplete: "off" });
  const text = make("textarea", { id: "template-text", rows: 9, spellcheck: false, placeholder: "[S]\nC/O {{complaints}}\n[A]\nImp: {{Imp}}\n[P]\n{{Plan}}" });
  const problem = make("p", { class: "problem", aria: { role: "alert" } });
  const save = async () => {
    problem.textContent = "";
    try {
      await api.keepTemplate(name.value.trim(), { specialty: specialty.value.trim(), text: text.value });
      await fill("clinic-templates", templates);
      void readForms();
      $("clinic-title").focus();
    } catch (error) {
      // The server names the line and the field, in English.
      problem.textContent = error.body?.error?.message ?? explain(error);
    }
  };
  const edit = (template) => {
    [name.value, specialty.value, text.value] = [template.name, template.specialty, template.text];
    text.focus();
  };
  const remove = async (template) => {
    await api.removeTemplate(template.name);
    await fill("clinic-templates", templates);
    void readForms();
    $("clinic-title").focus();
  };
  const item = (template) => make("li", {},
    make("strong", {}, template.name), template.specialty ? ` (${template.specialty}) ` : " ",
    button(t("clinic.edit"), () => edit(template), { class: "small", aria: { label: `${t("clinic.edit")}: ${template.name}` } }), " ",
    button(t("clinic.remove"), () => guarded("clinic-templates", () => remove(template)), { class: "small", aria: { label: `${t("clinic.remove")}: ${template.name}` } }));
  const field = (key, input) => make("div", { class: "field" }, make("label", { htmlFor: input.id }, t(key)), input);
  return [
    make("ul", {}, ...all.map(item)),
    field("clinic.template_name", name), field("clinic.template_specialty", specialty), field("clinic.template_text", text),
    problem, button(t("clinic.save"), () => void save(), { class: "small primary", id: "template-save" }),
  ];
}

/** Does something in a part of the dialog, and says there what went wrong. */
async function guarded(id, action) {
  try {
    await action();
  } catch (error) {
    $(id).replaceChildren(make("p", { class: "problem", aria: { role: "alert" } }, explain(error)));
  }
}

const fill = (id, content) => guarded(id, async () => $(id).replaceChildren(...(await content())));

function draw() {
  void fill("clinic-figures", figures);
  void fill("clinic-learned", learned);
  void fill("clinic-templates", templates);
}

/** The note in the clinician's own forms, listed when the menu of downloads is opened. */
$("downloads").addEventListener("toggle", () => {
  const { recording } = $("downloads").dataset;
  if (!$("downloads").open || !recording) return;
  const link = ({ name }) => make("li", {}, make("a", { href: api.documentAddress(recording, "note", { format: "text", template: name }), download: "" }, t("clinic.download", { name })));
  void guarded("download-forms", async () => $("download-forms").replaceChildren(...(await api.templates()).map(link)));
});

$("to-clinic").addEventListener("click", () => {
  draw();
  $("clinic").showModal();
});
$("clinic-close").addEventListener("click", () => $("clinic").close());
onLanguage(() => $("clinic").open && draw());
