// The connection of one recording: sends what a source of sound holds, keeps its place by the server's acknowledgements, and comes back
// after a break. It knows nothing of the page; `on` is told what happens.

/** Most that may be sent and not acknowledged, so that a long file or a long break does not fill the browser's own buffers. */
const WINDOW_BYTES = 4 * 2 ** 20;
/** Acknowledgements come within half a second; after this long without one the line is dead, whatever the browser thinks. */
const DEAD_MS = 8000;
const OPENING_MS = 10000;
/** After `finish` the last words may take a while; asking again does no harm. */
const FINISHING_MS = 30000;
const DELAYS_MS = [300, 700, 1500, 3000, 5000];
/** Faults that waiting may mend: the connection is tried again. */
const PASSING = new Set(["internal", "no_room", "disk_low"]);

export class Room {
  /**
   * `source` gives the sound (`Backlog`, a file). `encounter` is the visit that a new recording belongs to. `held` is `{id, token}` when the recording exists. `on` has `state(name)`, `ready`,
   * `ack`, `partial`, `final`, `note`, `end`, `erased`, `problem(code, passing)` and `fault(error)` when the source cannot be read.
   */
  constructor({ source, language, encounter = null, held, on }) {
    this.source = source;
    this.language = language;
    this.encounter = encounter;
    this.id = held?.id ?? null;
    this.token = held?.token ?? null;
    this.on = on;
    this.socket = null;
    this.ready = false;
    this.over = false;
    this.tries = 0;
    this.cursor = 0;
    this.saidPaused = null;
    this.wish = null;
    this.said = null;
    this.pumping = false;
    this.again = false;
    this.heardAt = 0;
    source.onmore = () => this.pump();
    this.watch = setInterval(() => this.check(), 1000);
    this.online = () => this.retryNow();
    addEventListener("online", this.online);
    this.connect();
  }

  /** After all the sound: the recording is complete. */
  finish() {
    this.wish = "finish";
    void this.pump();
  }

  /** Stops sending at once and asks for everything to be erased; false when there is no connection to ask over. */
  cancel() {
    this.wish = "cancel";
    if (this.ready) this.say("cancel");
    return this.ready;
  }

  /** Leaves the recording as it is; no more is heard of it. */
  leave() {
    this.over = true;
    clearInterval(this.watch);
    clearTimeout(this.timer);
    removeEventListener("online", this.online);
    this.source.onmore = () => {};
    this.drop();
  }

  /** Comes back at once, after a fault that stopped it. */
  retryNow() {
    if (this.over || this.socket) return;
    clearTimeout(this.timer);
    this.connect();
  }

  connect() {
    const address = new URL("/v1/listen", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const { format, rate, channels } = this.source;
    const query = this.id ? { recording: this.id } : { rate, channels, format, language: this.language };
    if (!this.id && this.encounter) query.encounter = this.encounter;
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    this.on.state("connecting");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.ready = false;
    this.problem = null;
    this.heardAt = performance.now();
    socket.onopen = () => this.id && socket.send(JSON.stringify({ type: "resume", token: this.token }));
    socket.onmessage = ({ data }) => socket === this.socket && this.receive(data);
    socket.onclose = () => socket === this.socket && this.broken();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    socket?.close();
  }

  broken() {
    this.drop();
    if (this.over) return;
    if (this.problem && !this.problem.passing) {
      this.on.state("stopped");
      return;
    }
    this.on.state("offline");
    const delay = DELAYS_MS[Math.min(this.tries, DELAYS_MS.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.connect(), delay * (0.8 + Math.random() * 0.2));
  }

  /** A cable that was pulled closes nothing: without an answer in time the connection is given up. */
  check() {
    if (!this.socket) return;
    const silent = performance.now() - this.heardAt;
    const owed = this.cursor > this.source.safe || this.said !== null;
    const patience = !this.ready ? OPENING_MS : this.said === "finish" ? FINISHING_MS : DEAD_MS;
    if ((owed || !this.ready) && silent > patience) this.broken();
  }

  receive(data) {
    this.heardAt = performance.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    switch (message.type) {
      case "ready":
        this.begin(message);
        break;
      case "ack":
        this.source.acknowledge(message.samples);
        this.on.ack();
        void this.pump();
        break;
      case "error":
        this.refused(message);
        break;
      case "end":
      case "erased":
        this.leave();
        this.on[message.type](message);
        break;
      case "partial":
      case "final":
      case "note":
        this.on[message.type](message);
        break;
      default: // a newer server may say more than we know
    }
  }

  begin({ recording, token, samples }) {
    const back = this.id !== null;
    this.id = recording;
    this.token = token ?? this.token;
    this.source.startAt(samples);
    this.source.acknowledge(samples);
    this.cursor = samples;
    // Whether the server still holds the room as paused is not said: the next sound is announced in any case.
    this.saidPaused = back ? null : false;
    this.said = null;
    this.ready = true;
    this.tries = 0;
    this.on.ready(back);
    this.on.state("open");
    if (this.wish === "cancel") this.say("cancel");
    else void this.pump();
  }

  refused({ code, fatal }) {
    // What may not be erased stays, and may be gone on with.
    if (code === "on_hold") this.wish = null;
    if (fatal) this.problem = { code, passing: PASSING.has(code) };
    this.on.problem(code, !fatal || this.problem.passing);
  }

  say(type) {
    this.socket.send(JSON.stringify({ type }));
    this.said = type === "pause" || type === "unpause" ? this.said : type;
  }

  /** Sends what there is to send, one run at a time. */
  async pump() {
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.again) {
        this.again = false;
        await this.send();
      }
    } catch (error) {
      this.on.fault(error);
    } finally {
      this.pumping = false;
    }
  }

  async send() {
    while (this.ready && this.wish !== "cancel" && this.said === null) {
      const { socket, source, cursor } = this;
      if (source.pausedAt(cursor) && this.saidPaused !== cursor) {
        this.say("pause");
        this.saidPaused = cursor;
      }
      if ((cursor - source.safe) * source.frame > WINDOW_BYTES || socket.bufferedAmount > WINDOW_BYTES) return;
      const bytes = await source.read(cursor);
      // The connection may have broken and begun anew while the disk was read.
      if (socket !== this.socket || cursor !== this.cursor || !this.ready) continue;
      if (bytes === null) {
        if (this.wish === "finish" && source.complete && cursor >= source.end) this.say("finish");
        return;
      }
      if (this.saidPaused !== false) {
        this.say("unpause");
        this.saidPaused = false;
      }
      socket.send(bytes);
      this.cursor += bytes.byteLength / source.frame;
    }
  }
}
