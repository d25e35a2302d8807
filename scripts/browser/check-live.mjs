// A consultation from the microphone to the saved note, in Chromium.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { axe } from "./accessibility.mjs";
import { chromium, expectPartialsGrow, expectStableKept, finish, open, press, recordingId, seen, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { readWav } from "./sound.mjs";

const lines = (page) => texts(page, ".note-text");

export async function live({ server, sound, shots, downloads }) {
  const state = { server, shots, downloads };
  await check("the page loads, shows the level, and says that it is a trial", () => arrive(server, sound));
  // The fake microphone plays its file once, from the first time that it is opened: a browser of its own for what is spoken.
  const browser = await chromium({ sound });
  try {
    await check("words appear while they are spoken, and the note fills", () => speak(browser, state));
    await check("pause stops the clock, and going on goes on", () => pause(state));
    await check("finishing gives transcript and note as the server has them", () => end(state));
    await check("stable text is not taken back before its final", () => steady(state));
    await check("a line of the note, by keyboard, marks its words and plays their second", () => hear(state));
    await check("a line is edited, one is added, one is removed, and each says so", () => edit(state));
    await check("a change that comes too late is not lost and loses nothing", () => conflict(state));
    await check("loading the page again brings everything back", () => reload(state));
    await check("JSON, FHIR and text are downloaded and say what the note says", () => download(state));
    await check("no part fails an accessibility rule in light, dark or at phone size", () => accessible(state));
    await check("cancelling erases everything, and says so before", () => cancel(browser, state));
  } finally {
    await browser.close();
  }
}

async function arrive(server, sound) {
  const browser = await chromium({ sound });
  try {
    await look(await open(browser, server.address));
  } finally {
    await browser.close();
  }
}

async function look(page) {
  await shown(page, "#trial");
  expect((await text(page, "#trial")).includes("no sign-in"), "the banner does not say that there is no sign-in");
  await until("the level moves", () => page.evaluate(() => Number(document.getElementById("start-meter").getAttribute("aria-valuenow")) > -50));
  await page.click("#language-zh");
  await until("the page is Chinese", async () => (await text(page, "#start")).includes("開始錄音"));
  await page.reload();
  await until("the language is remembered", async () => (await text(page, "#start")).includes("開始錄音"));
  same(page.faults, [], "errors in the console");
}

async function speak(browser, state) {
  const page = (state.page = await open(browser, state.server.address));
  state.id = await start(page, "en");
  await until("grey words", () => page.evaluate(() => document.querySelector("#growing .tentative").textContent.length > 3 || document.querySelector("#growing .stable").textContent.length > 3), 120000);
  await until("a line that stays", async () => (await texts(page, "#lines li .said")).length > 0, 120000);
  await until("a line of the note", async () => (await lines(page)).length > 0, 120000);
  await page.screenshot({ path: path.join(state.shots, "live-desktop.png") });
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2, isMobile: false });
  await sleep(300);
  await page.screenshot({ path: path.join(state.shots, "live-phone.png") });
  await page.setViewport({ width: 1280, height: 800 });
}

async function pause({ page }) {
  await page.click("#pause");
  await shown(page, "#unpause");
  await sleep(500);
  const clock = await text(page, "#clock");
  await sleep(2500);
  same(await text(page, "#clock"), clock, "the clock went on while paused");
  await page.click("#unpause");
  await until("the clock goes on", async () => (await text(page, "#clock")) !== clock);
}

async function end(state) {
  const { page, server } = state;
  same(await finish(page), state.id, "the id changed");
  const recording = (state.recording = await server.recording(state.id));
  same(recording.state, "finished", "the state");
  same(await texts(page, "#lines li .said"), recording.transcript.segments.map((segment) => segment.text), "lines and transcript differ");
  same(await lines(page), recording.note.sections.flatMap((section) => section.sentences.map((sentence) => sentence.text)), "lines and note differ");
  same(page.faults, [], "errors in the console");
}

