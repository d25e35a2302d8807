// The recording that is shown: made in this window, or held by the server. Ties session, transcript, note and player together.
import * as api from "./api.js";
import { stretches, timeOf } from "./evidence.js";
import { Desk } from "./desk.js";
import { $, closeDialogs, undisturbed } from "./dom.js";
import { openFile } from "./file.js";
import { bytes, onLanguage, t, when } from "./i18n.js";
import { forgetSuggestions, suggestLearned } from "./learned.js";
import { Level } from "./level.js";
import { Microphone } from "./microphone.js";
import { NoteView } from "./note.js";
import { announce, dismiss, notice } from "./notices.js";
import { play, stop, surround } from "./player.js";
import { explain } from "./recordings.js";
import { drawRecording, drawSession } from "./room-view.js";
import { Session } from "./session.js";
import { showTab } from "./tabs.js";
import { TranscriptView } from "./transcript.js";
import { view } from "./turn.js";
import { keepAwake } from "./wake.js";

const LOOK_AGAIN_MS = 2000;
/** Longest stretch of sound that the server sends at once. */
const LONGEST_STRETCH_MS = 600000;

export class Recording {
  /**
   * `page.home()` goes to the first view, `page.enter()` shows this one, `page.shown(id)` puts the id into the address, `page.taken()` says
   * that the chosen visit has its recording. `visits` draws the banner.
   */
  constructor(page, visits) {
    this.page = page;
    this.visits = visits;
    this.banner = null;
    this.session = null;
    this.held = null;
    this.opening = false;
    this.level = new Level($("room-meter"));
    this.transcript = new TranscriptView({
      play: (segment) => this.playSegment(segment),
      pick: (segment) => this.desk.phrase(segment),
    });
    this.note = new NoteView({
      segments: this.transcript.segments,
      onSelect: (evidence, reveal) => this.select(evidence, reveal),
      onPoint: (evidence, reveal) => this.held && this.transcript.mark(evidence, { reveal }),
      onEdit: (edit, version, called) => this.edit(edit, version, called),
      desk: () => this.desk,
      version: () => this.held?.version,
    });
    this.desk = new Desk({
      show: ({ note, desk }) => {
        this.note.show(note, { finished: true, desk });
        this.draw();
      },
      line: (section, index) => this.note.focusLine(section, index),
      unsaved: () => this.note.unsaved(),
    });
    surround({ begin: () => this.quiet(), end: () => this.listenAgain() });
    const on = (id, action) => $(id).addEventListener("click", () => void action());
    on("pause", () => this.pause());
    on("unpause", () => this.unpause());
    on("finish", () => this.finish());
    on("continue", () => this.resume());
    on("retry", () => this.retry());
    on("new", () => this.page.home());
    on("play-all", () => this.playAll());
    addEventListener("keydown", (event) => event.key === "Escape" && !$("confirm").open && stop());
    onLanguage(() => this.draw());
  }

  get id() {
    return this.session?.id ?? this.held?.id ?? null;
  }

  /** Whether something is being recorded here. */
  get busy() {
    return this.session !== null || this.opening;
  }

  get unsafe() {
    return this.session?.unsafe ?? false;
  }

  get dirty() {
    return this.note.dirty;
  }

  /** Starts a new recording of this visit with an open microphone. */
  record({ microphone, deviceId, language, banner }) {
    if (!this.begin(banner)) {
      microphone.close();
      return;
    }
    this.page.taken();
    this.session = Session.microphone({ microphone, deviceId, language, encounter: banner?.encounter.id, on: this.hooks() });
    announce(t("say.recording"));
    this.draw();
    $("pause").focus();
  }

  /** Reads a file of this visit, where that is `still()` wanted once it is open. */
  async read(file, language, { banner, still }) {
    if (this.busy) return;
    this.opening = true;
    notice("file", "wait", "file.decoding", { name: file.name });
    try {
      const source = await openFile(file);
      // What is typed in a dialog is not taken away by what was chosen before.
      await undisturbed();
      dismiss("file");
      if (!still()) {
        notice("file", "bad", "file.overtaken", { name: file.name });
        return;
      }
      if (!this.begin(banner)) return;
      this.page.taken();
      this.session = Session.file({ source, language, encounter: banner?.encounter.id, on: this.hooks() });
      this.draw();
    } catch (error) {
      this.refuseFile(error);
    } finally {
      this.opening = false;
    }
  }

  refuseFile(error) {
    const { name = "", size = 0 } = error.values ?? {};
    notice("file", "bad", error.values ? error.code : "file.unknown", { name, size: () => bytes(size) });
  }

