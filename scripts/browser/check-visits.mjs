// Patients and visits: chosen before a recording, in the banner and the lists, moved, typed without a recording, copied, erased.
import { mkdirSync } from "node:fs";
import http from "node:http";
import path from "node:path";

import WebSocket from "ws";

import { axe } from "./accessibility.mjs";
import { chromium, finish, open, recordingId, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { ask } from "./server.mjs";

const CHAN = {
  name: "CHAN Tai Man",
  chinese_name: "陳大文",
  identifiers: [{ kind: "hkid", value: "a123456(3)" }, { kind: "clinic", value: "K-17" }],
  sex: "male",
  born: "1961-03-02",
  allergies: ["penicillin"],
};

export async function visits({ server, sound, shots }) {
  mkdirSync(shots, { recursive: true });
  const state = { server, shots };
  await check("what is wrong with a patient is named, and nothing of it is quoted", () => wrong(server));
  await check("what cannot be read is refused without quoting it, at every address", () => unquoted(server));
  await check("a visit that is not there, or whose patient refuses, cannot be recorded", () => forbidden(server));
  await check("a recording stops when its patient refuses, and goes on only when the patient agrees again", () => refusedLater(server));
  await check("a patient with everything is erased, and nothing is left", () => erased(server));
  const browser = await chromium({ sound });
  try {
    await check("a label is entered by keyboard, and the recording belongs to it", () => label(browser, state));
    await check("a patient is entered with a slip in the card's number, which is told", () => enter(browser, state));
    await check("today's list says what is unsigned, and the next patient is two actions away", () => next(browser, state));
    await check("a draft under the wrong patient is moved, and its history says so", () => move(browser, state));
    await check("the note and a section are copied by one key", () => copy(browser, state));
    await check("a patient who refuses has a typed note and no recording", () => typed(browser, state));
    await check("the desk is accessible and fits in light, dark and at phone size", () => accessible(browser, state));
  } finally {
    await browser.close();
  }
}

async function made(server, what, body) {
  const answer = await ask(server, "POST", what, body);
  expect(answer.status === 201, `${what} was answered with ${answer.status}: ${answer.said}`);
  return answer.body;
}

async function wrong(server) {
  const bad = async (patient, code, param) => {
    const { status, body, said } = await ask(server, "POST", "/v1/patients", patient);
    same([status, body.error.code, body.error.param], [422, code, param], said);
    for (const quoted of ["Secretive", "C55", "1999"]) expect(!said.includes(quoted), `it quotes what was sent: ${said}`);
  };
  const name = "Secretive";
  await bad({ name, identifiers: [{ kind: "hkid", value: "C555555(0)" }] }, "hkid_digit", "identifiers");
  await bad({ name, identifiers: [{ kind: "hkid", value: "C55" }] }, "hkid_shape", "identifiers");
  await bad({ name, identifiers: [{ kind: "nhs", value: "C555555" }] }, "no_such", "identifiers.kind");
  const issued = (issuer, kind = "hospital") => ({ name, identifiers: [{ kind, value: "C55", issuer }] });
  for (const kind of ["hkid", "passport"]) await bad(issued("Secretive", kind), "not_issued", "identifiers.issuer");
  for (const unseen of ["\u0000", "\n", "\u200f", "\u202e", "\u2066"]) await bad(issued(`Secretive${unseen}x`), "unseen", "identifiers.issuer");
  await bad(issued("Secretive ".repeat(9)), "too_long", "identifiers.issuer");
  await bad(issued("---"), "blank", "identifiers.issuer");
  await bad({ name, identifiers: ["Secretive", " SECRETIVE"].map((issuer) => ({ kind: "clinic", value: "C55", issuer })) }, "twice", "identifiers");
  await bad({ name, born: "1999-02-29" }, "date", "born");
  await bad({ name, born: "2999-02-01" }, "not_born", "born");
  await bad({ name, sex: "M" }, "no_such", "sex");
  await bad({ name: "Secretive\u0000" }, "unseen", "name");
  await bad({ name: "Secretive\u202egnaw" }, "unseen", "name");
  await bad({ name: " \t" }, "blank", "name");
  await bad({ name: "Secretive ".repeat(20) }, "too_long", "name");
  await bad({ name, allergies: Array(40).fill("Secretive") }, "too_many", "allergies");
  for (const body of ["{", "[]", "\"Secretive\"", "{\"name\":\"Secretive\",\"Secretive\":1}", "{\"name\":[\"Secretive\"]}", "", "\u0000"]) {
    const { status, said } = await ask(server, "POST", "/v1/patients", body);
    expect(status === 422 && !said.includes("Secretive"), `${status} ${said}`);
  }
  same((await ask(server, "POST", "/v1/patients", { name: "x".repeat(70000) })).status >= 413, true, "a body of 70 kB");
  same((await ask(server, "GET", "/v1/patients")).body.patients, [], "somebody was entered");
  for (const what of ["/v1/patients/none", "/v1/patients/..%2F..", "/v1/encounters/none", `/v1/patients/${"x".repeat(3000)}`, "/v1/encounters/%00"]) {
    same((await ask(server, "GET", what)).status, 404, what);
  }
  same((await ask(server, "POST", "/v1/patients/none/encounters", {})).body.error.code, "no_patient", "a visit of nobody");
  same((await ask(server, "POST", "/v1/encounters/none/typed-note")).body.error.code, "no_visit", "a note of no visit");
  same((await ask(server, "GET", "/v1/worklist?from=yesterday&until=2026-01-01T00:00:00Z")).status, 422, "a day that is none");
  expect(!server.log.includes("Secretive"), "the log names a patient");
}

/** Nothing of a request that cannot be read is quoted, whatever it was for. */
async function unquoted(server) {
  const { paths } = await server.json("/openapi.json");
  const bodies = ["Secretive", "\"Secretive\"", "{\"Secretive\":1}", "{\"version\":\"Secretive\"}"];
  const asked = ["/v1/worklist?from=a&until=b&Secretive=1", "/v1/recordings/none/note?format=Secretive", "/v1/recordings/none/transcript?format=Secretive", "/v1/recordings/none/letters/summary?format=Secretive", "/v1/recordings/none/audio?start_ms=Secretive"].map((address) => ["GET", address]);
  for (const [address, methods] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      if (!requestBody?.content["application/json"] || address.startsWith("/v1/audio")) continue;
      asked.push(...bodies.map((body) => [method.toUpperCase(), address.replace(/{\w+}/g, "none"), body]));
    }
  }
  expect(asked.length > 50, `only ${asked.length} requests`);
  for (const [method, address, body] of asked) {
    const { status, said, body: answer } = await ask(server, method, address, body);
    // A trial has no accounts, and says so before it reads.
    const refused = answer?.error?.code === "invalid" ? status === 422 : answer?.error?.code === "is_trial" && status === 409;
    expect(refused && !said.includes("Secretive"), `${method} ${address} ${body}: ${status} ${said}`);
  }
  expect(!server.log.includes("Secretive"), "the log quotes a request");
}