async function steady({ page }) {
  const { stable, messages } = await seen(page);
  const [changes, partials] = [expectStableKept(stable), expectPartialsGrow(messages)];
  expect(changes > 0 && partials > 0, `only ${partials} partials and ${changes} changes were seen`);
  console.log(`         ${partials} partials came, and the stable text that is shown changed ${changes} times`);
}

async function hear({ page, server, id, recording }) {
  const sentence = recording.note.sections.flatMap((section) => section.sentences).find(({ evidence }) => evidence.length > 0);
  const [span] = sentence.evidence;
  const segment = recording.transcript.segments.find((each) => each.id === span.segment);
  const quote = Array.from(segment.text).slice(span.start, span.end).join("");
  let place = 0;
  const words = segment.words.filter((word) => {
    const start = segment.text.indexOf(word.text.trim(), place);
    place = start + word.text.trim().length;
    return start < span.end && place > span.start;
  });
  expect(words.length > 0, `no word of “${quote}” has a time of its own`);
  await page.evaluate((line) => [...document.querySelectorAll(".note-text")].find((node) => node.textContent === line).focus(), sentence.text);
  await page.keyboard.press("Enter");
  const played = await until("the sound plays", async () => (await seen(page)).audio.at(-1), 15000);
  await until("the sound goes on", () => page.evaluate(() => document.getElementById("audio").currentTime > 0.05 || document.getElementById("player").hidden));
  const marked = await texts(page, "#lines mark");
  expect(marked.some((mark) => mark.includes(quote.trim())), `marked are ${JSON.stringify(marked)}`);
  const asked = new URL(played.src).searchParams;
  const [from, to] = [Number(asked.get("start_ms")), Number(asked.get("end_ms"))];
  const [wordStart, wordEnd] = [words[0].start_ms, words.at(-1).end_ms];
  expect(from <= wordStart && from > wordStart - 1000 && to >= wordEnd, `asked for ${from}-${to}, the word is at ${wordStart}-${wordEnd}`);
  expect(Math.abs(played.duration * 1000 - (to - from)) < 30, `${played.duration} s played for ${to - from} ms`);
  const wav = async (query) => readWav(Buffer.from(await (await fetch(`${server.address}/v1/recordings/${id}/audio${query}`)).arrayBuffer()));
  const [whole, part] = [await wav(""), await wav(`?start_ms=${from}&end_ms=${to}`)];
  const first = Math.floor((from * whole.rate) / 1000);
  same(Buffer.from(part.samples.buffer).compare(Buffer.from(whole.samples.buffer, first * 2, part.samples.length * 2)), 0, "the sound is not that of its second");
  expect(part.samples.some((sample) => Math.abs(sample) > 500), "what plays is silence");
  await page.keyboard.press("Escape");
  await until("it stops", () => page.evaluate(() => document.getElementById("player").hidden));
}


async function type(page, value) {
  await page.evaluate(() => document.querySelector(".editor textarea").select());
  await page.keyboard.type(value);
  await page.keyboard.press("Enter");
}

async function edit(state) {
  const { page } = state;
  const before = await lines(page);
  await press(page, "[data-edit]");
  await type(page, "Headache for three days, throbbing.");
  await until("the line is changed", async () => (await lines(page)).includes("Headache for three days, throbbing."));
  const badge = await text(page, ".note-line .badge");
  expect(/Edited by .+/.test(badge) && badge.includes(before[0]), `the badge says ${badge}`);
  for (const line of ["Diary of headaches.", "A line too many."]) {
    await press(page, "[data-add=P]");
    await type(page, line);
    await until("the line is added", async () => (await lines(page)).includes(line));
  }
  expect(/Typed by .+/.test((await texts(page, ".note-section[data-section=P] .badge")).at(-1)), "a typed line does not say so");
  await page.evaluate(() => [...document.querySelectorAll(".note-section[data-section=P] [data-remove]")].at(-1).click());
  await press(page, ".editor.ask .danger");
  await until("the line is removed", async () => !(await lines(page)).includes("A line too many."));
  state.edited = await lines(page);
  same(state.edited.length, before.length + 1, "the number of lines");
}

