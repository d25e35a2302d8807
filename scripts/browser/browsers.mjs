// Browsers, and pages that record what their socket says and what the reader sees.
import puppeteer from "puppeteer-core";

import { expect, until } from "./harness.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
// The sandbox needs rights that root in a container lacks.
const SANDBOX = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** A real headless Chromium whose microphone is a WAV file from the moment it is opened; without `fake` it has those of this machine. */
export function chromium({ sound = null, fake = true, yes = true } = {}) {
  const args = [...SANDBOX, "--lang=en-GB"];
  if (fake) args.push("--use-fake-device-for-media-stream");
  if (yes) args.push("--use-fake-ui-for-media-stream");
  if (sound) args.push(`--use-file-for-fake-audio-capture=${sound}%noloop`);
  return puppeteer.launch({ executablePath: CHROMIUM, headless: true, args });
}

/** A real headless Firefox, whose microphone is a tone, and whose printer writes a PDF to the file `paper`. */
export function firefox(env = {}, { paper = null } = {}) {
  const printer = { "print.always_print_silent": true, print_printer: "Mozilla Save to PDF", "print.printer_Mozilla_Save_to_PDF.print_to_file": true, "print.printer_Mozilla_Save_to_PDF.print_to_filename": paper };
  const extraPrefsFirefox = { "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true, ...(paper ? printer : {}) };
  return puppeteer.launch({ browser: "firefox", executablePath: FIREFOX, headless: true, extraPrefsFirefox, env: { ...process.env, ...env } });
}

/** Notes what comes over the socket, which sound is asked for, and every change of the stable text that the reader sees. */
function watch() {
  const seen = { messages: [], sent: [], stable: [], audio: [] };
  window.seen = seen;
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", ({ data }) => seen.messages.push(JSON.parse(data)));
    }
    send(data) {
      seen.sent.push(typeof data === "string" ? data : data.byteLength);
      super.send(data);
    }
  };
  addEventListener("DOMContentLoaded", () => {
    const [growing, lines] = [document.getElementById("growing"), document.getElementById("lines")];
    const look = () => seen.stable.push({ text: growing.querySelector(".stable").textContent, lines: lines.children.length });
    const options = { childList: true, subtree: true, characterData: true };
    const observer = new MutationObserver(look);
    observer.observe(growing, options);
    observer.observe(lines, options);
    const audio = document.getElementById("audio");
    audio.addEventListener("playing", () => seen.audio.push({ src: audio.src, duration: audio.duration }));
  });
}

/** A page at `address` with the watch on it. Errors of its scripts are kept in `page.faults`. */
export async function open(browser, address, { width = 1280, height = 800, phone = false, language = "en" } = {}) {
  const page = await browser.newPage();
  page.faults = [];
  // Only the warning before a window is closed in the middle of a recording.
  page.on("dialog", (dialog) => dialog.accept());
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  await page.setViewport({ width, height, isMobile: phone, hasTouch: phone, deviceScaleFactor: phone ? 2 : 1 });
  await page.evaluateOnNewDocument(watch);
  await page.goto(address);
  await shown(page, "#home");
  if (language) await page.click(`#language-${language}`);
  return page;
}

export async function shown(page, selector, limit_ms = 60000) {
  const look = (wanted) => {
    const node = document.querySelector(wanted);
    return node !== null && node.checkVisibility();
  };
  await until(`${selector} is shown`, () => page.evaluate(look, selector), limit_ms);
}

export const text = (page, selector) => page.evaluate((wanted) => document.querySelector(wanted)?.textContent ?? "", selector);
export const texts = (page, selector) => page.evaluate((wanted) => [...document.querySelectorAll(wanted)].map((node) => node.textContent), selector);
/** Clicks what the selector names, once it is there and enabled; it need not be in sight. */
export const press = (page, selector) => until(`${selector} can be clicked`, () => page.evaluate((wanted) => {
  const node = document.querySelector(wanted);
  if (node === null || node.disabled) return false;
  node.click();
  return true;
}, selector));
export const seen = (page) => page.evaluate(() => window.seen);
export const recordingId = async (page) => decodeURIComponent(new URL(page.url()).hash.slice(1));

/** Chooses a spoken language and starts the microphone. */
export async function start(page, language) {
  await page.evaluate((tag) => document.querySelector(`input[name=spoken][value=${tag}]`).click(), language);
  await page.click("#start");
  // A chosen patient is asked first.
  if (await page.evaluate(() => document.getElementById("agree").open)) await page.click("#agree-patient-spoken");
  await shown(page, "#pause");
  return until("the recording has an id", () => recordingId(page));
}

export async function finish(page) {
  await page.click("#finish");
  await shown(page, "#downloads", 120000);
  return recordingId(page);
}

/** Chooses a file and waits for its note. */
export async function readFile(page, file, language) {
  await page.evaluate((tag) => document.querySelector(`input[name=spoken][value=${tag}]`).click(), language);
  const input = await page.$("#file");
  await input.uploadFile(file);
  await shown(page, "#downloads", 180000);
  return recordingId(page);
}

/** Drops files of this machine on the page. */
export async function drop(page, ...files) {
  const session = await page.createCDPSession();
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) await session.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
}

/**
 * The middle of a sentence: words grow, or it is some seconds after the start, when the sound that the checks play speaks in any case and
 * only the machine is too busy to say so.
 */
export async function midSentence(page, after_ms = 7000) {
  const end = Date.now() + after_ms;
  await until("someone is in the middle of a sentence", async () => Date.now() > end || page.evaluate(() => !document.getElementById("growing").hidden));
}

/** Ends what a check left open, so that the next one finds the rooms free. */
export async function closeAll(browser) {
  for (const page of await browser.pages()) if (page.url() !== "about:blank") await page.close();
}

/** Every stable text that a reader saw was kept, longer or the same, until a line took its place. */
export function expectStableKept(stable) {
  let [before, changes] = [{ text: "", lines: 0 }, 0];
  for (const now of stable) {
    if (now.text !== before.text) changes += 1;
    const kept = now.text.startsWith(before.text) || now.lines > before.lines;
    expect(kept, `stable text was taken back: “${before.text}” became “${now.text}” without a line`);
    before = now;
  }
  return changes;
}

/** The same of the socket's own messages: `stable` of one utterance only grows. */
export function expectPartialsGrow(messages) {
  const known = new Map();
  let count = 0;
  for (const message of messages) {
    if (message.type === "ready") known.clear();
    if (message.type !== "partial") continue;
    count += 1;
    const before = known.get(message.start_ms) ?? "";
    expect(message.stable.startsWith(before), `a partial took back: “${before}” became “${message.stable}”`);
    known.set(message.start_ms, message.stable);
  }
  return count;
}
