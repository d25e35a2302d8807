// Answers that come after the user has gone on: to another patient, another note, another question. They change nothing of what is shown.
import { writeFileSync } from "node:fs";
import path from "node:path";

import WebSocket from "ws";

import { chromium, drop, finish, open, press, recordingId, shown, text, texts } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { Late } from "./late.mjs";
import { ask, Server } from "./server.mjs";
import { toWav } from "./sound.mjs";

/** Long enough for the page to do the wrong thing with an answer that it has. */
const MOMENT_MS = 300;
/** The page asks for an unfinished recording this often. */
const LOOK_AGAIN_MS = 2000;

export async function late({ binary, scratch }) {
  const server = new Server(binary);
  const browser = await chromium();
  const state = { server, scratch };
  const next = (name, run) => check(`late: ${name}`, async () => {
    state.page = await open(browser, server.address);
    state.late = await Late.of(state.page);
    try {
      await run(state);
    } finally {
      await state.late.stop();
      await state.page.close({ runBeforeUnload: false });
    }
  });
  try {
    await server.start();
    await next("a yes of one patient begins no recording of the next", agreed);
    await next("a refusal of one patient is not shown as the next one's", refused);
    await next("a note that comes late is not shown over a recording, nor over another note", opened);
    await next("a recording that ended is not shown again to who has left it", ended);
    await next("what is typed is thrown away by no file and no next patient without a question", typed);
    await next("a second press enters nobody twice, and a late choice answers no later question", chosen);
    await next("no dialog outlives the note that it is about", left);
    await next("an unfinished recording goes on however long the question takes", continued);
  } finally {
    await browser.close();
    server.stop();
  }
}

async function made({ server }, what, body) {
  const answer = await ask(server, "POST", what, body);
  expect(answer.status < 300, `${what} was answered with ${answer.status}: ${answer.said}`);
  return answer.body;
}

async function visit(state, name) {
  const patient = await made(state, "/v1/patients", { name });
  return made(state, `/v1/patients/${patient.id}/encounters`, {});
}

async function note(state, name) {
  return (await made(state, `/v1/encounters/${(await visit(state, name)).id}/typed-note`)).recording;
}

/** Chooses or opens a patient of today's list. */
const pick = ({ page }, name) => until(`${name} is listed`, () => page.evaluate((wanted) => {
  const item = [...document.querySelectorAll("#today li")].find((one) => one.textContent.includes(wanted));
  item?.querySelector(".open").click();
  return item !== undefined;
}, name));

/** Shows a note by its address, with its desk. */
async function show({ page }, id) {
  await page.evaluate((wanted) => (location.hash = wanted), id);
  await until("the note's desk is shown", () => page.evaluate((wanted) => document.getElementById("downloads").dataset.recording === wanted && !document.getElementById("desk").hidden, id));
}

const whose = async ({ server }, id) => (await server.recording(id)).banner?.patient.name;
const has = async (page, where, name) => expect((await text(page, `${where} .banner`)).includes(name), `the banner is not ${name}'s: ${await text(page, `${where} .banner`)}`);
const isOpen = (page, dialog) => page.evaluate((id) => document.getElementById(id).open, dialog);

async function erase(page) {
  await page.click("#cancel");
  await shown(page, "#confirm");
  await page.click("#confirm-yes");
  await shown(page, "#home");
}

async function agreed(state) {
  const { page, late: answers } = state;
  for (const name of ["Slow yes", "Never asked"]) await visit(state, name);
  await page.reload();
  await pick(state, "Slow yes");
  await page.click("#start");
  await shown(page, "#agree");
  const yes = answers.hold("POST", /recording-consent$/);
  await page.click("#agree-patient-spoken");
  await yes.came();
  await page.click("#agree-later");
  await pick(state, "Never asked");
  await page.click("#start");
  await shown(page, "#agree");
  await yes.go();
  await sleep(MOMENT_MS);
  expect(await isOpen(page, "agree"), "the question was answered by another patient");
  await page.click("#agree-patient-spoken");
  await shown(page, "#pause");
  const id = await until("the recording has an id", () => recordingId(page));
  await has(page, "#banner", "Never asked");
  same(await whose(state, id), "Never asked", "whose the recording is");
  await erase(page);
}

async function refused(state) {
  const { page, late: answers } = state;
  for (const name of ["Slow no", "Says nothing"]) await visit(state, name);
  await page.reload();
  await pick(state, "Slow no");
  const no = answers.hold("POST", /refusal$/);
  await press(page, "#refuse");
  await no.came();
  await pick(state, "Says nothing");
  await no.go();
  await sleep(MOMENT_MS);
  await has(page, "#chosen", "Says nothing");
  same(await page.evaluate(() => document.getElementById("start").disabled), false, "Start is taken for refused");
  await press(page, "#type-note");
  await shown(page, "#downloads");
  await has(page, "#banner", "Says nothing");
  same(await whose(state, await recordingId(page)), "Says nothing", "whose the typed note is");
}

async function opened(state) {
  const { page, late: answers } = state;
  const slow = await note(state, "Slow note");
  const quick = await note(state, "Quick note");
  const live = await visit(state, "Is recorded");
  await made(state, `/v1/encounters/${live.id}/recording-consent`, { by: "patient", how: "spoken" });
  await page.reload();
  const of = () => answers.hold("GET", new RegExp(`/recordings/${slow}$`));
  const first = of();
  await pick(state, "Slow note");
  await first.came();
  await pick(state, "Is recorded");
  await page.click("#start");
  await shown(page, "#pause");
  await until("the recording has an id", () => recordingId(page));
  await first.go();
  await sleep(MOMENT_MS);
  await has(page, "#banner", "Is recorded");
  expect(await page.evaluate(() => document.body.classList.contains("live")), "the recording is not shown any more");
  await erase(page);

  const second = of();
  await page.evaluate((id) => (location.hash = id), slow);
  await second.came();
  await show(state, quick);
  await press(page, "[data-add=O]");
  await page.keyboard.type("Chest clear");
  await second.go();
  await sleep(MOMENT_MS);
  await has(page, "#banner", "Quick note");
  same([await page.$eval(".editor textarea", ({ value }) => value), await recordingId(page)], ["Chest clear", quick], "what was typed");
}