/** With which status the opening of a recording's socket is answered. */
function dial(server, query) {
  return new Promise((done, fail) => {
    const { hostname, port } = new URL(server.address);
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
    const asked = http.get({ hostname, port, path: `/v1/listen?rate=16000&channels=1&format=pcm_s16le&language=en&${query}`, headers });
    asked.on("upgrade", ({ statusCode }, socket) => {
      done(statusCode);
      setTimeout(() => socket.destroy(), 1000);
    });
    asked.on("response", (answer) => {
      answer.resume();
      done(answer.statusCode);
    });
    asked.on("error", fail);
  });
}

async function forbidden(server) {
  const patient = await made(server, "/v1/patients", { name: "Refuses" });
  const visit = await made(server, `/v1/patients/${patient.id}/encounters`, { at: "2020-01-01T09:00:00+08:00" });
  same(visit.at, "2020-01-01T01:00:00Z", "the time of the visit");
  same(visit.recording_consent, null, "nobody was asked yet");
  same(await dial(server, `encounter=${visit.id}`), 101, "a visit that may be recorded");
  const begun = await until("its recording", async () => (await ask(server, "GET", `/v1/encounters/${visit.id}`)).body.recordings[0]);
  same([begun.progress, begun.typed], ["unfinished", false], "its recording");
  const agreement = async () => (await ask(server, "GET", `/v1/encounters/${visit.id}`)).body.encounter.recording_consent;
  same(await agreement(), { by: null, how: "trial", at: null }, "what a trial notes");
  same((await ask(server, "DELETE", `/v1/recordings/${begun.recording}`)).status, 204, "erasing it");
  const agree = (by, how) => ask(server, "POST", `/v1/encounters/${visit.id}/recording-consent`, { by, how });
  same((await agree("relative", "on_paper")).body.recording_consent.by, "relative", "a relative of who cannot decide");
  same((await agree("patient", "spoken")).body.recording_consent.how, "spoken", "the patient");
  await ask(server, "POST", `/v1/encounters/${visit.id}/refusal`, { refused: true });
  same(await dial(server, `encounter=${visit.id}`), 403, "a patient who refuses");
  same(await dial(server, "encounter=none"), 403, "no such visit");
  const { recording } = await made(server, `/v1/encounters/${visit.id}/typed-note`);
  const held = await server.recording(recording);
  same([held.typed, held.state, held.banner.patient.name, held.banner.encounter.refused], [true, "finished", "Refuses", true], "the typed note");
  same((await ask(server, "GET", `/v1/recordings/${recording}/audio`)).body.error.code, "no_sound", "its sound");
  const day = "from=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z";
  const { earlier } = (await ask(server, "GET", `/v1/worklist?${day}`)).body;
  same(earlier.map((entry) => [entry.patient.name, entry.progress]), [["Refuses", "draft"]], "what an earlier day left");
  same((await ask(server, "DELETE", `/v1/encounters/${visit.id}`)).body.error.code, "in_use", "a visit with a note");
  same((await ask(server, "DELETE", `/v1/patients/${patient.id}`)).status, 204, "erasing");
}