  /** Goes on with the unfinished recording that is shown. */
  async resume() {
    if (this.busy || this.held === null) return;
    const { id, language, format, banner: whose } = this.held;
    if (format?.encoding === "opus") {
      notice("microphone", "bad", "mic.foreign");
      return;
    }
    this.opening = true;
    const turn = view.take();
    this.page.shown(id);
    let microphone = null;
    try {
      const banner = whose && (await this.visits.agree(whose));
      if (!turn() || (whose && !banner)) return;
      microphone = await Microphone.open("", IDLE, format?.rate);
      const token = turn() ? await api.newToken(id) : null;
      if (!turn()) {
        microphone.close();
        return;
      }
      clearTimeout(this.timer);
      dismiss("microphone");
      const shape = format ? { format: format.encoding, channels: format.channels } : {};
      this.banner = banner;
      this.held = null;
      this.session = Session.microphone({ microphone, deviceId: "", language, held: { id, token, format: shape }, on: this.hooks() });
      this.transcript.finished = false;
      announce(t("say.recording"));
      this.draw();
    } catch (error) {
      microphone?.close();
      const problem = error.code?.startsWith("mic.") ? () => t(error.code, { name: error.name }) : () => explain(error);
      if (turn()) notice("microphone", "bad", "plain", { why: problem });
    } finally {
      this.opening = false;
    }
  }

  /** Makes ready for another recording; false where what is shown is kept. */
  begin(banner = null) {
    if (!this.leave()) return false;
    forgetSuggestions();
    this.banner = banner;
    this.transcript.clear();
    this.note.clear();
    showTab("transcript");
    this.page.enter();
    return true;
  }

  /** Shows a recording that the server holds: true once it is shown, false when there is none, null when something else stays or was shown. */
  async open(id) {
    const turn = view.take();
    let held;
    try {
      held = await api.recording(id);
    } catch (error) {
      if (!turn()) return null;
      notice("open", "bad", "plain", { why: () => explain(error) });
      return false;
    }
    if (!turn() || !this.begin()) return null;
    this.held = held;
    this.showHeld({ first: true });
    if (held.typed) showTab("note");
    this.page.shown(id);
    $("room-title").focus();
    return true;
  }

  showHeld({ first = false } = {}) {
    const { state, transcript, note } = this.held;
    const finished = state === "finished";
    if (first) this.transcript.clear({ finished });
    for (const segment of transcript?.segments ?? []) this.transcript.add(segment);
    if (finished) this.transcript.end();
    this.note.show(note ?? null, { finished, desk: this.held.desk ?? null });
    if (!this.held.desk) void this.desk.open(this.held);
    this.draw();
    clearTimeout(this.timer);
    if (!finished) this.timer = setTimeout(() => this.lookAgain(), LOOK_AGAIN_MS);
  }

  /** The last words are being written, or another window records: see what is new. */
  async lookAgain() {
    const { held } = this;
    if (held === null) return;
    try {
      const found = await api.recording(held.id);
      if (this.held !== held) return;
      const finished = held.state !== "finished" && found.state === "finished";
      this.held = found;
      dismiss("open");
      this.showHeld();
      if (finished) announce(t("say.finished"));
    } catch (error) {
      if (this.held !== held) return;
      notice("open", "bad", "plain", { why: () => explain(error) });
      if (error.status !== 404) this.timer = setTimeout(() => this.lookAgain(), LOOK_AGAIN_MS);
    }
  }

  /** Lets go of what is shown, with all that is asked about it; false where somebody would rather keep what they typed. */
  leave() {
    if (this.dirty && !window.confirm(t("note.unsaved_leave"))) {
      this.page.shown(this.id);
      return false;
    }
    view.end();
    closeDialogs();
    clearTimeout(this.timer);
    stop();
    this.held = null;
    this.banner = null;
    void this.desk.open(null);
    this.note.clear();
    return true;
  }

  /** Gives what is shown to the visit that it belongs to. */
  async move() {
    const { id } = this.held;
    const settled = await this.visits.move(this.held);
    if (this.held?.id !== id) return;
    if (settled) {
      Object.assign(this.held, settled);
      this.draw();
    }
    $("move")?.focus();
  }

  async editPatient() {
    const { id, banner } = this.held;
    const kept = await this.visits.editPatient(banner.patient);
    if (this.held?.id !== id) return;
    if (kept === "erased") this.page.home();
    else if (kept) this.held.banner = { ...banner, patient: kept };
    this.draw();
  }

