// The sound that the browser's fake microphone plays and that files hold.
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";

/** The samples of a 16-bit mono WAV file. */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [tag, size] = [bytes.toString("latin1", at, at + 4), view.getUint32(at + 4, true)];
    if (tag === "fmt ") rate = view.getUint32(at + 12, true);
    if (tag === "data") return { rate, samples: new Int16Array(bytes.buffer.slice(bytes.byteOffset + at + 8, bytes.byteOffset + at + 8 + (size & ~1))) };
    at += 8 + size + (size % 2);
  }
  throw new Error("no sound in a WAV file");
}

export function toWav(rate, samples) {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length * 2, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length * 2, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}

/** Clips one after the other with a second of silence between them, and one before: utterances that end. */
export function joined(files) {
  const clips = files.map((file) => readWav(readFileSync(file)));
  const [{ rate }] = clips;
  const silence = new Int16Array(rate);
  const parts = clips.flatMap(({ samples }) => [silence, samples]);
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0) + rate);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return { rate, samples: all };
}

/** English sentences by espeak-ng, which Whisper base understands; null where that program is missing. */
export function spoken(text, file) {
  try {
    execFileSync("espeak-ng", ["-v", "en-gb", "-s", "140", "-w", file, text], { stdio: "ignore" });
  } catch {
    return null;
  }
  return readWav(readFileSync(file));
}

export function save(file, { rate, samples }) {
  writeFileSync(file, toWav(rate, samples));
  return file;
}

/** A file of so many bytes that takes no room on the disk. */
export function sparse(file, size) {
  const handle = openSync(file, "w");
  ftruncateSync(handle, size);
  closeSync(handle);
  return file;
}
