// The desk: everything that is done to a finished note besides writing its lines. Keeps what the server says of the note, and asks
// it for each change.
import * as api from "./api.js";
import { canBeCoded, chooseCode } from "./code-search.js";
import { $ } from "./dom.js";
import { drawForm, onForm } from "./form.js";
import { showHistory } from "./history.js";
import { onLanguage, t, when } from "./i18n.js";
import { announce, dismiss, notice } from "./notices.js";
import { acceptPhrases, choosePhrase } from "./phrase.js";
import { explain } from "./recordings.js";
import { addendumTaken, askForAddendum, askToSign, question } from "./sign.js";

const ACTS = ["undo", "redo", "history", "sign", "addendum"];

export class Desk {
  /** `show(held)` draws the note that is held now; `line(section, index)` gives the focus to a line. */
  constructor({ show, line }) {
    this.draws = show;
    this.line = line;
    this.held = null;
    this.by = "";
    this.last = Promise.resolve(true);
    $("desk-undo").addEventListener("click", () => this.step("undo"));
    $("desk-redo").addEventListener("click", () => this.step("redo"));
    $("desk-history").addEventListener("click", () => this.history());
    $("desk-sign").addEventListener("click", () => this.sign());
    $("desk-addendum").addEventListener("click", () => this.addendum());
    $("desk-restrict").addEventListener("click", () => this.restrict());
    onForm(() => this.formed());
    acceptPhrases($("lines"), $("note"), (section, span) => this.editable && this.change({ op: "phrase", section, span }, "desk.phrase_added"));
    addEventListener("keydown", (event) => this.key(event));
    onLanguage(() => this.draw());
  }

  get desk() {
    return this.held?.desk ?? null;
  }

  get editable() {
    return this.desk !== null && this.desk.stage !== "signed";
  }

  /** The recording that is shown; null for none. Its desk is asked for when it is finished. */
  async open(held) {
    this.held = held;
    this.last = Promise.resolve(true);
    this.draw();
    if (held === null || held.state !== "finished" || held.version === null) return;
    try {
      const [desk, status] = await Promise.all([api.record(held.id), api.status()]);
      if (this.held !== held) return;
      this.by = status.clinician.name;
      if (desk.version === held.version) held.desk = desk;
      this.redraw();
    } catch (error) {
      notice("desk", "bad", "plain", { why: () => explain(error) });
    }
  }

  redraw() {
    this.draw();
    if (this.held !== null) this.draws(this.held);
  }

  /** Another form was chosen: the note is asked for in it. */
  async formed() {
    const { held } = this;
    if (this.desk === null) return;
    try {
      const desk = await api.record(held.id);
      if (this.held !== held) return;
      if (desk.version === held.version) held.desk = desk;
      this.redraw();
    } catch (error) {
      notice("desk", "bad", "plain", { why: () => explain(error) });
    }
  }

  draw() {
    const { desk } = this;
    drawForm(desk);
    $("desk").hidden = desk === null;
    // Of a draft the next thing to do is to sign it.
    $("next").classList.toggle("primary", desk === null || desk.stage === "signed");
    document.body.classList.toggle("desk-open", this.editable);
    if (desk === null) return;
    const signed = desk.stage === "signed";
    for (const act of ACTS) $(`desk-${act}`).hidden = act === "addendum" ? !signed : act !== "history" && signed;
    $("desk-undo").disabled = !desk.undo;
    $("desk-redo").disabled = !desk.redo;
    $("desk-restricted").hidden = !desk.restricted;
    $("desk-restrict").textContent = t(desk.restricted ? "desk.unrestrict" : "desk.restrict");
    $("desk-restrict").title = t("desk.restricted_hint");
    const last = desk.signed.at(-1);
    const open = desk.open.length;
    const state = signed ? t("desk.signed", { by: last.by, when: when(last.at, { brief: true }) }) : open > 0 ? t("desk.open", { n: open }) : t(`desk.${desk.stage}`);
    $("desk-state").textContent = state;
    $("desk-state").className = `tag ${signed ? "signed" : open > 0 ? "wait" : ""}`;
  }

  /**
   * Does what changes the note when all that was asked for here before is answered: each names the version that the one before it made,
   * and nothing of this window's own is taken for another's. `run(made)` is told whether what it waited for was made, and resolves to
   * something where it makes nothing.
   */
  inTurn(run) {
    const done = this.last.then(run);
    const made = done.then((not) => !not, () => false);
    this.last = made;
    void made.then(() => {
      if (this.last === made) this.last = Promise.resolve(true);
    });
    return done;
  }

  /**
   * Asks for a change of what was seen in version `seen`. Resolves to null, or to the newer note when somebody has changed the same
   * thing; throws what else went wrong.
   */
  ask(edit, seen = this.held.version) {
    const { held } = this;
    return this.inTurn(async () => {
      const before = held.version;
      try {
        const { version, note, desk, merged } = await api.editNote(held.id, seen, edit);
        Object.assign(held, { version, note, desk, edited: true });
        // Of what was changed in this window meanwhile nobody needs to be told.
        if (merged && (seen === before || version > before + 1)) notice("merged", "good", "desk.merged");
        if (this.held === held) this.draw();
        return null;
      } catch (error) {
        if (error.status !== 409 || !error.body?.note) throw error;
        await this.newer(held, error.body);
        return error.body.note;
      }
    });
  }

