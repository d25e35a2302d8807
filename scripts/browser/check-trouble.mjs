// What goes wrong: no microphone, no permission, a closed tab, files that are no recordings, foreign pages.
import http from "node:http";
import { appendFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { chromium, closeAll, drop, midSentence, open, recordingId, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { sparse, toWav } from "./sound.mjs";

export async function trouble({ server, sound, scratch }) {
  await check("a browser whose user says no gets a clear message", () => refused(server));
  await check("a browser without a microphone gets a clear message", () => without(server));
  const browser = await chromium({ sound });
  const next = async (name, run) => {
    await check(name, run);
    await closeAll(browser);
  };
  try {
    await next("a tab closed in mid-sentence leaves a recording that the list can finish", () => closed(browser, server));
    await next("a microphone that goes away pauses the recording and keeps it", () => unplugged(browser, server));
    await next("an unfinished recording is continued, and one is erased, from the list", () => continued(browser, server));
    await next("a file of 3 GB dropped on the page gets a clear message", () => tooBig(browser, server, scratch));
    await next("empty, damaged and unknown files get clear messages", () => badFiles(browser, server, scratch));
    await next("a foreign page can open neither socket nor address, nor frame the page", () => foreign(browser, server));
    await check("another Host or Origin is refused", () => rebound(server));
  } finally {
    await browser.close();
  }
}

const message = (page, subject) => text(page, `.strip[data-subject=${subject}] p`);

async function says(page, subject, english, chinese) {
  await until(`the page says ${english}`, async () => english.test(await message(page, subject)), 15000);
  await page.click("#language-zh");
  await until(`the page says ${chinese}`, async () => chinese.test(await message(page, subject)), 5000);
  await page.click("#language-en");
}

async function refused(server) {
  const browser = await chromium({ yes: false });
  try {
    await browser.defaultBrowserContext().overridePermissions(server.address, []);
    const page = await open(browser, server.address);
    await page.click("#start");
    await says(page, "microphone", /may not use the microphone/, /不能使用咪高峰/);
    await shown(page, "#start-form");
  } finally {
    await browser.close();
  }
}

async function without(server) {
  const browser = await chromium({ fake: false });
  try {
    const page = await open(browser, server.address);
    const inputs = await page.evaluate(async () => (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "audioinput").length);
    expect(inputs === 0, "this machine has a microphone: unplug it, or leave this check out");
    await page.click("#start");
    await says(page, "microphone", /No microphone was found/, /找不到咪高峰/);
  } finally {
    await browser.close();
  }
}

async function unplugged(browser, server) {
  const page = await browser.newPage();
  // A track ends by itself only when its device goes; the fake one never does, so the page's own stream is told that it has.
  await page.evaluateOnNewDocument(() => {
    const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
      window.stream = await get(wish);
      return window.stream;
    };
  });
  await page.goto(server.address);
  await shown(page, "#home");
  await page.click("#language-en");
  const id = await start(page, "en");
  await sleep(1500);
  await page.evaluate(() => {
    const [track] = window.stream.getTracks();
    track.stop();
    track.dispatchEvent(new Event("ended"));
  });
  await says(page, "held", /unplugged or switched off/, /被拔除或關掉/);
  await shown(page, "#unpause");
  await until("what was recorded is there", async () => (await server.recording(id)).duration_ms > 800, 15000);
  await page.click("#unpause");
  await shown(page, "#pause");
  await page.click("#finish");
  await shown(page, "#downloads", 60000);
  await page.close();
}

async function closed(browser, server) {
  const page = await open(browser, server.address);
  const id = await start(page, "en");
  await midSentence(page);
  await page.close({ runBeforeUnload: false });
  const next = await open(browser, server.address);
  await until("the list calls it unfinished", async () => /Unfinished/.test(await text(next, `#recordings li[data-id="${id}"]`)), 15000);
  await next.evaluate((act) => document.querySelector(`[data-act="finish ${act}"]`).click(), id);
  await shown(next, "#downloads", 120000);
  const recording = await server.recording(id);
  same(recording.state, "finished", "the state");
  expect(recording.transcript.segments.length > 0, "what was said is lost");
  same(await texts(next, "#lines li .said"), recording.transcript.segments.map((segment) => segment.text), "lines and transcript differ");
  await next.close();
}

async function continued(browser, server) {
  const page = await open(browser, server.address);
  const id = await start(page, "en");
  await sleep(2000);
  await page.reload();
  await shown(page, "#continue");
  const before = (await server.recording(id)).duration_ms;
  await page.click("#continue");
  await shown(page, "#pause");
  await until("more is recorded", async () => (await server.recording(id)).duration_ms > before + 1000, 15000);
  same(await recordingId(page), id, "the recording");
  await page.close({ runBeforeUnload: false });
  const next = await open(browser, server.address);
  await shown(next, `#recordings li[data-id="${id}"]`);
  await until("nobody holds it", async () => /Unfinished/.test(await text(next, `#recordings li[data-id="${id}"]`)), 15000);
  await next.evaluate((act) => document.querySelector(`[data-act="erase ${act}"]`).click(), id);
  await shown(next, "#confirm");
  await next.click("#confirm-yes");
  await until("it is gone from the list", () => next.evaluate((gone) => document.querySelector(`#recordings li[data-id="${gone}"]`) === null, id), 15000);
  same((await fetch(`${server.address}/v1/recordings/${id}`)).status, 404, "it is still on the server");
  await next.close();
}

async function tooBig(browser, server, scratch) {
  const page = await open(browser, server.address);
  await drop(page, sparse(path.join(scratch, "whole-day.wav"), 3 * 2 ** 30));
  await says(page, "file", /“whole-day\.wav” is too big.*3 GB.*cantoscribe note FILE/, /「whole-day\.wav」太大.*cantoscribe note FILE/);
  same(page.faults, [], "errors in the console");
  await page.close();
}

async function badFiles(browser, server, scratch) {
  const page = await open(browser, server.address);
  const file = (name, bytes) => {
    writeFileSync(path.join(scratch, name), bytes);
    return path.join(scratch, name);
  };
  await drop(page, file("nothing.wav", ""));
  await says(page, "file", /“nothing\.wav” is empty/, /「nothing\.wav」是空的/);
  const wav = toWav(16000, new Int16Array(16000));
  await drop(page, file("cut.wav", wav.subarray(0, wav.length / 2)));
  await says(page, "file", /“cut\.wav” is damaged/, /「cut\.wav」已損壞/);
  await drop(page, file("letter.mp3", "Dear doctor, this is no recording."));
  await says(page, "file", /“letter\.mp3” is not a recording/, /「letter\.mp3」不是/);
  appendFileSync(path.join(scratch, "nothing.wav"), wav.subarray(0, 44));
  await drop(page, path.join(scratch, "nothing.wav"), path.join(scratch, "cut.wav"));
  await says(page, "file", /One file at a time/, /每次只拖入一個檔案/);
  await shown(page, "#home");
  await page.close();
}

async function foreign(browser, server) {
  const evil = http.createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>x</title>"));
  await new Promise((done) => evil.listen(0, "127.0.0.1", done));
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${evil.address().port}/`);
  const { port } = server;
  const tried = await page.evaluate(async (at) => {
    const socket = (host) =>
      new Promise((done) => {
        const ws = new WebSocket(`ws://${host}:${at}/v1/listen?rate=16000&channels=1&format=pcm_s16le&language=en`);
        ws.onopen = () => done("open");
        ws.onerror = () => done("refused");
      });
    const ask = (path, options) => fetch(`http://127.0.0.1:${at}${path}`, options).then((answer) => answer.type, () => "refused");
    const frame = document.createElement("iframe");
    frame.src = `http://127.0.0.1:${at}/`;
    document.body.append(frame);
    await new Promise((done) => (frame.onload = done));
    // A frame that was refused is an error page of another origin that cannot be asked; ours would show its document's title to itself alone.
    return {
      socket: [await socket("127.0.0.1"), await socket("localhost")],
      fetched: [await ask("/v1/recordings"), await ask("/v1/recordings", { mode: "no-cors" })],
    };
  }, port);
  same(tried.socket, ["refused", "refused"], "the socket");
  same(tried.fetched[0], "refused", "the list");
  const frames = page.frames().filter((frame) => frame !== page.mainFrame());
  for (const frame of frames) same(await frame.evaluate(() => document.getElementById("start") === null), true, "the page is in a frame");
  same((await server.json("/v1/recordings")).recordings.filter(({ connected }) => connected), [], "a room was opened");
  await page.close();
  evil.close();
}

function head(server, path, headers) {
  return new Promise((done, fail) => {
    const request = http.request({ host: "127.0.0.1", port: server.port, path, headers, setHost: false }, (answer) => {
      answer.resume();
      done(answer.statusCode);
    });
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      done(101);
    });
    request.on("error", fail).end();
  });
}

async function rebound(server) {
  const ours = `127.0.0.1:${server.port}`;
  same(await head(server, "/", { host: ours }), 200, "our own name");
  same(await head(server, "/", { host: `evil.example:${server.port}` }), 403, "another name on the page");
  same(await head(server, "/v1/recordings", { host: `evil.example:${server.port}` }), 403, "another name");
  same(await head(server, "/v1/recordings", { host: ours, origin: "http://evil.example" }), 403, "another origin");
  const upgrade = { connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" };
  const listen = "/v1/listen?rate=16000&channels=1&format=pcm_s16le&language=en";
  same(await head(server, listen, { host: ours, origin: "http://evil.example", ...upgrade }), 403, "a foreign socket");
  same(await head(server, listen, { host: `evil.example:${server.port}`, origin: `http://evil.example:${server.port}`, ...upgrade }), 403, "a rebound socket");
}
