// The privacy officer's card: records that were opened without consent in an emergency.
import * as api from "./accounts-api.js";
import { $, make } from "./dom.js";
import { t } from "./i18n.js";

/** Who was told of an emergency, and who could not be. */
export function toldOf(told) {
  if (told === null || (told.patient && told.officers > 0)) return t("emergency.told");
  const staff = told.officers > 0 ? "officer" : told.administrators > 0 ? "administrator" : "nobody";
  return [t(told.patient ? "emergency.told.patient" : "emergency.told.no_patient"), t(`emergency.told.${staff}`)].join(" ");
}

let all = null;

export async function show() {
  all = await api.emergencies();
  draw();
  $("emergencies").hidden = false;
}

export function draw() {
  if (all === null) return;
  $("emergencies-none").hidden = all.length > 0;
  $("emergencies-list").replaceChildren(...all.map(({ id, doctor, organisation, reason, words, patient, at, until, told }) => {
    const facts = [`${doctor}, ${organisation}`, t("emergency.from_to", { at, until }), t("emergency.patient", { patient }), toldOf(told)].join(" · ");
    return make("li", { data: { emergency: id } }, make("span", {}, make("b", {}, t(`emergency.reason.${reason}`)), " ", words, make("small", { class: "hint" }, facts)));
  }));
}
