// The clinician's own form of the note: chosen for each specialty, shown below the lines, and what is copied.
import * as api from "./api.js";
import { plainText } from "./copy.js";
import { $, make } from "./dom.js";
import { onLanguage, t, tongue } from "./i18n.js";
import { dismiss, notice } from "./notices.js";
import { explain } from "./recordings.js";

let known = null;
let shown = null;
let changed = () => {};

/** Calls `listener` when another form was chosen. */
export function onForm(listener) {
  changed = listener;
}

/** Asks anew which forms there are: they are changed on the page of the clinic. */
export async function readForms({ first = false } = {}) {
  try {
    known = await api.forms();
    draw();
    if (!first) changed();
  } catch (error) {
    notice("form", "bad", "plain", { why: () => explain(error) });
  }
}

/** Shows the form of what is on the desk; null for nothing. */
export function drawForm(desk) {
  shown = desk;
  if (desk !== null && known === null) {
    known = { templates: [], specialty: "", chosen: null };
    void readForms({ first: true });
  }
  draw();
}

function draw() {
  const { templates = [], specialty = "", chosen = null } = known ?? {};
  const specialties = [...new Set(["", ...templates.map((each) => each.specialty)])].sort();
  const options = (select, values, name, value) => {
    select.replaceChildren(...values.map((each) => make("option", { value: each }, name(each))));
    select.value = value;
  };
  $("forms").hidden = templates.length === 0;
  options($("form-specialty"), specialties, (each) => each || t("form.any"), specialty);
  $("form-specialties").hidden = specialties.length < 2;
  const fit = templates.filter((each) => each.specialty === specialty).map(({ name }) => name);
  options($("form-name"), ["", ...fit], (each) => each || t("form.none"), chosen ?? "");
  const form = shown?.form ?? null;
  $("formed").hidden = form === null;
  if (form === null) return;
  $("formed-title").textContent = t("form.title", { name: form.name });
  const text = plainText(form);
  $("formed-text").textContent = text;
  $("formed-text").lang = tongue(text);
}

async function choose(choice) {
  dismiss("form");
  try {
    known = await api.chooseForm(choice);
    changed();
  } catch (error) {
    notice("form", "bad", "plain", { why: () => explain(error) });
  }
  draw();
}

$("form-specialty").addEventListener("change", () => void choose({ specialty: $("form-specialty").value }));
$("form-name").addEventListener("change", () => void choose({ specialty: $("form-specialty").value, name: $("form-name").value || null }));
onLanguage(draw);