  hooks() {
    return {
      change: () => this.draw(),
      level: (peak) => this.level.show(peak),
      ready: (id, back) => this.connected(id, back),
      partial: (message) => this.transcript.partial(message),
      final: ({ segment }) => this.transcript.add(segment),
      note: ({ note }) => this.note.show(note),
      end: (message) => this.ended(message),
      erased: () => this.gone(),
      problem: (code, passing) => this.problem(code, passing),
      fault: (error) => this.faulted(error),
      held: (reason) => notice("held", reason === "cancel.waiting" ? "wait" : "bad", reason),
      muted: (muted) => (muted ? notice("muted", "bad", "mic.muted") : dismiss("muted")),
      gap: (n) => notice("gap", "bad", "mic.gap", { n }),
    };
  }

  connected(id, back) {
    this.page.shown(id);
    dismiss("refused");
    this.draw();
    if (back) this.cameBack = true;
  }

  async ended({ transcript, note }) {
    const { id } = this.session;
    this.session = null;
    dismiss("net");
    dismiss("held");
    const held = { id, state: "finished", connected: false, version: null, transcript, note, created_at: "", duration_ms: transcript?.audio?.duration_ms ?? 0, language: transcript?.language ?? "auto" };
    this.held = held;
    announce(t("say.finished"));
    let found = held;
    try {
      found = await api.recording(id);
    } catch (error) {
      if (this.held === held) notice("open", "bad", "plain", { why: () => explain(error) });
    }
    if (this.held !== held) return;
    this.held = found;
    this.transcript.clear({ finished: true });
    this.showHeld();
    if (this.held.version === null) this.timer = setTimeout(() => this.lookAgain(), LOOK_AGAIN_MS);
    $("room-title").focus();
  }

  gone() {
    this.session = null;
    const done = this.afterErasing;
    this.afterErasing = null;
    dismiss("net");
    dismiss("held");
    if (done) done();
    else this.page.home();
  }

  /** Erases what is shown; `done` is called when nothing is left. */
  async erase(done) {
    if (this.session) {
      this.afterErasing = done;
      stop();
      this.session.cancel();
      return;
    }
    const { id } = this.held;
    try {
      await api.erase(id);
      if (this.held?.id === id) this.leave();
      done();
    } catch (error) {
      notice("open", "bad", "plain", { why: () => explain(error) });
    }
  }

  async problem(code, passing) {
    const { session } = this;
    const id = session?.id;
    const over = code === "finished" || (passing === false && code === "bad_token" && (await this.isFinished(id)));
    if (this.session !== session) return;
    if (over) {
      session?.close();
      this.session = null;
      await this.open(id);
      return;
    }
    this.refusedFor = code;
    notice("refused", passing ? "wait" : "bad", "plain", { why: () => explain({ code }) });
    this.draw();
  }

  /** The server can be reached, but never let this window begin: most likely the address is not the one it serves. */
  async suspectRefusal() {
    if (this.suspected) return;
    this.suspected = true;
    const { session } = this;
    try {
      await api.status();
      const refuses = await this.visitRefuses();
      if (this.session === session && session.id === null) notice("refused", "bad", refuses ? "visit.refused_elsewhere" : "net.refused");
    } catch {
      this.suspected = false;
    }
  }

  /** Whether the visit went away, or the patient does not want to be recorded any more. */
  async visitRefuses() {
    if (!this.banner) return false;
    return api.encounter(this.banner.encounter.id).then(({ encounter }) => encounter.refused, (error) => error.status === 404);
  }

  async isFinished(id) {
    try {
      return (await api.recording(id)).state !== "open";
    } catch {
      return false;
    }
  }

  async faulted(error) {
    const { id } = this.session ?? {};
    this.session = null;
    if (id) await this.open(id);
    else this.page.home();
    this.refuseFile(error);
  }

  async pause() {
    this.session.playing = false;
    await this.session.pause();
    announce(t("say.paused"));
    this.draw();
  }

  async unpause() {
    stop();
    dismiss("held");
    try {
      await this.session.unpause();
      announce(t("say.recording"));
    } catch (error) {
      notice("held", "bad", error.code ?? "mic.failed", { name: error.name });
    }
    this.draw();
  }

  async finish() {
    stop();
    if (this.session) {
      await this.session.finish();
      return;
    }
    const { id } = this.held;
    try {
      await api.finish(id);
      if (this.held?.id !== id) return;
      this.held.state = "finishing";
      this.showHeld();
    } catch (error) {
      notice("open", "bad", "plain", { why: () => explain(error) });
    }
  }

