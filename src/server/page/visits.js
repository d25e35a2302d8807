// The patient and visit that the next recording belongs to, and the banner of the one that is shown.
import * as api from "./api.js";
import { agreement, askToRecord, wasAsked } from "./agree.js";
import { bannerNode, nameOf } from "./banner.js";
import { chooser } from "./chooser.js";
import { $, button, make } from "./dom.js";
import { whose } from "./history.js";
import { language, onLanguage, t, when } from "./i18n.js";
import { announce, dismiss, notice } from "./notices.js";
import { explain } from "./recordings.js";
import { view } from "./turn.js";

export class Visits {
  /**
   * `on.open(recording)` shows a recording; `on.changed()` is called when lists have to be fetched anew, `on.chosen()` when another visit
   * was chosen, or none.
   */
  constructor(on) {
    this.on = on;
    this.chosen = null;
    onLanguage(() => this.draw());
    this.draw();
  }

  /** The visit that a recording begun now belongs to. */
  get encounter() {
    return this.chosen?.encounter.id ?? null;
  }

  get refused() {
    return this.chosen?.encounter.refused ?? false;
  }

  choose(banner) {
    this.on.chosen();
    this.show(banner);
    if (!banner) return;
    announce(t("visit.chosen", { name: nameOf(banner.patient) }));
    this.focus();
  }

  show(banner) {
    this.chosen = banner;
    dismiss("visit");
    this.draw();
  }

  focus() {
    (this.refused ? $("type-note") : $("start")).focus();
  }

  /** What the server says of a visit now, where it is still the one that is chosen. */
  known(encounter) {
    if (this.encounter !== encounter.id) return false;
    this.show({ ...this.chosen, encounter });
    return true;
  }

  async ask() {
    const banner = await chooser.choose({ title: t("visit.whose") });
    if (banner) {
      this.choose(banner);
      this.on.changed();
    } else {
      $("choose-patient")?.focus();
    }
  }

  draw() {
    const { chosen } = this;
    const act = (id, key, action, more = {}) => button(t(key), () => void action(), { id, class: `small ${more.class ?? ""}` });
    const actions = [act("choose-patient", chosen ? "visit.change" : "visit.choose", () => this.ask(), { class: chosen ? "" : "primary" })];
    if (chosen) {
      actions.push(act("edit-patient", "visit.details", () => this.edit(), { class: "quiet" }));
      actions.push(act("type-note", "visit.type", () => this.type(), { class: this.refused ? "primary" : "quiet" }));
      actions.push(act("refuse", this.refused ? "visit.agrees" : "visit.refuses", () => this.refuse(!this.refused), { class: "quiet" }));
      actions.push(act("nobody", "visit.leave_out", () => this.drop(), { class: "quiet" }));
    }
    $("chosen").replaceChildren(bannerNode(chosen, { actions }));
    $("start").disabled = this.refused;
    $("refused-hint").hidden = !this.refused;
    $("agreed-hint").textContent = chosen ? agreement(chosen.encounter) : "";
    $("agreed-hint").hidden = $("agreed-hint").textContent === "";
  }

  drop() {
    this.choose(null);
    $("choose-patient").focus();
  }

  async edit() {
    const { patient } = this.chosen;
    const kept = await this.editPatient(patient);
    if (this.chosen?.patient.id !== patient.id) return;
    if (kept === "erased") this.drop();
    else if (kept) this.show({ ...this.chosen, patient: kept });
    $("edit-patient")?.focus();
  }

  /** Shows a patient's particulars; resolves to the patient as kept, `"erased"`, or null. */
  async editPatient(patient) {
    const kept = await chooser.edit(patient);
    if (kept === "erased") notice("visit", "good", "visit.erased");
    if (kept) this.on.changed();
    return kept;
  }

  /** A note without a recording. */
  async type() {
    const turn = view.running();
    await this.attempt(async () => {
      const { recording } = await api.typeNote(this.encounter);
      if (turn()) this.on.open(recording);
      else this.on.changed();
    });
  }

  /**
   * Asks, where nobody did, whether the visit of this banner may be recorded; resolves to the banner with the answer, or null where it may
   * not be. Who says no has a typed note by the same tap.
   */
  async agree(banner) {
    if (wasAsked(banner.encounter)) return banner;
    const answer = await askToRecord(banner.encounter);
    if (answer === "refused") {
      const turn = view.running();
      await this.attempt(async () => {
        this.known(await api.setRefused(banner.encounter.id, true));
        const { recording } = await api.typeNote(banner.encounter.id);
        this.on.changed();
        if (turn()) this.on.open(recording);
      });
      return null;
    }
    if (!answer) return null;
    this.known(answer);
    return { ...banner, encounter: answer };
  }

  async refuse(refused) {
    await this.attempt(async () => {
      if (this.known(await api.setRefused(this.encounter, refused))) this.focus();
      this.on.changed();
    });
  }

  /** Draws the banner of the recording that is shown. `move` is what to do where it may be moved, `edit` where its patient may be changed. */
  banner(banner, { moves = [], move = null, edit = null } = {}) {
    const key = JSON.stringify([language(), banner, moves, move !== null, edit !== null]);
    if (key === this.drawn) return;
    this.drawn = key;
    const actions = [
      move && button(t(banner ? "visit.move" : "visit.give"), move, { class: "small", id: "move" }),
      edit && banner && button(t("visit.details"), edit, { class: "small", id: "edit-shown" }),
    ].filter(Boolean);
    const focused = document.activeElement?.id;
    const node = bannerNode(banner, { actions, small: true });
    if (moves.length > 0) node.append(history(moves));
    $("banner").replaceChildren(node);
    if (["move", "edit-shown"].includes(focused)) $(focused)?.focus();
  }

  /** Asks whose a recording is and moves it there; resolves to `{banner, moves}`, or null. */
  async move({ id, banner, created_at }) {
    const target = await chooser.choose({ title: t(banner ? "visit.move_title" : "visit.give_title"), at: created_at, any: true });
    if (!target || target.encounter.id === banner?.encounter.id) return null;
    return this.attempt(async () => {
      const settled = await api.moveRecording(id, banner?.encounter.id ?? null, target.encounter.id);
      notice("visit", "good", "visit.moved", { name: nameOf(target.patient) });
      return settled;
    });
  }

  async attempt(action) {
    try {
      dismiss("visit");
      return await action();
    } catch (error) {
      notice("visit", "bad", "plain", { why: () => explain(error) });
      return null;
    }
  }
}

/** How the recording was moved, the last first. */
function history(moves) {
  const line = ({ by, at, from, to }) => make("li", {}, t("visit.moved_by", { by, when: when(at), from: whose(from), to: whose(to) }));
  return make("details", { class: "moves" }, make("summary", {}, t("visit.moves", { n: moves.length })), make("ol", {}, ...moves.toReversed().map(line)));
}
