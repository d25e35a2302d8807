// The desk: everything that is done to a finished note besides writing its lines. Keeps what the server says of the note, and asks
// it for each change.
import * as api from "./api.js";
import { canBeCoded, chooseCode } from "./code-search.js";
import { $, isAsking } from "./dom.js";
import { drawForm, onForm } from "./form.js";
import { showHistory } from "./history.js";
import { onLanguage, t, when } from "./i18n.js";
import { announce, dismiss, notice } from "./notices.js";
import { acceptPhrases, choosePhrase } from "./phrase.js";
import { explain } from "./recordings.js";
import { addendumTaken, askForAddendum, askToSign, question } from "./sign.js";

const ACTS = ["undo", "redo", "history", "sign", "addendum"];
/** How often the note and its desk are asked for, where somebody changes the note between the two. */
const TRIES = 5;

/** Nothing that is older than what is shown already. */
function put(held, newest) {
  if (newest.version >= held.version) Object.assign(held, newest);
}

export class Desk {
  /**
   * `show(held)` draws the note that is held now; `line(section, index)` gives the focus to a line; `unsaved()` resolves to whether a
   * text was begun and is not saved.
   */
  constructor({ show, line, unsaved }) {
    this.draws = show;
    this.line = line;
    this.unsaved = unsaved;
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
    await this.fetch(held);
  }

  redraw() {
    this.draw();
    if (this.held !== null) this.draws(this.held);
  }

  /** Another form was chosen: the note is asked for in it. */
  formed() {
    if (this.desk !== null) void this.fetch(this.held);
  }

  async fetch(held) {
    try {
      await this.take(held, await api.record(held.id));
    } catch (error) {
      if (this.held === held) this.tell(held, error);
    }
    if (this.held === held) this.redraw();
  }

  /** What an answer says of the note that is shown; where it is of another version, the note is asked for anew. */
  async take(held, desk) {
    if (desk.version === held.version) held.desk = desk;
    else await this.renew(held);
  }

