// The page's parts that need no browser: spans and times, what waits for the server, WAV files.
import { Backlog } from "./page/backlog.js";
import { pieces, quote, stretches, timeOf } from "./page/evidence.js";
import { openWav } from "./page/wav.js";
import { check, expect, same } from "./harness.mjs";

export async function parts() {
  await check("spans count characters, not the units of JavaScript's strings", spans);
  await check("times come from words where there are any, else from the segment", times);
  await check("what is not acknowledged is kept, and read from any place", kept);
  await check("a pause is found again where it was", paused);
  await check("WAV files of every kind are read exactly", kinds);
  await check("a WAV file that states too much, too little or nothing is told from a whole one", broken);
}

// The third character lies beyond the 16 bits of a unit.
const SEGMENT = {
  id: 7,
  text: "隻腳好𨂾，痛咗三日。",
  start_ms: 1000,
  end_ms: 5000,
  words: [
    { text: "隻腳", start_ms: 1000, end_ms: 1400 },
    { text: "好𨂾", start_ms: 1500, end_ms: 2000 },
    { text: " 痛", start_ms: 2600, end_ms: 3000 },
    { text: "咗三日", start_ms: 3000, end_ms: 4000 },
  ],
};

function spans() {
  same(quote(SEGMENT, { start: 5, end: 6 }), "痛", "a quotation");
  const found = pieces(SEGMENT.text, [{ start: 2, end: 4 }, { start: 5, end: 6 }]);
  same(found.filter(({ marked }) => marked).map(({ text }) => text), ["好𨂾", "痛"], "what is marked");
  same(found.map(({ text }) => text).join(""), SEGMENT.text, "the pieces together");
  same(pieces("痛", [{ start: 0, end: Infinity }]), [{ text: "痛", marked: true }], "a whole line");
}

function times() {
  same(timeOf(SEGMENT, { start: 5, end: 6 }), { start_ms: 2350, end_ms: 3250 }, "one word");
  same(timeOf(SEGMENT, { start: 3, end: 6 }), { start_ms: 1250, end_ms: 3250 }, "from within a word");
  same(timeOf({ ...SEGMENT, words: [] }, { start: 5, end: 6 }), { start_ms: 750, end_ms: 5250 }, "no words");
  same(timeOf({ id: 1, text: "痛" }, { start: 0, end: 1 }), null, "typed text");
  const said = ["食", "五百", "毫克", "一日", "五", "次"].map((text, at) => ({ text, start_ms: 1000 * at + 1000, end_ms: 1000 * at + 2000 }));
  const digits = { id: 2, text: "食500 mg 一日五次", start_ms: 1000, end_ms: 7000, words: said };
  same(timeOf(digits, { start: 1, end: 4 }), { start_ms: 1750, end_ms: 4250 }, "a number in digits");
  same(timeOf(digits, { start: 8, end: 10 }), { start_ms: 3750, end_ms: 5250 }, "what comes after it");
  const far = { id: 8, text: "痛", start_ms: 60000, end_ms: 61000 };
  const segments = new Map([[7, SEGMENT], [8, far]]);
  const evidence = [{ segment: 8, start: 0, end: 1 }, { segment: 7, start: 5, end: 6 }, { segment: 7, start: 0, end: 2 }, { segment: 9, start: 0, end: 1 }];
  same(stretches(evidence, segments), [{ start_ms: 750, end_ms: 3250 }, { start_ms: 59750, end_ms: 61250 }], "stretches in order, near ones joined");
}

const numbers = (bytes) => [...new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)];

async function kept() {
  const backlog = new Backlog({ rate: 10 });
  for (let first = 0; first < 30; first += 3) backlog.push(Int16Array.of(first, first + 1, first + 2));
  same(numbers(await backlog.read(0)), [0, 1, 2], "the first chunk");
  same(numbers(await backlog.read(4)), [4, 5], "from within a chunk");
  same(await backlog.read(30), null, "beyond the end");
  backlog.acknowledge(16);
  same(backlog.chunks.length, 5, "chunks kept");
  same(numbers(await backlog.read(16)), [16, 17], "from the acknowledged place");
  backlog.acknowledge(10);
  same([backlog.safe, backlog.end], [16, 30], "an older acknowledgement");
  expect(!backlog.full, "an hour is not there yet");
  for (let chunk = 0; chunk < 3600; chunk += 1) backlog.push(new Int16Array(10));
  expect(backlog.full, "an hour and more waits");
  backlog.acknowledge(backlog.end);
  same([backlog.chunks.length, backlog.full], [0, false], "everything acknowledged");
  const later = new Backlog({ rate: 10, format: "pcm_f32le", channels: 2 });
  later.startAt(100);
  later.push(Int16Array.of(16384, -32768));
  const bytes = await later.read(100);
  same([...new Float32Array(bytes.buffer)], [0.5, 0.5, -1, -1], "in the format of the recording");
  same([later.frame, later.end], [8, 102], "its frame and end");
}

