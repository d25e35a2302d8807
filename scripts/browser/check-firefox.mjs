// The same page in Firefox: it loads, speaks both languages, reads a file, and tells of tries to print, copy and pass on a shared note.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { chromium, firefox, open, readFile, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, skip, sleep, until } from "./harness.mjs";
import { loudspeaker } from "./loudspeaker.mjs";
import { json } from "./people.mjs";
import { COPY, Clinics, SAID, saysIt } from "./shared-note.mjs";
import { readWav } from "./sound.mjs";

export async function inFirefox({ server, file, shots, scratch }) {
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
  await sharedView({ binary: server.binary, shots, scratch });
}

/** Whether the picture of a page of a note, which is 893 pixels wide, is in a PDF: nothing else on the page is as wide. */
const hasNote = (pdf) => [...Buffer.from(pdf).toString("latin1").matchAll(/\/Width (\d+)/g)].some(([, width]) => Number(width) >= 893);

/** A shared note in a Firefox that has the session of who is signed in in Chromium, where the passkey is. */
async function sharedView({ binary, shots, scratch }) {
  const paper = path.join(scratch, "paper.pdf");
  const clinics = await Clinics.open({ binary, scratch });
  const [other, browser] = [await chromium(), await firefox({}, { paper })];
  let owner, asker, note, page;
  const lines = async (what, refused) => (await json(owner, "GET", `/v1/patients/${note.patient}/report`)).lines.filter((line) => line.what === what && (line.refused !== null) === refused);
  const tries = async (what) => (await lines(what, true)).length;
  const frame = () => page.frames().find((one) => one.url().includes("/v1/views/"));
  /** What the printer wrote: of a page that was printed, nothing else waits for it. */
  const printed = () => until("it is printed", () => existsSync(paper) && readFileSync(paper).includes("%%EOF") && readFileSync(paper));
  const anew = () => rmSync(paper, { force: true });
  try {
    await check("Firefox: a note that is shared is shown", async () => {
      ({ owner, asker, note } = await clinics.fill(other));
      await clinics.share(other, asker, undefined);
      const session = (await asker.browserContext().cookies()).map(({ name, value, domain, path: where, httpOnly, sameSite }) => ({ name, value, domain, path: where, httpOnly, sameSite }));
      await browser.defaultBrowserContext().setCookie(...session);
      page = await browser.newPage();
      page.faults = [];
      page.on("pageerror", (error) => page.faults.push(error.message));
      await page.goto(`${clinics.server.origin}/sharing`);
      await page.click("#language-en");
      await shown(page, "#shared button[data-note]");
      await page.click("#shared button[data-note]");
      await saysIt(await until("the note is shown", frame));
      await page.screenshot({ path: path.join(shots, "firefox-shared.png") });
    });

    await check("Firefox: tries to print, copy and pass on that the consent does not allow are refused and kept", async () => {
      const view = new URL(frame().url()).pathname;
      // A browser tells of one try in the page and in what it frames.
      await page.evaluate(() => {
        for (const heard of [window, document.getElementById("viewer-page").contentWindow]) heard.dispatchEvent(new Event("beforeprint"));
      });
      await until("it is kept", async () => (await tries("列印")) === 1);
      await until("that it is not allowed is said", async () => (await text(page, "#viewer-over")).includes("does not allow this"));
      await sleep(1100);
      expect(!hasNote(await page.pdf()), "the note is on the paper of the page");
      await until("printing the whole page is kept", async () => (await tries("列印")) === 2);
      let number = 2;
      for (const [what, command] of [["frame", () => frame().evaluate(() => window.print())], ["page", () => page.evaluate(() => window.print())]]) {
        await sleep(1100);
        anew();
        await command();
        expect(!hasNote(await printed()), `the note is on the paper of the ${what}`);
        number += 1;
        await until(`printing the ${what} by its command is kept`, async () => (await tries("列印")) === number);
      }
      for (const [use, what, count] of [["print", "列印", 5], ["forward", "轉交", 1], ["download", COPY, 1]]) {
        await page.click(`#viewer-tools [data-use="${use}"]`);
        await until(`the button to ${use} is kept`, async () => (await tries(what)) === count);
      }
      same(await tries("列印"), 5, "tries to print");
      same(await page.evaluate(async (where) => (await fetch(where)).status, view), 200, "the view that was tried to be printed");
      const alone = await browser.newPage();
      same((await alone.goto(clinics.server.origin + view)).status(), 403, "the view in a window of its own");
      await alone.close();
      same(page.faults, [], "errors of scripts");
    });

    await check("Firefox: a print and copies that the consent allows name their own entries", async () => {
      await clinics.share(other, asker, { print: true, download: true, forward: true });
      await until("both are shared", () => page.$$eval("#shared button[data-note]", (all) => all.length === 2));
      const former = frame().url();
      await page.click("#shared .entry:first-child button[data-note]");
      await saysIt(await until("the note is shown", () => frame() && frame().url() !== former && frame()));
      await frame().evaluate(() => {
        const print = window.print.bind(window);
        window.print = () => {
          window.printed = [document.body.textContent, [...document.querySelectorAll("image")].map((one) => one.href.baseVal.slice(0, 22))];
          print();
        };
      });
      anew();
      await page.click('#viewer-tools [data-use="print"]');
      const [words, pictures] = await until("it is printed", () => frame().evaluate(() => window.printed));
      expect(hasNote(await printed()), "the note is not on the paper");
      const [print] = await lines("列印", false);
      expect(words.includes(SAID) && words.includes(`#${print.entry} · print`), `what is printed does not name entry ${print.entry}`);
      expect(pictures.length > 0 && pictures.every((one) => one === "data:image/png;base64,"), `what is printed is ${pictures}`);
      same((await lines("列印", false)).length, 1, "prints that are kept");
      same(await tries("列印"), 5, "tries to print, after one that was allowed");
      await page.evaluate(() => {
        window.saved = [];
        const make = URL.createObjectURL.bind(URL);
        URL.createObjectURL = (blob) => (window.saved.push(blob.text()), make(blob));
      });
      for (const [use, what, how] of [["download", COPY, "copy"], ["forward", "轉交", "passed on"]]) {
        await page.click(`#viewer-tools [data-use="${use}"]`);
        const html = await until("it is saved", () => page.evaluate(() => window.saved.pop()));
        const [taken] = await lines(what, false);
        const saved = path.join(scratch, `firefox-${use}.html`);
        writeFileSync(saved, html);
        const copy = await browser.newPage();
        const refused = [];
        copy.on("console", (said) => refused.push(said.text()));
        await copy.goto(`file://${saved}`);
        await until("its picture is there", () => copy.evaluate(() => document.querySelector("image") !== null));
        expect((await text(copy, "body")).includes(`#${taken.entry} · ${how}`), `the copy does not name entry ${taken.entry}`);
        same(await copy.evaluate(() => getComputedStyle(document.querySelector("svg")).maxWidth), "893px", "the look of the copy");
        same(refused, [], "what the copy's policy refuses");
        expect(hasNote(await copy.pdf({ preferCSSPageSize: true })), "the copy has nothing on paper");
        await copy.screenshot({ path: path.join(shots, `firefox-shared-${use}.png`) });
        await copy.close();
      }
      same(page.faults, [], "errors of scripts");
    });
  } finally {
    await Promise.all([browser.close(), other.close()]);
    clinics.close();
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
