// WAV files, read a slice at a time, so that a file of 2 GiB needs no memory. 16-bit sound goes out as it is; 24-bit, 32-bit and float
// as 32-bit floats, which hold 24 bits exactly.
import { FileProblem } from "./file-problem.js";

const SLICE_FRAMES = 32 * 1024;
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

const tag = (view, at) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
const view = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer());

/** Where the sound of a WAV file is and what it is made of; null when the file is no WAV, or of a kind that is left to the browser. */
async function layout(file) {
  const head = await view(file, 0, 12);
  if (head.byteLength < 12 || tag(head, 0) !== "RIFF" || tag(head, 8) !== "WAVE") return null;
  let format = null;
  for (let at = 12; at + 8 <= file.size; ) {
    const chunk = await view(file, at, at + 48);
    const size = chunk.getUint32(4, true);
    if (tag(chunk, 0) === "fmt " && chunk.byteLength >= 24) format = described(chunk, size);
    if (tag(chunk, 0) === "data") return format && { ...format, at: at + 8, size: stated(file, at + 8, size) };
    at += 8 + size + (size % 2);
  }
  throw new FileProblem("file.damaged", file);
}

function described(chunk, size) {
  let code = chunk.getUint16(8, true);
  if (code === EXTENSIBLE && size >= 40 && chunk.byteLength >= 34) code = chunk.getUint16(32, true);
  const [channels, rate, bits] = [chunk.getUint16(10, true), chunk.getUint32(12, true), chunk.getUint16(22, true)];
  const known = (code === PCM && [16, 24, 32].includes(bits)) || (code === FLOAT && bits === 32);
  return known && channels >= 1 && channels <= 8 && rate >= 8000 && rate <= 192000 ? { code, channels, rate, bits } : null;
}

/** The length of the sound. A program that wrote to a pipe leaves the greatest number there: then it goes to the end. */
function stated(file, at, size) {
  if (size === 0xffffffff) return file.size - at;
  if (at + size > file.size) throw new FileProblem("file.damaged", file);
  return size;
}

/** The file as a source of sound for `Room`, or null when it is not such a WAV file. */
export async function openWav(file) {
  const found = await layout(file);
  return found && new WavSource(file, found);
}

class WavSource {
  constructor(file, { code, channels, rate, bits, at, size }) {
    this.file = file;
    this.at = at;
    this.channels = channels;
    this.rate = rate;
    this.wide = (bits / 8) * channels;
    this.sample = SAMPLES[`${code}/${bits}`];
    this.format = bits === 16 ? "pcm_s16le" : "pcm_f32le";
    this.frame = (bits === 16 ? 2 : 4) * channels;
    this.end = Math.floor(size / this.wide);
    this.safe = 0;
    this.complete = true;
    this.onmore = () => {};
    if (this.end === 0) throw new FileProblem("file.empty", file);
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
    const to = Math.min(this.end, position + Math.max(1, Math.floor(SLICE_FRAMES / this.channels)));
    const bytes = await this.slice(this.at + position * this.wide, this.at + to * this.wide);
    if (this.format === "pcm_s16le") return new Uint8Array(bytes);
    const [from, count] = [new DataView(bytes), (to - position) * this.channels];
    const out = new DataView(new ArrayBuffer(count * 4));
    for (let i = 0; i < count; i += 1) {
      const value = this.sample(from, i);
      if (!(Math.abs(value) <= 65536)) throw new FileProblem("file.damaged", this.file);
      out.setFloat32(i * 4, value, true);
    }
    return new Uint8Array(out.buffer);
  }

  async slice(from, to) {
    let bytes;
    try {
      bytes = await this.file.slice(from, to).arrayBuffer();
    } catch {
      throw new FileProblem("file.unreadable", this.file);
    }
    if (bytes.byteLength !== to - from) throw new FileProblem("file.unreadable", this.file);
    return bytes;
  }
}

/** One sample as a number between -1 and 1, by the file's format and bits. */
const SAMPLES = {
  "1/16": null,
  "1/24": (from, i) => ((from.getInt8(i * 3 + 2) << 16) | from.getUint16(i * 3, true)) / 2 ** 23,
  "1/32": (from, i) => from.getInt32(i * 4, true) / 2 ** 31,
  "3/32": (from, i) => from.getFloat32(i * 4, true),
};
