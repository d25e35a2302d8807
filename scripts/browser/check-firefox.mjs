// The same page in Firefox: it loads, speaks both languages, and reads a file.
import path from "node:path";

import { firefox, open, readFile, shown, text, texts } from "./browsers.mjs";
import { check, expect, same, until } from "./harness.mjs";

export async function inFirefox({ server, file, shots }) {
  const browser = await firefox();
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
      expect((await texts(page, ".note-text")).some((line) => /headache/i.test(line)), "the note lacks its line");
      await page.evaluate(() => document.querySelector(".note-text").click());
      await shown(page, "#player");
      await until("the sound plays", () => page.evaluate(() => document.getElementById("audio").currentTime > 0 || window.seen.audio.length > 0), 15000);
      await page.screenshot({ path: path.join(shots, "firefox.png") });
      same(page.faults, [], "errors in the console");
      await page.close();
    });
  } finally {
    await browser.close();
  }
}