/** The recording's socket: every message, and `closed` with the code. */
function listen(server, query, hello = null) {
  const address = new URL(`/v1/listen?${query}`, server.address);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  const talk = { socket, said: [], closed: null };
  socket.onopen = () => hello && socket.send(JSON.stringify(hello));
  socket.onmessage = ({ data }) => talk.said.push(JSON.parse(data));
  socket.onclose = ({ code }) => (talk.closed = code);
  return talk;
}

async function refusedLater(server) {
  const patient = await made(server, "/v1/patients", { name: "Refuses later" });
  const visit = await made(server, `/v1/patients/${patient.id}/encounters`, {});
  const first = listen(server, `rate=16000&channels=1&format=pcm_s16le&language=en&encounter=${visit.id}`);
  const { recording, token } = await until("it is ready", () => first.said.find(({ type }) => type === "ready"));
  first.socket.send(new Uint8Array(32000));
  await until("a second is safe", () => first.said.some(({ type, samples }) => type === "ack" && samples === 16000));
  const refusal = (refused) => ask(server, "POST", `/v1/encounters/${visit.id}/refusal`, { refused });
  same((await refusal(true)).status, 200, "the refusal");
  await until("its socket is closed", () => first.closed !== null);
  const { code, fatal } = first.said.at(-1);
  same([first.closed, code, fatal], [1008, "recording_refused", true], "how it ended");
  const again = listen(server, `recording=${recording}`, { type: "resume", token });
  await until("the one that comes back is closed", () => again.closed !== null);
  same([again.closed, again.said.map((message) => message.code)], [1008, ["recording_refused"]], "coming back");
  const renewed = await ask(server, "POST", `/v1/recordings/${recording}/token`);
  same([renewed.status, renewed.body.error.code], [409, "recording_refused"], "a new token");
  const kept = await server.recording(recording);
  same([kept.state, kept.connected, kept.duration_ms], ["open", false, 1000], "what is kept");
  await refusal(false);
  const agreed = listen(server, `recording=${recording}`, { type: "resume", token });
  const ready = await until("it is ready again", () => agreed.said.find(({ type }) => type === "ready"));
  same(ready.samples, 16000, "where it goes on");
  await refusal(true);
  await until("and stops again", () => agreed.closed !== null);
  same((await ask(server, "POST", `/v1/recordings/${recording}/finish`)).status, 202, "finishing what was said before");
  await until("its note", async () => (await server.recording(recording)).state === "finished");
  same((await ask(server, "DELETE", `/v1/patients/${patient.id}`)).status, 204, "erasing");
}

