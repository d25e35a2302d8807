// The microphone: which there are, opening one, its level and its sound.

// The browser's echo cancelling, noise suppression and gain control are made for calls. They swallow the far speaker in a room, eat
// quiet consonants and change the level while someone talks, and each browser does it otherwise. The model was trained on plain sound.
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Longest that a browser may take to let sound through. */
const STARTING_MS = 4000;

/** Why there is no microphone; `code` is a text of the page. */
export class MicrophoneProblem extends Error {
  constructor(code, name = "") {
    super(code);
    this.code = code;
    this.name = name;
  }
}

const CODES = {
  NotFoundError: "mic.none",
  NotAllowedError: "mic.refused",
  SecurityError: "mic.refused",
  NotReadableError: "mic.busy",
  AbortError: "mic.busy",
  OverconstrainedError: "mic.gone_device",
};

/** The microphones; their names are empty until the user has said yes once. */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((device) => device.kind === "audioinput");
}

/** Whether the user has said yes before, so that opening one asks nothing. */
export async function allowed() {
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state === "granted";
  } catch {
    return false;
  }
}

export function onDevices(listener) {
  navigator.mediaDevices?.addEventListener?.("devicechange", listener);
}

async function stream(deviceId) {
  if (!window.isSecureContext) throw new MicrophoneProblem("mic.insecure");
  if (!navigator.mediaDevices?.getUserMedia || typeof AudioWorkletNode === "undefined") throw new MicrophoneProblem("mic.old");
  const which = deviceId ? { deviceId: { exact: deviceId } } : {};
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...PLAIN, ...which }, video: false });
  } catch (error) {
    throw new MicrophoneProblem(CODES[error.name] ?? "mic.failed", error.name);
  }
}

export class Microphone {
  /**
   * Opens a microphone at its own rate, or at `rate` where a recording goes on, whose level is heard at once and whose sound only after `capture`. `on` has `level(0..1)`, `chunk(Int16Array)`,
   * `lost()` when it is unplugged, `muted(bool)` and `stopped()` when the browser suspends the page's sound.
   */
  static async open(deviceId, on, rate = undefined) {
    const media = await stream(deviceId);
    const context = new AudioContext(rate ? { sampleRate: rate } : {});
    try {
      await context.audioWorklet.addModule("/assets/capture-worklet.js");
      return new Microphone(media, context, on);
    } catch (error) {
      for (const track of media.getTracks()) track.stop();
      void context.close();
      throw new MicrophoneProblem(error.name === "NotSupportedError" && rate ? "mic.rate" : "mic.failed", error.name);
    }
  }

  constructor(media, context, on) {
    this.media = media;
    this.context = context;
    this.on = on;
    this.closed = false;
    this.waiting = [];
    this.node = new AudioWorkletNode(context, "capture", { numberOfInputs: 1, numberOfOutputs: 1 });
    this.node.port.onmessage = ({ data }) => this.hear(data);
    this.source = context.createMediaStreamSource(media);
    // The node writes nothing, so this plays silence; without a way to the loudspeaker some browsers do not run it.
    this.source.connect(this.node).connect(context.destination);
    const [track] = media.getAudioTracks();
    track.onended = () => this.closed || this.on.lost();
    track.onmute = () => this.closed || this.on.muted(true);
    track.onunmute = () => this.closed || this.on.muted(false);
    context.onstatechange = () => this.closed || context.state === "running" || this.on.stopped();
  }

  get rate() {
    return this.context.sampleRate;
  }

  get deviceId() {
    return this.media.getAudioTracks()[0]?.getSettings?.().deviceId ?? "";
  }

  hear(data) {
    if (data.pcm) this.on.chunk(data.pcm);
    else if (data.held) for (const done of this.waiting.splice(0)) done();
    else if ("peak" in data) this.on.level(data.peak);
  }

  /** From here on the sound is given to `on.chunk`. */
  async capture() {
    // A browser that finds no way to run its sound lets this wait for ever, without a word.
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, STARTING_MS))]);
    if (this.context.state !== "running") throw new MicrophoneProblem("mic.stopped");
    this.node.port.postMessage("capture");
  }

  /** Stops giving sound; resolves after the last chunk was given, or after a second if the audio thread stands still. */
  hold() {
    return new Promise((done) => {
      const timer = setTimeout(done, 1000);
      this.waiting.push(() => {
        clearTimeout(timer);
        done();
      });
      this.node.port.postMessage("hold");
    });
  }

  close() {
    this.closed = true;
    for (const track of this.media.getTracks()) track.stop();
    void this.context.close();
  }
}
