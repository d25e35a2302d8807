// A recording that was dropped on the page or chosen: opened as a source of sound for `Room`.
import { FileProblem } from "./file-problem.js";
import { openWav } from "./wav.js";

/** Largest WAV file: its size field cannot say more than twice this, and half of all readers stop here. */
const LARGEST_WAV = 2 * 2 ** 30;
/** Other kinds are decoded as a whole, into memory: 2 hours of stereo at 16 kHz are 920 MB. */
const LARGEST_OTHER = 200 * 2 ** 20;
const LONGEST_OTHER_S = 2 * 3600;
/** What the server would resample to in any case. */
const DECODED_RATE = 16000;
const READ_FRAMES = 16 * 1024;

/** Opens a file, or throws the `FileProblem` that says what is wrong with it and what to do. */
export async function openFile(file) {
  if (file.size === 0) throw new FileProblem("file.empty", file);
  if (file.size > LARGEST_WAV) throw new FileProblem("file.too_big", file);
  try {
    const wav = await openWav(file);
    if (wav) return wav;
  } catch (error) {
    if (error instanceof FileProblem) throw error;
    throw new FileProblem("file.unreadable", file);
  }
  if (file.size > LARGEST_OTHER) throw new FileProblem("file.too_big", file);
  return decoded(file);
}

async function decoded(file) {
  const seconds = await lengthOf(file);
  if (seconds > LONGEST_OTHER_S) throw new FileProblem("file.too_big", file);
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    throw new FileProblem("file.unreadable", file);
  }
  let sound;
  try {
    sound = await new OfflineAudioContext(1, 1, DECODED_RATE).decodeAudioData(bytes);
  } catch {
    throw new FileProblem("file.unknown", file);
  }
  // A damaged end is dropped by browsers without a word: then there is less sound than the file states. MP3 and AAC state nothing, and
  // what browsers guess from their first frames is often wrong.
  const states = !/mpeg|mp3|aac/i.test(`${file.type} ${file.name}`) && Number.isFinite(seconds);
  if (states && sound.duration < seconds - 1) throw new FileProblem("file.damaged", file);
  if (sound.length === 0) throw new FileProblem("file.empty", file);
  return new DecodedSource(sound);
}

/** Seconds that the file states, NaN when it states none or is of an unknown kind. */
function lengthOf(file) {
  const address = URL.createObjectURL(file);
  const player = document.createElement("audio");
  return new Promise((done) => {
    setTimeout(done, 5000, NaN);
    player.preload = "metadata";
    player.onloadedmetadata = () => done(player.duration);
    player.onerror = () => done(NaN);
    player.src = address;
  }).finally(() => {
    player.removeAttribute("src");
    URL.revokeObjectURL(address);
  });
}

class DecodedSource {
  constructor(sound) {
    this.tracks = Array.from({ length: sound.numberOfChannels }, (_, channel) => sound.getChannelData(channel));
    this.format = "pcm_f32le";
    this.rate = sound.sampleRate;
    this.channels = 1;
    this.frame = 4;
    this.end = sound.length;
    this.safe = 0;
    this.complete = true;
    this.onmore = () => {};
  }

  startAt() {}

  pausedAt() {
    return false;
  }

  acknowledge(samples) {
    this.safe = Math.max(this.safe, samples);
  }

  async read(position) {
    if (position >= this.end) return null;
    const count = Math.min(READ_FRAMES, this.end - position);
    const out = new DataView(new ArrayBuffer(count * 4));
    for (let i = 0; i < count; i += 1) {
      let sum = 0;
      for (const track of this.tracks) sum += track[position + i];
      out.setFloat32(i * 4, sum / this.tracks.length, true);
    }
    return new Uint8Array(out.buffer);
  }
}
