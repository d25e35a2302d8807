// Legal holds: what may not be erased, for the administrator and the privacy officer.
import * as api from "./accounts-api.js";
import { confirm } from "./confirm.js";
import { $, button, make } from "./dom.js";
import { t, when } from "./i18n.js";
import { KINDS, givenNumber, showIssuer } from "./numbers.js";

const LIFTING = { title: "hold.lift_ask", text: "hold.lift_text", yes: "hold.lift", no: "visit.cancel" };

export class HoldCard {
  /** `attempt(run)` runs something and shows what went wrong. */
  constructor(attempt) {
    this.attempt = attempt;
    this.all = null;
    showIssuer($("hold-kind"), $("hold-issuer-field"));
    $("hold-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.place();
    });
  }

  async show() {
    this.all = await api.holds();
    this.draw();
    $("holds").hidden = false;
  }

  draw() {
    if (this.all === null) return;
    const kept = $("hold-kind").value;
    $("hold-kind").replaceChildren(...[...KINDS, "recording"].map((kind) => make("option", { value: kind }, t(kind === "recording" ? "hold.recording" : `visit.kind.${kind}`))));
    if (kept) $("hold-kind").value = kept;
    $("holds-list").replaceChildren(...this.all.map((hold) => this.row(hold)));
    $("holds-none").hidden = this.all.length > 0;
  }

  row({ id, patient, reason, placed_by: by, placed_at: at, lifted_at: lifted }) {
    const facts = [t(patient === null ? "hold.of_recording" : "hold.of_patient"), t("hold.placed", { who: by, when: when(at) }), lifted ? t("hold.lifted", { when: when(lifted) }) : null];
    const row = make("li", { data: { hold: id, lifted: String(lifted !== null) } }, make("span", {}, reason, make("small", { class: "hint" }, facts.filter(Boolean).join(" · "))));
    if (lifted === null) row.append(button(t("hold.lift"), () => void this.lift(id, reason), { class: "small danger" }));
    return row;
  }

  async lift(id, reason) {
    if (!(await confirm(LIFTING, { reason }))) return;
    await this.attempt(async () => {
      await api.liftHold(id);
      await this.show();
    });
  }

  place() {
    const [kind, value, issuer, reason] = ["kind", "value", "issuer", "reason"].map((part) => $(`hold-${part}`).value.trim());
    const held = kind === "recording" ? { recording: value } : { number: givenNumber(kind, value, issuer) };
    return this.attempt(async () => {
      await api.placeHold({ ...held, reason });
      for (const part of ["value", "issuer", "reason"]) $(`hold-${part}`).value = "";
      await this.show();
    });
  }
}
