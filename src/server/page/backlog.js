// What the microphone heard and the server has not acknowledged. A source of sound for `Room`.

/** Longest stretch that is kept in memory: an hour, at 48 kHz 346 MB. When it is full recording pauses; nothing is thrown away. */
export const LONGEST_S = 3600;

export class Backlog {
  /** A recording that was begun otherwise (by a file) goes on in its own format: then the sound is written so to all its channels. */
  constructor({ rate, format = "pcm_s16le", channels = 1 }) {
    this.format = format;
    this.rate = rate;
    this.channels = channels;
    this.frame = channels * (format === "pcm_f32le" ? 4 : 2);
    this.start = 0;
    this.end = 0;
    this.safe = 0;
    this.chunks = [];
    this.breaks = new Set();
    this.closed = false;
    this.onmore = () => {};
  }

  /** A recording that the server holds already goes on at its `samples`. */
  startAt(samples) {
    if (this.end !== 0) return;
    this.start = this.end = this.safe = samples;
  }

  get full() {
    return this.end - this.safe >= LONGEST_S * this.rate;
  }

  get waiting_s() {
    return (this.end - this.safe) / this.rate;
  }

  /** Keeps a chunk of 16-bit samples. */
  push(pcm) {
    this.chunks.push({ start: this.end, pcm });
    this.end += pcm.length;
    this.onmore();
  }

  /** The room is paused here. */
  pause() {
    this.breaks.add(this.end);
    this.onmore();
  }

  pausedAt(position) {
    return this.breaks.has(position);
  }

  /** Nothing more will come. */
  close() {
    this.closed = true;
    this.onmore();
  }

  get complete() {
    return this.closed;
  }

  /** The bytes from `position` to the end of its chunk, or null when nothing more is there yet. */
  async read(position) {
    const chunk = this.chunks[this.find(position)];
    if (!chunk) return null;
    const rest = chunk.pcm.subarray(position - chunk.start);
    if (this.frame === 2) return new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength);
    const all = new (this.format === "pcm_f32le" ? Float32Array : Int16Array)(rest.length * this.channels);
    const scale = this.format === "pcm_f32le" ? 1 / 32768 : 1;
    all.forEach((_, i) => (all[i] = rest[Math.floor(i / this.channels)] * scale));
    return new Uint8Array(all.buffer);
  }

  /** Index of the chunk that holds `position`. */
  find(position) {
    let [low, high] = [0, this.chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { start, pcm } = this.chunks[middle];
      if (position < start) high = middle;
      else if (position >= start + pcm.length) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** The server has everything before `samples` on its disk: forget it. */
  acknowledge(samples) {
    if (samples <= this.safe) return;
    this.safe = Math.min(samples, this.end);
    let count = 0;
    while (count < this.chunks.length && this.chunks[count].start + this.chunks[count].pcm.length <= this.safe) count += 1;
    this.chunks.splice(0, count);
    this.start = this.chunks[0]?.start ?? this.end;
    for (const at of this.breaks) if (at < this.safe) this.breaks.delete(at);
  }
}