async function erased(server) {
  const patient = await made(server, "/v1/patients", CHAN);
  same([patient.identifiers[0].value, patient.age.years > 60], ["A123456(3)", true], "the patient");
  const twice = await ask(server, "POST", "/v1/patients", { name: "Another", identifiers: [{ kind: "hkid", value: "A1234563" }] });
  same([twice.status, twice.body.error.code, twice.body.patient], [409, "number_taken", patient.id], "a number twice");
  const elsewhere = (issuer) => ask(server, "POST", "/v1/patients", { name: "Another", identifiers: [{ kind: "clinic", value: "k17", issuer }] });
  const other = await elsewhere("Queen Mary");
  same([other.status, other.body.identifiers], [201, [{ kind: "clinic", value: "k17", issuer: "Queen Mary" }]], "the number of another institution");
  const taken = await elsewhere("ＱＵＥＥＮ  mary");
  same([taken.status, taken.body.error.code, taken.body.patient, /queen|k17/i.test(taken.said)], [409, "number_taken", other.body.id, false], "its number twice");
  same((await ask(server, "DELETE", `/v1/patients/${other.body.id}`)).status, 204, "erasing the other");
  for (const wanted of ["tai m", "大文", "a123", "k17"]) {
    same((await ask(server, "POST", "/v1/patients/search", { text: wanted })).body.patients.map(({ id }) => id), [patient.id], wanted);
  }
  const visit = await made(server, `/v1/patients/${patient.id}/encounters`, {});
  const { recording } = await made(server, `/v1/encounters/${visit.id}/typed-note`);
  const changed = await ask(server, "PUT", `/v1/patients/${patient.id}`, { version: 1, patient: { ...CHAN, allergies: [] } });
  same([changed.body.version, changed.body.allergies], [2, []], "a change");
  same((await ask(server, "PUT", `/v1/patients/${patient.id}`, { version: 1, patient: CHAN })).body.error.code, "patient_changed", "a late one");
  same((await ask(server, "DELETE", `/v1/patients/${patient.id}`)).status, 204, "erasing");
  for (const what of [`/v1/patients/${patient.id}`, `/v1/encounters/${visit.id}`, `/v1/recordings/${recording}`]) {
    same((await ask(server, "GET", what)).status, 404, what);
  }
  same((await ask(server, "DELETE", `/v1/patients/${patient.id}`)).body.error.code, "no_patient", "erasing again");
}

const shot = (page, state, name) => page.screenshot({ path: path.join(state.shots, `visits-${name}.png`) });
const banner = (page, where) => text(page, `${where} .banner`);