function paused() {
  const backlog = new Backlog({ rate: 10 });
  backlog.push(new Int16Array(5));
  backlog.pause();
  backlog.push(new Int16Array(5));
  backlog.acknowledge(5);
  same([backlog.pausedAt(5), backlog.pausedAt(10)], [true, false], "while its place is the next to be sent");
  backlog.acknowledge(6);
  same(backlog.pausedAt(5), false, "after it");
}

/** A WAV file with a chunk of odd length before its sound. */
function wav({ code, bits, channels, values, extensible = false, size = undefined }) {
  const wide = bits / 8;
  const data = new DataView(new ArrayBuffer(values.length * wide));
  values.forEach((value, i) => {
    if (code === 3) data.setFloat32(i * 4, value, true);
    else if (bits === 16) data.setInt16(i * 2, value, true);
    else if (bits === 32) data.setInt32(i * 4, value, true);
    else {
      data.setInt8(i * 3 + 2, value >> 16);
      data.setUint16(i * 3, value & 0xffff, true);
    }
  });
  const format = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  format.setUint16(0, extensible ? 0xfffe : code, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, 16000, true);
  format.setUint16(12, channels * wide, true);
  format.setUint16(14, bits, true);
  if (extensible) format.setUint16(24, code, true);
  const chunk = (tag, bytes, stated = bytes.byteLength) => {
    const head = new DataView(new ArrayBuffer(8));
    [...tag].forEach((letter, i) => head.setUint8(i, letter.charCodeAt(0)));
    head.setUint32(4, stated, true);
    return [head.buffer, bytes, new ArrayBuffer(bytes.byteLength % 2)];
  };
  const body = [...chunk("fmt ", format.buffer), ...chunk("LIST", new ArrayBuffer(5)), ...chunk("data", data.buffer, size)];
  return Object.assign(new Blob([...chunk("RIFF", new ArrayBuffer(0)).slice(0, 1), "WAVE", ...body]), { name: "x.wav" });
}

async function all(source) {
  const bytes = await source.read(0);
  return source.format === "pcm_s16le" ? numbers(bytes) : [...new Float32Array(bytes.buffer)];
}

async function kinds() {
  const short = await openWav(wav({ code: 1, bits: 16, channels: 2, values: [1, -2, 3, -32768] }));
  same([short.format, short.channels, short.rate, short.end, short.frame], ["pcm_s16le", 2, 16000, 2, 4], "16 bits");
  same(await all(short), [1, -2, 3, -32768], "16 bits");
  same(numbers(await short.read(1)), [3, -32768], "from the second sample");
  const wide = await openWav(wav({ code: 1, bits: 24, channels: 1, values: [4194304, -8388608, 1, -1] }));
  same(await all(wide), [0.5, -1, 1 / 2 ** 23, -1 / 2 ** 23], "24 bits");
  same(await all(await openWav(wav({ code: 1, bits: 32, channels: 1, values: [1073741824, -2147483648] }))), [0.5, -1], "32 bits");
  same(await all(await openWav(wav({ code: 3, bits: 32, channels: 1, values: [0.25, -1.5] }))), [0.25, -1.5], "floats");
  same(await all(await openWav(wav({ code: 1, bits: 16, channels: 1, values: [5], extensible: true }))), [5], "the extensible form");
  same(await all(await openWav(wav({ code: 1, bits: 16, channels: 1, values: [5, 6], size: 0xffffffff }))), [5, 6], "written to a pipe");
  same(await openWav(Object.assign(new Blob(["fLaC and so on, no WAV"]), { name: "x.flac" })), null, "no WAV file");
  same(await openWav(wav({ code: 6, bits: 16, channels: 1, values: [5] })), null, "a kind that is left to the browser");
}

async function broken() {
  const code = async (blob) => openWav(blob).then(() => "whole", (error) => error.code);
  same(await code(wav({ code: 1, bits: 16, channels: 1, values: [1, 2], size: 10 })), "file.damaged", "more stated than there is");
  same(await code(wav({ code: 1, bits: 16, channels: 1, values: [] })), "file.empty", "no sound");
  same(await code(Object.assign(new Blob(["RIFF\0\0\0\0WAVE"]), { name: "x.wav" })), "file.damaged", "no chunks");
  const notFinite = await openWav(wav({ code: 3, bits: 32, channels: 1, values: [0, NaN] }));
  same(await notFinite.read(0).then(() => "read", (error) => error.code), "file.damaged", "a float that is no number");
}