  /** Somebody else's version is the newest: show it. */
  async newer(held, { version, note }) {
    const desk = await api.record(held.id).catch(() => held.desk);
    // All at once: a line that is chosen meanwhile is one of the version that is shown.
    Object.assign(held, { version, note, desk });
    if (this.held === held) this.draw();
  }

  /** A change that has no text of its own to keep. */
  async change(edit, done) {
    dismiss("desk");
    try {
      const newer = await this.ask(edit);
      if (newer) notice("desk", "bad", "desk.conflict");
      else announce(t(done));
    } catch (error) {
      notice("desk", "bad", "plain", { why: () => explain(error) });
    }
    this.redraw();
  }

  accept(finding) {
    return this.change({ op: "accept", finding }, "desk.accepted");
  }

  drop(finding) {
    return this.change({ op: "drop", finding }, "desk.dropped");
  }

  dismiss({ segment, start, end }) {
    return this.change({ op: "dismiss", span: { segment, start, end } }, "desk.dismissed");
  }

  /** Gives a finding of the line another code, or its unknown words one. */
  async recode(findings, { section, index, term = null }) {
    const fit = findings.filter(canBeCoded);
    if (fit.length === 0 && term === null) {
      notice("desk", "bad", "codes.nothing");
      return;
    }
    const chosen = await chooseCode(this.held.note, fit, term);
    if (chosen === null) return;
    const { finding, concept } = chosen;
    if (finding) await this.change({ op: "recode", finding, concept }, "desk.recoded");
    else await this.change({ op: "code", section, index, concept }, "desk.coded");
  }

  async phrase(segment, span = null) {
    const chosen = await choosePhrase(segment, span);
    if (chosen) await this.change({ op: "phrase", ...chosen }, "desk.phrase_added");
  }

  async step(act) {
    const { held } = this;
    if (!held?.desk) return;
    dismiss("desk");
    await this.inTurn(async (made) => {
      // Where the change that was to be taken back was not made, it would be the one before.
      if (!made || !held.desk[act]) return true;
      try {
        const { version, note, desk } = await api.stepNote(held.id, act, held.version);
        Object.assign(held, { version, note, desk });
        announce(t(`desk.${act}_done`));
        return false;
      } catch (error) {
        await this.failed(held, error);
        return true;
      }
    });
    if (this.held === held) this.redraw();
  }

  async failed(held, error) {
    if (error.status === 409 && error.body?.note) {
      await this.newer(held, error.body);
      notice("desk", "bad", "desk.conflict");
    } else {
      notice("desk", "bad", "plain", { why: () => explain(error) });
    }
  }

  async history() {
    if (this.desk === null) return;
    try {
      showHistory((await api.history(this.held.id)).entries);
    } catch (error) {
      notice("desk", "bad", "plain", { why: () => explain(error) });
    }
  }

  async sign() {
    const { held } = this;
    // What is signed is what the dialog shows.
    await this.last;
    if (this.held !== held || !this.editable) return;
    dismiss("desk");
    const answer = await askToSign({ note: held.note, desk: held.desk, banner: held.banner, by: this.by, show: ({ section, index }) => this.line(section, index) });
    if (answer === null) return;
    try {
      if (held.desk.stage !== "reviewed") held.desk = await api.reviewNote(held.id, held.version);
      if (answer === "sign") held.desk = await api.signNote(held.id, held.version);
      announce(t(answer === "sign" ? "desk.signed_done" : "desk.reviewed_done"));
    } catch (error) {
      await this.failed(held, error);
    }
    this.redraw();
    if (answer === "sign") $("desk-addendum").focus();
  }

  async addendum() {
    const { held } = this;
    const line = await askForAddendum({ id: held.id, banner: held.banner, by: this.by });
    if (line === null) return;
    dismiss("desk");
    try {
      const desk = await api.addToNote(held.id, held.version, [line]);
      const { note, version } = await api.recording(held.id);
      Object.assign(held, { note, version, desk });
      addendumTaken();
      announce(t("desk.addendum_done"));
    } catch (error) {
      const open = error.body?.open ?? [];
      if (open.length > 0) notice("desk", "bad", "addendum.doubtful", { what: () => open.map(question).join(" ") });
      else await this.failed(held, error);
    }
    this.redraw();
  }

  /** Marks the note as restricted, or takes the mark away: signed or not. */
  async restrict() {
    const { held } = this;
    const restricted = !held.desk.restricted;
    dismiss("desk");
    try {
      held.desk = await api.restrictNote(held.id, restricted);
      announce(t(restricted ? "desk.restrict_done" : "desk.unrestrict_done"));
    } catch (error) {
      await this.failed(held, error);
    }
    this.redraw();
  }

  /** Undo and redo as everywhere, and signing; not while something is typed, where the field has its own. */
  key(event) {
    const typing = event.target.closest?.("textarea, input, select, dialog");
    if (!this.editable || typing || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const act = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : key === "enter" ? "sign" : null;
    if (act === null) return;
    event.preventDefault();
    if (act === "sign") void this.sign();
    else void this.step(act);
  }
}