async function ended(state) {
  const { page, late: answers } = state;
  await page.click("#start");
  await shown(page, "#pause");
  const id = await until("the recording has an id", () => recordingId(page));
  await until("something is safe", async () => (await state.server.recording(id)).duration_ms > 500);
  const whole = answers.hold("GET", new RegExp(`/recordings/${id}$`));
  await page.click("#finish");
  await whole.came();
  await page.click("#brand");
  await shown(page, "#home");
  await whole.go();
  await sleep(MOMENT_MS);
  same(await recordingId(page), "", "the address of the first view");
  // What is shown already is not opened by a click on it.
  await press(page, `[data-act="open ${id}"]`);
  await shown(page, "#downloads", 5000);
}

async function typed(state) {
  const { page, late: answers, scratch } = state;
  await visit(state, "Waits");
  let asked = 0;
  page.removeAllListeners("dialog");
  page.on("dialog", (dialog) => {
    asked += 1;
    void dialog.dismiss();
  });
  const id = await note(state, "Has text");
  await show(state, id);
  const kept = async (what) => {
    await until(`${what}: the question is asked`, () => asked > 0, 5000);
    await sleep(MOMENT_MS);
    same([asked, await page.evaluate(() => document.querySelector(".editor textarea")?.value), await recordingId(page)], [1, "Unsaved", id], what);
    asked = 0;
  };
  await press(page, "[data-add=O]");
  await page.keyboard.type("Unsaved");
  const file = path.join(scratch, "second.wav");
  writeFileSync(file, toWav(16000, new Int16Array(16000)));
  await drop(page, file);
  await kept("a file that is dropped");
  await page.keyboard.press("Escape");

  const waiting = answers.hold("GET", /worklist$/);
  await page.click("#next");
  await waiting.came();
  await press(page, "[data-add=O]");
  await page.keyboard.type("Unsaved");
  await waiting.go();
  await kept("the next patient");
  await page.keyboard.press("Escape");
}

async function chosen(state) {
  const { page, server, late: answers } = state;
  await page.click("#choose-patient");
  await shown(page, "#chooser-search");
  await page.keyboard.type("Twice pressed");
  await until("the whole label is offered", async () => (await text(page, "#found .new")).includes("Twice pressed"));
  const entering = answers.hold("POST", /patients$/);
  await page.click("#found .new", { count: 2, delay: 20 });
  await entering.go();
  await until("the patient is chosen", async () => (await text(page, "#chosen .banner")).includes("Twice pressed"));
  const found = (await ask(server, "POST", "/v1/patients/search", { text: "Twice pressed" })).body.patients;
  same(found.length, 1, "patients of one double click");
  same((await ask(server, "GET", `/v1/patients/${found[0].id}/encounters`)).body.encounters.length, 1, "their visits");

  const id = await note(state, "Keeps the note");
  await made(state, "/v1/patients", { name: "Slow choice" });
  await page.click("#choose-patient");
  await shown(page, "#chooser-search");
  await page.keyboard.type("Slow choice");
  await until("the patient is found", async () => (await texts(page, "#found .open"))[0]?.includes("Slow choice"));
  const choosing = answers.hold("GET", /encounters$/);
  await page.click("#found .open");
  await choosing.came();
  await page.keyboard.press("Escape");
  await show(state, id);
  await press(page, "#move");
  await shown(page, "#chooser-search");
  await choosing.go();
  await sleep(MOMENT_MS);
  expect(await isOpen(page, "chooser"), "the question was answered by what was chosen before it");
  same(await whose(state, id), "Keeps the note", "whose the note is");
}

async function left(state) {
  const { page } = state;
  const [one, other] = [await note(state, "First note"), await note(state, "Other note")];
  for (const [button, dialog] of [["#move", "chooser"], ["#letters-open", "letters"], ["#desk-sign", "sign"]]) {
    await show(state, one);
    await show(state, other);
    await press(page, button);
    await until(`${dialog} is open`, () => isOpen(page, dialog));
    await page.goBack();
    await until("the first note is shown", async () => (await text(page, "#banner .banner")).includes("First note"));
    same(await page.evaluate(() => [...document.querySelectorAll("dialog[open]")].map(({ id }) => id)), [], "dialogs of the note that was left");
  }
}

async function continued(state) {
  const { page, server } = state;
  const { id: encounter } = await visit(state, "Goes on");
  const socket = new WebSocket(`${server.address.replace("http", "ws")}/v1/listen?rate=16000&channels=1&format=pcm_s16le&language=en&encounter=${encounter}`);
  const id = await new Promise((done, fail) => {
    socket.on("error", fail);
    socket.on("message", (data) => {
      const { type, recording, samples } = JSON.parse(data);
      if (type === "ready") {
        state.begun = recording;
        socket.send(new Uint8Array(32000));
      }
      if (type === "ack" && samples === 16000) done(state.begun);
    });
  });
  socket.close();
  await page.evaluate((wanted) => (location.hash = wanted), id);
  await shown(page, "#continue");
  await page.click("#continue");
  await shown(page, "#agree");
  await sleep(LOOK_AGAIN_MS + 500);
  await page.click("#agree-patient-spoken");
  await shown(page, "#pause", 10000);
  await finish(page);
  same(await recordingId(page), id, "the recording");
}
