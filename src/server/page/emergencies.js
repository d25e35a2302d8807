// The privacy officer's card: records that were opened without consent in an emergency.
import * as api from "./accounts-api.js";
import { $, make } from "./dom.js";
import { t } from "./i18n.js";

/** Who was told of an emergency, whose message is still on its way, and who could not be told. */
export function toldOf({ told, queued }) {
  if (told === null) return t("emergency.told.unknown");
  if (told.patient && told.officers > 0) return t("emergency.told");
  const patient = told.patient ? "told.patient" : queued.patient ? "queued.patient" : "told.no_patient";
  const staff = [["told.officer", told.officers], ["queued.officer", queued.officers], ["told.administrator", told.administrators], ["queued.administrator", queued.administrators]];
  return [patient, staff.find(([, many]) => many > 0)?.[0] ?? "told.nobody"].map((key) => t(`emergency.${key}`)).join(" ");
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
  $("emergencies-list").replaceChildren(...all.map(({ id, doctor, organisation, reason, words, patient, at, until, ...reached }) => {
    const facts = [`${doctor}, ${organisation}`, t("emergency.from_to", { at, until }), t("emergency.patient", { patient }), toldOf(reached)].join(" · ");
    return make("li", { data: { emergency: id } }, make("span", {}, make("b", {}, t(`emergency.reason.${reason}`)), " ", words, make("small", { class: "hint" }, facts)));
  }));
}