async function label(browser, state) {
  const page = (state.page = await open(browser, state.server.address));
  expect((await banner(page, "#chosen")).includes("No patient chosen"), "the first view does not say that nobody is chosen");
  await shot(page, state, "empty");
  await page.focus("#choose-patient");
  await page.keyboard.press("Enter");
  await shown(page, "#chooser-search");
  await page.keyboard.type("Room 3, second");
  await page.keyboard.press("Enter");
  await until("the label is chosen", async () => (await banner(page, "#chosen")).includes("Room 3, second"));
  same(await page.evaluate(() => document.activeElement.id), "start", "the focus after choosing");
  expect((await banner(page, "#chosen")).includes("No number known"), "the banner does not say that a second identifier is lacking");
  state.first = await start(page, "en");
  expect((await banner(page, "#banner")).includes("Room 3, second"), "no banner while recording");
  await until("a line of the note", async () => (await texts(page, ".note-text")).length > 0, 120000);
  await shot(page, state, "recording");
  await finish(page);
  const held = await state.server.recording(state.first);
  same([held.banner.patient.name, held.typed, held.moves], ["Room 3, second", false, []], "whose the recording is");
  await page.click("#new");
  await shown(page, "#home");
  expect((await banner(page, "#chosen")).includes("No patient chosen"), "the former patient is still chosen");
}

/** The years since the day on which CHAN was born. */
function age() {
  const now = new Date();
  return now.getFullYear() - 1961 - (now.getMonth() * 100 + now.getDate() < 202 ? 1 : 0);
}

/** Types into a field of the form that is open. */
async function fill(page, label, value) {
  const found = await page.evaluateHandle((wanted) => [...document.querySelectorAll("#chooser .label")].find((node) => node.textContent === wanted)?.parentElement.querySelector("input, select") ?? document.querySelector(`#chooser [aria-label="${wanted}"]`), label);
  await found.evaluate((node) => node.select?.());
  const tag = await found.evaluate((node) => node.tagName);
  if (tag === "SELECT") await found.evaluate((node, chosen) => ((node.value = chosen), node.dispatchEvent(new Event("change"))), value);
  else await found.type(value);
}

async function enter(browser, state) {
  const { page } = state;
  await page.click("#choose-patient");
  await shown(page, "#chooser-search");
  await page.click("#new-patient");
  await fill(page, "Name", "CHAN Tai Man");
  await fill(page, "Chinese name", "陳大文");
  await fill(page, "Number", "A123456(4)");
  await page.click("#chooser fieldset button");
  await page.keyboard.type("77");
  await page.type("#chooser .number:last-child .issuer", "Queen Mary");
  same(await page.evaluate(() => document.querySelector("#chooser .issuer").hidden), true, "an identity card is asked for its issuer");
  await fill(page, "Sex", "male");
  await fill(page, "Date of birth", "1961-03-02");
  await fill(page, "Allergies", "some");
  await fill(page, "What the patient is allergic to", "penicillin, 海鮮");
  await shot(page, state, "form");
  same(await axe(page), [], "the form");
  await page.keyboard.press("Enter");
  await until("the slip is told", async () => /check digit does not fit/.test(await text(page, "#chooser .problem")));
  await fill(page, "Number", "A123456(3)");
  await page.keyboard.press("Enter");
  await until("the patient is chosen", async () => (await banner(page, "#chosen")).includes("陳大文"));
  const said = await banner(page, "#chosen");
  for (const part of ["CHAN Tai Man", "A123456(3)", "Male", `${age()} y`, "1961-03-02", "penicillin, 海鮮"]) expect(said.includes(part), `the banner lacks ${part}: ${said}`);
  const [kept] = (await ask(state.server, "POST", "/v1/patients/search", { text: "a1234563" })).body.patients;
  same(kept.identifiers[1], { kind: "clinic", value: "77", issuer: "Queen Mary" }, "the number of another institution");
  await page.click("#choose-patient");
  await shown(page, "#chooser-search");
  await page.keyboard.type("Wong waits");
  await page.keyboard.press("Enter");
  await until("the second one is chosen", async () => (await banner(page, "#chosen")).includes("Wong waits"));
}