  /** Asks for the note, whose it is, and its desk, until all are of one version. */
  async renew(held) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const [{ version, note, banner, moves }, desk] = await Promise.all([api.recording(held.id), api.record(held.id)]);
      if (version !== desk.version) continue;
      put(held, { version, note, banner, moves, desk });
      return;
    }
    throw new api.ApiError("conflict", 409);
  }

  /** Who signs here. */
  async named() {
    this.by ||= (await api.status()).clinician.name;
    return this.by;
  }

  /** Why something was not done; where another note is shown by now, that it was the former one. */
  tell(held, error) {
    notice("desk", "bad", this.held === held ? "plain" : "desk.of_former", { why: () => explain(error) });
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
   * Asks for a change of what was seen in version `seen`; one of the same id is made once. Resolves to null, or to the newer note when
   * somebody has changed the same thing; throws what else went wrong.
   */
  ask(edit, seen, called = crypto.randomUUID()) {
    const { held } = this;
    return this.inTurn(async () => {
      const before = held.version;
      try {
        const { version, note, desk, merged } = await api.editNote(held.id, seen, edit, called);
        put(held, { version, note, desk, edited: true });
        // Of what was changed in this window meanwhile nobody needs to be told.
        if (merged && (seen === before || version > before + 1)) notice("merged", "good", "desk.merged");
        if (this.held === held) this.draw();
        return null;
      } catch (error) {
        if (error.status !== 409 || !error.body?.note) throw error;
        // All at once: a line that is chosen meanwhile is one of the version that is shown.
        await this.renew(held);
        if (this.held === held) this.draw();
        return held.note;
      }
    });
  }

  /** A change that has no text of its own to keep, of what was seen in version `seen`. Resolves to whether it was made. */
  async change(edit, done, seen = this.held.version) {
    const { held } = this;
    dismiss("desk");
    let made = false;
    try {
      made = (await this.ask(edit, seen)) === null;
      if (made) announce(t(done));
      else this.refused(held, "desk.conflict");
    } catch (error) {
      this.tell(held, error);
    }
    if (this.held === held) this.redraw();
    return made;
  }

  /** Nothing was done, since what is shown was changed elsewhere. */
  refused(held, key) {
    if (this.held === held) notice("desk", "bad", key);
    else notice("desk", "bad", "desk.of_former", { why: () => t(key) });
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
    const { held } = this;
    // What is named is named as it stood when it was asked about.
    const { version } = held;
    const chosen = await chooseCode(held.note, fit, term);
    if (chosen === null || this.held !== held) return;
    const { finding, concept } = chosen;
    if (finding) await this.change({ op: "recode", finding, concept }, "desk.recoded", version);
    else await this.change({ op: "code", section, index, concept }, "desk.coded", version);
  }

  async phrase(segment, span = null) {
    const { held } = this;
    const chosen = await choosePhrase(segment, span);
    if (chosen !== null && this.held === held) await this.change({ op: "phrase", ...chosen }, "desk.phrase_added");
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
        put(held, { version, note, desk });
        announce(t(`desk.${act}_done`));
        return false;
      } catch (error) {
        await this.failed(held, error);
        return true;
      }
    });
    if (this.held === held) this.redraw();
  }

  /** Shows why a change was refused, and where that is another's change, what it made of the note. */
  async failed(held, error) {
    const moved = error.code === "moved";
    if (!moved && !(error.status === 409 && error.body?.note)) {
      this.tell(held, error);
      return;
    }
    try {
      await this.renew(held);
      this.refused(held, moved ? "desk.moved" : "desk.conflict");
    } catch (why) {
      this.tell(held, why);
    }
  }

  async history() {
    const { held } = this;
    if (this.desk === null) return;
    try {
      const { entries } = await api.history(held.id);
      if (this.held === held && !isAsking()) showHistory(entries);
    } catch (error) {
      if (this.held === held) this.tell(held, error);
    }
  }

  /** Waits until all that was asked for here is answered. */
  async settled() {
    for (let last = null; last !== this.last; ) {
      last = this.last;
      await last;
    }
  }

  async sign() {
    const { held } = this;
    try {
      await this.named();
      await this.settled();
      const unsaved = await this.unsaved();
      // Somebody who went on meanwhile is not interrupted by the question, whose answer has the focus.
      if (this.held !== held || !this.editable || isAsking()) return;
      dismiss("desk");
      if (unsaved) notice("desk", "bad", "desk.unsaved");
      else await this.vouch(held);
    } catch (error) {
      this.tell(held, error);
    }
  }

  /** What is signed is what the dialog shows, under the banner that it shows. */
  async vouch(held) {
    const { version, note, desk, banner } = held;
    const answer = await askToSign({ note, desk, banner, by: this.by, show: ({ section, index }) => this.line(section, index) });
    if (answer === null || this.held !== held) return;
    const seen = { version, encounter: banner?.encounter.id ?? null };
    try {
      if (desk.stage !== "reviewed") await this.take(held, await api.reviewNote(held.id, seen));
      if (answer === "sign") await this.take(held, await api.signNote(held.id, seen));
      announce(t(answer === "sign" ? "desk.signed_done" : "desk.reviewed_done"));
    } catch (error) {
      await this.failed(held, error);
    }
    if (this.held !== held) return;
    this.redraw();
    if (answer === "sign") $("desk-addendum").focus();
  }

  async addendum() {
    const { held } = this;
    try {
      const by = await this.named();
      if (this.held !== held || this.desk === null || isAsking()) return;
      const { version, banner } = held;
      const line = await askForAddendum({ id: held.id, banner, by });
      if (line !== null && this.held === held) await this.add(held, version, line);
    } catch (error) {
      this.tell(held, error);
    }
  }

  async add(held, version, line) {
    dismiss("desk");
    try {
      await api.addToNote(held.id, version, [line]);
      addendumTaken();
      announce(t("desk.addendum_done"));
      await this.renew(held);
    } catch (error) {
      const open = error.body?.open ?? [];
      if (open.length > 0 && this.held === held) notice("desk", "bad", "addendum.doubtful", { what: () => open.map(question).join(" ") });
      else await this.failed(held, error);
    }
    if (this.held === held) this.redraw();
  }

  /** Marks the note as restricted, or takes the mark away: signed or not. */
  async restrict() {
    const { held } = this;
    const restricted = !held.desk.restricted;
    dismiss("desk");
    try {
      await this.take(held, await api.restrictNote(held.id, restricted));
      announce(t(restricted ? "desk.restrict_done" : "desk.unrestrict_done"));
    } catch (error) {
      await this.failed(held, error);
    }
    if (this.held === held) this.redraw();
  }

  /** Undo and redo as everywhere, and signing; not while something is typed, where the field has its own. */
  key(event) {
    const typing = event.target.closest?.("textarea, input, select, dialog");
    if (!this.editable || typing || isAsking() || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const act = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : key === "enter" ? "sign" : null;
    if (act === null) return;
    event.preventDefault();
    if (act === "sign") void this.sign();
    else void this.step(act);
  }
}