  /** After a fault that does not pass. A recording that another window took is taken back. */
  async retry() {
    const { session } = this;
    try {
      if (session.id && ["replaced", "bad_token"].includes(this.refusedFor)) session.room.token = await api.newToken(session.id);
      if (this.session !== session || session.phase !== "stopped") return;
      dismiss("refused");
      session.retry();
    } catch (error) {
      notice("refused", "bad", "plain", { why: () => explain(error) });
    }
  }

  playAll() {
    const parts = [];
    for (let from = 0; from < this.held.duration_ms; from += LONGEST_STRETCH_MS) {
      parts.push({ start_ms: from, end_ms: Math.min(this.held.duration_ms, from + LONGEST_STRETCH_MS) });
    }
    this.playParts(parts);
  }

  /** Plays stretches; what was erased in its time is said instead. */
  playParts(parts) {
    const erased = this.held?.sound?.erased_at;
    if (erased) notice("player", "wait", "sound.erased_long", { when: () => when(erased) });
    else void play(this.id, parts);
  }

  playSegment(segment) {
    const all = timeOf(segment, { start: 0, end: Infinity });
    this.transcript.mark([{ segment: segment.id, start: 0, end: Infinity }], { reveal: false });
    if (all && this.id) this.playParts([all]);
  }

  /** Marks the words that a line rests on and plays them. */
  select(evidence, reveal) {
    if (reveal) showTab("transcript");
    this.transcript.mark(evidence);
    const parts = stretches(evidence, this.transcript.segments);
    if (!reveal && this.id && parts.length > 0) this.playParts(parts);
  }

  async quiet() {
    if (await this.session?.holdForPlaying()) notice("playing", "wait", "player.held");
  }

  async listenAgain() {
    dismiss("playing");
    try {
      await this.session?.goOnAfterPlaying();
    } catch (error) {
      notice("held", "bad", error.code ?? "mic.failed", { name: error.name });
    }
  }

  /** Saves a change of what was seen in a version of the note. Resolves to the newer note when someone has changed the same line. */
  async edit(edit, version, called) {
    const { held } = this;
    const newer = await this.desk.ask(edit, version, called);
    if (this.held === held) {
      Object.assign(this.note, { note: held.note, desk: held.desk });
      this.draw();
    }
    return newer;
  }

  draw() {
    if (this.session && this.session.phase !== "closed") {
      drawSession(this.session);
      this.network();
    } else if (this.held) {
      drawRecording(this.held);
      void suggestLearned(this.held, (edit, version) => this.desk.change(edit, "desk.coded", version));
    }
    const live = this.session !== null;
    const settled = !live && this.held !== null;
    this.visits.banner(this.held?.banner ?? this.banner, {
      moves: this.held?.moves ?? [],
      move: settled ? () => this.move() : null,
      edit: settled ? () => this.editPatient() : null,
    });
    if (this.held?.typed) $("transcript-empty").textContent = t("visit.typed_transcript");
    $("note-tag").textContent = live ? t("note.draft") : "";
    document.body.classList.toggle("live", live);
    // Seen from another tab: that something is recorded, and no more.
    document.title = this.session?.phase === "recording" ? "● cantoscribe" : "cantoscribe";
    void keepAwake(this.session?.phase === "recording");
  }

  /** Says how the connection is, and how much waits. */
  network() {
    const { line, phase, fromFile, waiting_s, id } = this.session;
    const n = Math.ceil(waiting_s);
    if (phase === "erasing" || phase === "stopped") {
      dismiss("net");
    } else if (line === "offline") {
      this.wasOffline = true;
      const microphone = n === 0 ? "net.offline_idle" : OFFLINE[phase] ?? "net.offline";
      const key = fromFile ? "net.offline_file" : microphone;
      notice("net", "wait", key, { n });
      if (id === null && this.session.room.tries >= 3) void this.suspectRefusal();
    } else if (line === "open" && this.wasOffline && id !== null) {
      if (!fromFile && n > 3) {
        notice("net", "wait", "net.catching_up", { n });
      } else {
        this.wasOffline = false;
        notice("net", "good", "net.back");
      }
    }
  }
}

const OFFLINE = { paused: "net.offline_paused", finishing: "net.offline_finishing" };
/** For a microphone that is opened and not listened to yet. */
const IDLE = { level: () => {}, chunk: () => {}, lost: () => {}, muted: () => {}, stopped: () => {} };
