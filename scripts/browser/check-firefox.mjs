// The same page in Firefox: it loads, speaks both languages, and reads a file.
import path from "node:path";

import { firefox, open, readFile, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, skip, until } from "./harness.mjs";
import { loudspeaker } from "./loudspeaker.mjs";
import { readWav } from "./sound.mjs";

export async function inFirefox({ server, file, shots }) {
  const speaker = await loudspeaker();
  const browser = await firefox(speaker?.env);
  try {
    await check("Firefox: the page loads and switches its language", async () => {
      const page = await open(browser, server.address);
      await page.click("#language-zh");
      await until("the page is Chinese", async () => (await text(page, "#start")).includes("開始錄音"));
      await page.click("#language-en");
      await until("the page is English", async () => (await text(page, "#start")).includes("Start recording"));
      same(page.faults, [], "errors in the console");
      await page.close();
    });
    await check("Firefox: words and note of a file appear, and a line plays", async () => {
      const page = await open(browser, server.address);
      const id = await readFile(page, file, "en");
      const recording = await server.recording(id);
      same(await texts(page, "#lines li .said"), recording.transcript.segments.map((segment) => segment.text), "lines and transcript differ");
      const lines = recording.note.sections.flatMap((section) => section.sentences.map((sentence) => sentence.text));
      same(await texts(page, ".note-text"), lines, "lines and note differ");
      expect(lines.length > 0, "the note is empty");
      await page.evaluate(() => document.querySelector(".note-text").click());
      await until("the sound plays", () => page.evaluate(() => document.getElementById("audio").currentTime > 0 || window.seen.audio.length > 0), 15000);
      await page.screenshot({ path: path.join(shots, "firefox.png") });
      same(page.faults, [], "errors in the console");
      await page.close();
    });
    if (speaker) await check("Firefox: the microphone is recorded, saved and finished", () => records(browser, server));
    else skip("Firefox: the microphone", "pulseaudio is not installed, and Firefox runs no sound without one");
  } finally {
    await browser.close();
    speaker?.stop();
  }
}

async function records(browser, server) {
  const page = await open(browser, server.address);
  const id = await start(page, "en");
  await until("it is saved", async () => /^Saved to 0:0[2-9]/.test(await text(page, "#saved")), 20000);
  await page.click("#finish");
  await shown(page, "#new", 60000);
  const recording = await until("it is finished", async () => {
    const held = await server.recording(id);
    return held.state === "finished" && held;
  });
  expect(recording.duration_ms > 2000, `only ${recording.duration_ms} ms were recorded`);
  const sound = readWav(Buffer.from(await (await fetch(`${server.address}/v1/recordings/${id}/audio`)).arrayBuffer()));
  expect(sound.samples.some((sample) => Math.abs(sample) > 300), "what was recorded is silence");
  same(page.faults, [], "errors in the console");
  await page.close();
}