async function next(browser, state) {
  const { page, server } = state;
  await until("three visits of today", async () => (await texts(page, "#today li")).length === 3);
  const items = await texts(page, "#today li");
  expect(items[0].includes("Room 3") && items[0].includes("Draft, not signed") && items[1].includes("Waiting"), items.join(" | "));
  expect(/1 not signed/.test(await text(page, "#unsigned")), "the list does not count what is unsigned");
  await shot(page, state, "desk");
  await page.click("#today li .open");
  await shown(page, "#next");
  same(await recordingId(page), state.first, "what the list opens");
  await shot(page, state, "note");
  await page.click("#next");
  await until("the next patient is ready", async () => (await banner(page, "#chosen")).includes("CHAN Tai Man"));
  same(await page.evaluate(() => document.activeElement.id), "start", "the second action is the one that has the focus");
  await page.click("#start");
  await shown(page, "#agree");
  await shot(page, state, "agree");
  same(await axe(page), [], "the question before the microphone opens");
  await page.click("#agree-parent-spoken");
  await shown(page, "#agree-problem");
  expect((await text(page, "#agree-problem")).includes("of age"), "a parent of who decides is not told so");
  await page.click("#agree-later");
  same([await page.evaluate(() => document.getElementById("home").checkVisibility()), await recordingId(page)], [true, ""], "something was recorded without a yes");
  const id = await start(page, "en");
  await sleep(1500);
  await finish(page);
  same((await server.recording(id)).banner.patient.name, "CHAN Tai Man", "whose the second recording is");
  state.second = id;
}

async function move(browser, state) {
  const { page, server } = state;
  await page.evaluate((id) => (location.hash = id), state.first);
  await until("the first one is shown", async () => (await banner(page, "#banner")).includes("Room 3"));
  await page.click("#move");
  await shown(page, "#chooser-search");
  await page.keyboard.type("大文");
  await page.keyboard.press("Enter");
  await shown(page, "#new-visit");
  await shot(page, state, "which");
  await page.keyboard.press("Enter");
  await until("it is moved", async () => (await banner(page, "#banner")).includes("CHAN Tai Man"));
  await page.click(".moves summary");
  const history = await text(page, ".moves");
  expect(/Trial clinician: from Room 3, second to CHAN Tai Man/.test(history), history);
  await shot(page, state, "moved");
  await until("the desk is there", () => page.evaluate(() => !document.getElementById("desk").hidden));
  await page.click("#desk-history");
  await shown(page, "#history");
  const entries = await texts(page, "#history-list > li");
  expect(entries.some((entry) => /Moved to another patient.*Trial clinician.*from Room 3, second to CHAN Tai Man/s.test(entry)), JSON.stringify(entries));
  await page.keyboard.press("Escape");
  const held = await server.recording(state.first);
  same([held.moves.length, held.moves[0].from.name, held.moves[0].to.name], [1, "Room 3, second", "CHAN Tai Man"], "the history");
  const late = await ask(server, "POST", `/v1/recordings/${state.first}/move`, { from: null, to: held.banner.encounter.id });
  same([late.status, late.body.error.code], [409, "moved"], "a move by who saw it elsewhere");
  same((await ask(server, "POST", `/v1/recordings/${state.first}/move`, { from: held.banner.encounter.id, to: "none" })).body.error.code, "no_visit", "to nowhere");
  await page.reload();
  await until("the history is there after loading again", async () => /from Room 3/.test(await text(page, ".moves")));
}

