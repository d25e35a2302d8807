// One recording being made in this window: the microphone or a file, what waits, and the connection. No DOM: `on.change()` says that
// something has to be drawn anew.
import * as api from "./api.js";
import { Backlog } from "./backlog.js";
import { Microphone } from "./microphone.js";
import { Room } from "./socket.js";

/** Sound that is this much behind the clock was not heard by anyone: the computer slept. */
const GAP_S = 1.5;
const ERASE_AGAIN_MS = 3000;

export class Session {
  /** Records from `microphone`, which is open; `held` (`{id, token, format}`) goes on with a recording that exists. */
  static microphone({ microphone, deviceId, language, encounter, held, on }) {
    const source = new Backlog({ rate: microphone.rate, ...held?.format });
    const session = new Session({ source, language, encounter, held, on, microphone, deviceId });
    microphone.on = session.ears();
    void session.listen();
    return session;
  }

  /** Reads a file to its end and finishes. */
  static file({ source, language, encounter, on }) {
    const session = new Session({ source, language, encounter, on });
    session.phase = "file";
    session.room.finish();
    return session;
  }

  constructor({ source, language, encounter = null, held, on, microphone = null, deviceId = "" }) {
    this.source = source;
    this.on = on;
    this.microphone = microphone;
    this.deviceId = deviceId;
    /** `recording`, `paused`, `file`, `finishing`, `erasing`, `stopped`. */
    this.phase = "recording";
    this.line = "connecting";
    this.playing = false;
    this.id = held?.id ?? null;
    this.lag = null;
    this.room = new Room({ source, language, encounter, held, on: this.hooks() });
  }

  hooks() {
    const { on } = this;
    return {
      state: (line) => this.connection(line),
      ready: (back) => {
        this.id = this.room.id;
        on.ready(this.id, back);
      },
      ack: () => on.change(),
      partial: on.partial,
      final: on.final,
      note: on.note,
      end: (message) => this.close(() => on.end(message)),
      erased: () => this.close(() => on.erased()),
      problem: (code, passing) => this.problem(code, passing),
      fault: (error) => this.fault(error),
    };
  }

  /** Seconds that the server does not have yet. */
  get waiting_s() {
    return (this.source.end - this.source.safe) / this.source.rate;
  }

  get fromFile() {
    return !(this.source instanceof Backlog);
  }

  /** Whether closing the window would lose something. */
  get unsafe() {
    return this.phase === "recording" || this.phase === "erasing" || this.waiting_s > 0;
  }

  connection(line) {
    this.line = line;
    this.on.change();
  }

  async listen() {
    this.phase = "recording";
    this.lag = null;
    try {
      await this.microphone.capture();
    } catch {
      this.hold("mic.stopped");
    }
    this.on.change();
  }

  /** What the microphone tells; the owner of the page opens it with these. */
  ears() {
    return {
      level: (peak) => this.on.level(peak),
      chunk: (pcm) => this.hear(pcm),
      lost: () => this.hold("mic.lost", true),
      muted: (muted) => this.on.muted(muted),
      stopped: () => this.phase === "recording" && !this.playing && this.hold("mic.stopped"),
    };
  }

  hear(pcm) {
    if (this.phase === "erasing" || this.phase === "closed") return;
    this.source.push(pcm);
    this.measure();
    if (this.source.full && this.phase === "recording") this.hold("net.full");
    this.on.change();
  }

  /** Compares the sound that came with the time that went by. */
  measure() {
    // The time of day, because the other clock stands still while a computer sleeps.
    const lag = Date.now() / 1000 - this.source.end / this.source.rate;
    if (this.lag !== null && lag - this.lag > GAP_S) this.on.gap(Math.round(lag - this.lag));
    if (this.lag === null || lag - this.lag > GAP_S) this.lag = lag;
    this.lag = Math.min(this.lag, lag);
  }

  /** Pauses for a reason that the user has to know. */
  async hold(reason, gone = false) {
    if (this.phase === "recording" || this.phase === "paused") this.on.held(reason);
    await this.pause();
    if (gone) this.silence();
  }

  async pause() {
    if (this.phase !== "recording") return;
    this.phase = "paused";
    this.on.change();
    await this.microphone?.hold();
    this.source.pause();
    this.on.change();
  }

  /** Goes on; opens a microphone anew when the last one is gone. Throws `MicrophoneProblem`. */
  async unpause() {
    if (this.phase !== "paused") return;
    if (this.microphone === null) {
      const { rate } = this.source;
      this.microphone = await Microphone.open(this.deviceId, this.ears(), rate).catch(() => Microphone.open("", this.ears(), rate));
    }
    await this.listen();
  }

  /** While something is played the room is not listened to, so that the loudspeaker is not written down. */
  async holdForPlaying() {
    if (this.phase !== "recording") return false;
    this.playing = true;
    await this.pause();
    return true;
  }

  async goOnAfterPlaying() {
    if (!this.playing) return;
    this.playing = false;
    await this.unpause();
  }

  async finish() {
    this.playing = false;
    await this.pause();
    this.phase = "finishing";
    this.silence();
    this.source.close();
    this.room.finish();
    this.on.change();
  }

  /** Stops at once, forgets what waits, and has everything erased, however long the server cannot be reached. */
  cancel() {
    this.phase = "erasing";
    this.silence();
    this.on.change();
    const asked = this.room.cancel();
    // A connection that is just being opened may still make a recording, which has to go too.
    const wait = asked || this.line === "connecting" ? ERASE_AGAIN_MS : 0;
    this.timer = setTimeout(() => this.erase(), wait);
  }

  async erase() {
    if (this.phase !== "erasing") return;
    try {
      if (this.id !== null) await api.erase(this.id);
      this.close(() => this.on.erased());
    } catch (error) {
      if (error.status === 404) {
        this.close(() => this.on.erased());
        return;
      }
      if (error.code === "on_hold") {
        this.room.refused({ code: error.code, fatal: true });
        return;
      }
      this.on.held("cancel.waiting");
      this.timer = setTimeout(() => this.erase(), ERASE_AGAIN_MS);
    }
  }

  problem(code, passing) {
    if (!passing) this.stop();
    this.on.problem(code, passing);
  }

  /** The file could not be read further. What was read stays on the server, unfinished. */
  fault(error) {
    this.close(() => this.on.fault(error));
  }

  /** A fault that does not pass: recording stops, what waits is kept in the window for another try. */
  stop() {
    void this.pause();
    this.phase = "stopped";
    this.on.change();
  }

  retry() {
    this.phase = this.fromFile ? "file" : this.source.complete ? "finishing" : "paused";
    this.room.retryNow();
    this.on.change();
  }

  silence() {
    this.microphone?.close();
    this.microphone = null;
  }

  /** Lets go of everything; the recording stays on the server as it is. */
  close(then = () => {}) {
    clearTimeout(this.timer);
    this.silence();
    this.phase = "closed";
    this.room.leave();
    then();
  }
}
