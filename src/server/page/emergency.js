// Break-glass: opening a patient's notes without consent in an emergency, shown large for as long as it lasts.
import * as api from "./api.js";
import { $, button, make } from "./dom.js";
import { t } from "./i18n.js";
import { toldOf } from "./emergencies.js";
import { givenNumber } from "./numbers.js";
import { open } from "./share-view.js";

const REASONS = ["life_in_danger", "cannot_be_asked", "others_in_danger"];

/** Fills the form's choices; what was chosen stays. */
export function fill(kinds, organisations) {
  const put = (id, values, name) => {
    const kept = $(id).value;
    $(id).replaceChildren(...values.map((value) => make("option", { value }, name(value))));
    if (values.includes(kept)) $(id).value = kept;
  };
  put("emergency-reason", REASONS, (reason) => t(`emergency.reason.${reason}`));
  put("emergency-kind", kinds, (kind) => t(`sharing.kind.${kind}`));
  put("emergency-organisation", [...organisations.keys()], (id) => organisations.get(id));
}

/** Draws the emergencies that are not over; `trying(work)` runs something and shows what went wrong. */
export async function draw(trying) {
  const emergencies = await api.emergencies();
  $("emergency-open").replaceChildren(...emergencies.map(({ id, owner, until, notes, told, queued }) =>
    make("div", { class: "emergency-now", data: { emergency: id }, aria: { role: "alert" } },
      make("strong", {}, t("emergency.now", { owner, until })),
      make("p", {}, toldOf({ told, queued })),
      make("div", { class: "row" }, ...notes.map((note) => button(`${note.signed_at.slice(0, 10)} ${note.signed_by}`,
        () => void trying(async () => open(await api.openEmergencyView(id, note.record))), { class: "small primary", data: { note: note.record } }))))));
}

/** Sends the form. */
export async function begin() {
  await api.openEmergency({
    organisation: $("emergency-organisation").value,
    patient: givenNumber($("emergency-kind").value, $("emergency-number").value, $("emergency-issuer").value),
    reason: $("emergency-reason").value,
    words: $("emergency-words").value,
  });
  for (const part of ["number", "issuer", "words"]) $(`emergency-${part}`).value = "";
}
