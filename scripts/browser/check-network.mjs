// A network that breaks in mid-sentence and a server that is killed: the finals are those of an undisturbed run.
import { chromium, expectStableKept, finish, midSentence, open, readFile, seen, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { Proxy } from "./proxy.mjs";
import { readWav, save } from "./sound.mjs";

export async function network({ server, sound, fed, cut_s, scratch }) {
  const browser = await chromium({ sound });
  const proxy = new Proxy(server);
  await proxy.start();
  const state = { server, proxy, browser, fed, cut_s, scratch };
  try {
    await check(`the network is cut for ${cut_s} s in mid-sentence, then the server is killed: recording goes on, and says so`, () => disturbed(state));
    await check("nothing of the sound is missing", () => whole(state));
    await check("the finals are those of an undisturbed run of the same sound", () => undisturbed(state));
  } finally {
    proxy.stop();
    await browser.close();
  }
}

const offline = (page) => text(page, ".strip[data-subject=net]");

async function disturbed(state) {
  const { browser, proxy, server, cut_s, fed } = state;
  const page = await open(browser, proxy.address);
  const began = Date.now();
  state.id = await start(page, "yue");
  await midSentence(page);
  proxy.interrupt();
  const cutAt = Date.now();
  await until("the page says that it has no connection", async () => /No connection/.test(await offline(page)), 15000);
  await sleep(2500);
  expect(/[2-9]\d* s wait/.test(await offline(page)), `the page does not say how much waits: ${await offline(page)}`);
  same(await text(page, "#room-title"), "Recording, not connected", "the title");
  expect(await page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true }))), "closing the window gives no warning");
  const clock = await text(page, "#clock");
  await sleep(Math.max(0, cut_s * 1000 - (Date.now() - cutAt)));
  expect((await text(page, "#clock")) !== clock, "recording stood still without a connection");
  proxy.mend();
  await until("what waited is saved", async () => /^Saved to/.test(await text(page, "#saved")), 30000);
  await server.kill();
  await until("the page has noticed", async () => /No connection/.test(await offline(page)), 15000);
  await server.start();
  await until("what waited is saved again", async () => /^Saved to/.test(await text(page, "#saved")), 30000);
  await sleep(Math.max(0, (fed.samples.length / fed.rate) * 1000 + 1500 - (Date.now() - began)));
  await finish(page);
  const recording = await server.recording(state.id);
  same(await texts(page, "#lines li .said"), recording.transcript.segments.map((segment) => segment.text), "lines and transcript differ");
  expectStableKept((await seen(page)).stable);
  state.finals = recording.transcript.segments;
  expect(state.finals.length > 1, "hardly anything was heard");
  await page.close();
}

/** How loud each hundredth of a second is. */
function envelope({ rate, samples }) {
  const step = rate / 100;
  return Array.from({ length: Math.floor(samples.length / step) }, (_, at) => {
    let sum = 0;
    for (let i = Math.floor(at * step); i < Math.floor((at + 1) * step); i += 1) sum += samples[i] ** 2;
    return Math.log(1 + Math.sqrt(sum / step));
  });
}

function correlation(a, b) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    ab += (a[i] - meanA) * (b[i] - meanB);
    aa += (a[i] - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

async function whole(state) {
  const { server, id, fed, scratch } = state;
  state.sound = readWav(Buffer.from(await (await fetch(`${server.address}/v1/recordings/${id}/audio`)).arrayBuffer()));
  state.file = save(`${scratch}/captured.wav`, state.sound);
  // The fake microphone began to play when the page showed its level, so the recording is a piece of what it was fed.
  const [heard, played] = [envelope(state.sound), envelope(fed)];
  let best = { value: -1 };
  for (let shift = 0; shift < 1500 && shift + 500 < played.length; shift += 1) {
    const count = Math.min(heard.length, played.length - shift);
    const value = correlation(heard.slice(0, count), played.slice(shift, shift + count));
    if (value > best.value) best = { value, shift, count };
  }
  expect(best.value > 0.9, `what was recorded is not what was played: ${JSON.stringify(best)}`);
}

async function undisturbed({ server, browser, file, finals }) {
  const page = await open(browser, server.address);
  const id = await readFile(page, file, "yue");
  const { transcript } = await server.recording(id);
  const essence = (segments) => segments.map(({ start_ms, end_ms, text: words }) => [start_ms, end_ms, words]);
  same(essence(finals), essence(transcript.segments), "the finals differ");
  await shown(page, "#downloads");
  await page.close();
}
