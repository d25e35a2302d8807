// The privacy officer's card: records that were opened without consent in an emergency.
import * as api from "./accounts-api.js";
import { $, make } from "./dom.js";
import { t } from "./i18n.js";

let all = null;

export async function show() {
  all = await api.emergencies();
  draw();
  $("emergencies").hidden = false;
}

export function draw() {
  if (all === null) return;
  $("emergencies-none").hidden = all.length > 0;
  $("emergencies-list").replaceChildren(...all.map(({ id, doctor, organisation, reason, words, patient, at, until }) => {
    const facts = [`${doctor}, ${organisation}`, t("emergency.from_to", { at, until }), t("emergency.patient", { patient })].join(" · ");
    return make("li", { data: { emergency: id } }, make("span", {}, make("b", {}, t(`emergency.reason.${reason}`)), " ", words, make("small", { class: "hint" }, facts)));
  }));
}
