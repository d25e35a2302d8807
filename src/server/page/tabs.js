// On a narrow screen transcript and note share the place.
import { $ } from "./dom.js";

export function showTab(name) {
  $("panes").dataset.tab = name;
  for (const each of ["transcript", "note"]) $(`tab-${each}`).setAttribute("aria-pressed", String(each === name));
}

for (const name of ["transcript", "note"]) $(`tab-${name}`).addEventListener("click", () => showTab(name));