async function copy(browser, state) {
  const { page, server } = state;
  await browser.defaultBrowserContext().overridePermissions(server.address, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
  const { note } = await server.recording(state.first);
  const lines = note.sections.flatMap(({ sentences }) => sentences.map((sentence) => sentence.text));
  expect(lines.length > 0, "the note of what was said is empty");
  const read = () => page.evaluate(() => navigator.clipboard.readText());
  const press = async (...keys) => {
    for (const key of keys.slice(0, -1)) await page.keyboard.down(key);
    await page.keyboard.press(keys.at(-1));
    for (const key of keys.slice(0, -1)) await page.keyboard.up(key);
  };
  await page.bringToFront();
  await press("Alt", "KeyC");
  await until("the page says so", async () => /Copied/.test(await text(page, ".strip[data-subject=copy] p")));
  const whole = await read();
  for (const line of lines) expect(whole.includes(line), `the copy lacks ${line}`);
  const [section] = note.sections.filter(({ sentences }) => sentences.length > 0);
  expect(whole.startsWith(`${section.code}:\n`), whole);
  await page.focus(`.note-section[data-section=${section.code}] .note-text`);
  await press("Alt", "Shift", "KeyC");
  const part = section.sentences.map((sentence) => sentence.text).join("\n");
  await until("the section is copied", async () => (await read()) === part);
  await page.click("#copies summary");
  await shot(page, state, "copy");
  await page.click("#copies [data-copy=note]");
  await until("the menu copies too", async () => (await read()) === whole);
}

async function typed(browser, state) {
  const { page, server } = state;
  await page.click("#new");
  await shown(page, "#today li");
  // The visit from which the draft was moved away waits again, and is taken off the list.
  await page.click("#today [aria-label='Remove from the list: Room 3, second']");
  await until("it is gone", async () => (await texts(page, "#today li")).length === 2);
  await page.click("#today li[data-progress=waiting] .open");
  await until("the waiting one is chosen", async () => (await banner(page, "#chosen")).includes("Wong waits"));
  await page.click("#refuse");
  await until("it is noted", async () => (await banner(page, "#chosen")).includes("Does not want to be recorded"));
  same(await page.evaluate(() => document.getElementById("start").disabled), true, "Start can be pressed");
  await shot(page, state, "refused");
  same(await axe(page), [], "a patient who refuses");
  await page.click("#type-note");
  await shown(page, "#downloads");
  expect((await text(page, "#transcript-empty")).includes("Nothing was recorded"), "the transcript does not say why it is empty");
  await page.click("[data-add=O]");
  await page.keyboard.type("Chest clear.");
  await page.keyboard.press("Enter");
  await until("the line is typed", async () => (await texts(page, ".note-text")).includes("Chest clear."));
  await shot(page, state, "typed");
  const held = await server.recording(await recordingId(page));
  same([held.typed, held.duration_ms, held.banner.patient.name], [true, 0, "Wong waits"], "the note");
  same(held.note.sections.find(({ code }) => code === "O").sentences[0].origin, "typed", "its line");
  // The console names the answers to the slip in the card's number, and to the parent of who decides.
  same(page.faults.filter((fault) => !/422|403/.test(fault)), [], "errors in the console");
}

async function accessible(browser, state) {
  const { page } = state;
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    for (const [width, height] of [[1280, 800], [360, 740]]) {
      await page.setViewport({ width, height });
      await page.evaluate((id) => (location.hash = id), state.first);
      await until("the moved one is shown", async () => (await banner(page, "#banner")).includes("CHAN Tai Man"));
      same(await axe(page), [], `${scheme}, ${width} wide, a recording of a patient`);
      expect(await fits(), `${width} wide: a recording is wider than its window`);
      await shot(page, state, `note-${scheme}-${width}`);
      await page.click("#new");
      await shown(page, "#today li");
      await page.click("#language-zh");
      same(await axe(page), [], `${scheme}, ${width} wide, the desk`);
      expect(await fits(), `${width} wide: the desk is wider than its window`);
      await shot(page, state, `desk-${scheme}-${width}`);
      await page.click("#choose-patient");
      await shown(page, "#chooser .found .open");
      same(await axe(page), [], `${scheme}, ${width} wide, choosing`);
      await shot(page, state, `choose-${scheme}-${width}`);
      await page.keyboard.press("Escape");
      await page.click("#language-en");
    }
  }
}