async function conflict(state) {
  const { page, server, id } = state;
  const { version } = await server.recording(id);
  const answer = await fetch(`${server.address}/v1/recordings/${id}/note/edits`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ version, edit: { op: "replace", section: "S", index: 0, text: "Typed elsewhere." } }),
  });
  expect(answer.ok, `the edit elsewhere was answered with ${answer.status}`);
  await press(page, "[data-edit]");
  await type(page, "Headache, typed late.");
  await until("the page says so", async () => /changed elsewhere/.test(await text(page, ".editor .problem")));
  expect((await lines(page)).includes("Typed elsewhere."), "the newer version is not shown");
  same(await page.evaluate(() => document.querySelector(".editor textarea").value), "Headache, typed late.", "what was typed is lost");
  await page.keyboard.press("Enter");
  await until("it is saved", async () => (await lines(page)).includes("Headache, typed late."));
  state.edited = await lines(page);
}

async function reload({ page, id, edited }) {
  await page.reload();
  await shown(page, "#downloads");
  same(await lines(page), edited, "the note after loading the page again");
  expect((await texts(page, ".badge")).some((badge) => /Edited by/.test(badge)), "the badge is gone");
  await page.click("#to-recordings");
  await shown(page, `#recordings li[data-id="${id}"]`);
  await page.click(`#recordings li[data-id="${id}"] .open`);
  await shown(page, "#downloads");
  same(await lines(page), edited, "the note from the list");
  same(await recordingId(page), id, "the address");
}

async function download({ page, downloads, edited }) {
  const session = await page.browser().target().createCDPSession();
  const take = async (index) => {
    const folder = path.join(downloads, String(index));
    mkdirSync(folder, { recursive: true });
    await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
    await page.click("#downloads summary");
    await page.evaluate((at) => document.querySelectorAll("#download-note a")[at].click(), index);
    const name = await until("the file is there", () => readdirSync(folder).find((each) => !each.endsWith(".crdownload")));
    return readFileSync(path.join(folder, name), "utf8");
  };
  const note = JSON.parse(await take(0));
  same(note.schema, "cantoscribe/note/1", "the schema");
  same(note.sections.flatMap(({ sentences }) => sentences.map((sentence) => sentence.text)), edited, "the JSON and the page");
  const bundle = JSON.parse(await take(1));
  same([bundle.resourceType, bundle.type, bundle.entry[0].resource.resourceType], ["Bundle", "document", "Composition"], "the FHIR document");
  expect(JSON.stringify(bundle).includes("typed late"), "the FHIR document lacks the edited line");
  const plain = await take(2);
  for (const line of edited) expect(plain.includes(line), `the text lacks ${line}`);
}

async function accessible({ page }) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    for (const [width, height] of [[1280, 800], [360, 740]]) {
      await page.setViewport({ width, height });
      await press(page, "#tab-note");
      same(await axe(page), [], `${scheme}, ${width} wide, a recording`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} wide: the page is wider than its window`);
    }
  }
  await page.setViewport({ width: 1280, height: 800 });
  await press(page, "#to-recordings");
  await shown(page, "#recordings li");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    same(await axe(page), [], `${scheme}, the first view`);
  }
}

async function cancel(browser, { page: old, server }) {
  await old.close();
  const page = await open(browser, server.address);
  const id = await start(page, "en");
  await sleep(1500);
  await page.click("#cancel");
  await shown(page, "#confirm");
  expect(/everything is erased/i.test(await text(page, "#confirm-text")), "the question does not say that everything is erased");
  same(await page.evaluate(() => document.activeElement.id), "confirm-no", "the focus is on what does harm");
  await page.click("#confirm-yes");
  await shown(page, "#home");
  same((await fetch(`${server.address}/v1/recordings/${id}`)).status, 404, "the recording is still there");
  const left = readdirSync(server.data, { recursive: true }).filter((name) => String(name).includes(id));
  same(left, [], "files of the recording are left");
  await page.close();
}
