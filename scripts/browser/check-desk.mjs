// The desk, in Chromium: from a recording to a signed note and its addendum.
import path from "node:path";

import { axe } from "./accessibility.mjs";
import { chromium, finish, open, press, shown, start, text, texts } from "./browsers.mjs";
import { check, expect, same, skip, sleep, until } from "./harness.mjs";

/** What is dictated. Two of the drugs are said so that they are written down wrong and only sound like drugs. */
export const DICTATION = [
  "Good morning. Please take a seat.",
  "I have had a headache for three days. I have no chest pain. My left knee hurts and I have diabetes.",
  "I take met forming twice a day. I also take war fairing every day.",
  "Blood pressure is one hundred and forty five over ninety. Come back in four weeks.",
];

const lines = (page) => texts(page, ".note-text");
const state = (page) => text(page, "#desk-state");

export async function desk({ server, sound, shots }) {
  const at = { server, shots };
  const browser = await chromium({ sound });
  try {
    if (!(await check("a dictation gives a note with suggestions, and signing is refused while they are open", () => dictate(browser, at)))) return;
    await check("one key accepts a suggestion and one drops it", () => decide(at));
    await check("a code is changed by searching, and the finding keeps its words", () => recode(at));
    await check("words of the transcript are dragged onto a section, and picked by keyboard", () => pick(at));
    await check("dragged words that nobody knows are given a code, with their evidence", () => give(at));
    if ((await uncovered(at)) > 0) await check("what led to nothing is dismissed", () => dismiss(at));
    else skip("what led to nothing is dismissed", "the recogniser heard no such words");
    await check("undo takes back and redo does again", () => backAndForth(at));
    await check("an open editor stays at its line while others come and go", () => shifted(at));
    await check("a line that is saved and an undo that cross each other are one after the other", () => crossing(at));
    await check("two windows at different lines lose nothing", () => twoWindows(browser, at));
    await check("the history says who, when, from what to what", () => history(at));
    await check("signing shows what was changed and freezes the note", () => sign(at));
    await check("an addendum is a version on, and the signed note is kept", () => addendum(at));
    await check("an addendum that was begun for one patient is not in another's dialog", () => anothers(at));
    await check("it is all there after loading the page again, in Chinese too", () => again(at));
  } finally {
    await browser.close();
  }
}

/** Records until the note has what the checks change: the microphone's sound begins anywhere, and is now and then heard otherwise. */
async function dictate(browser, at) {
  let page, note;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    page = at.page = await open(browser, at.server.address);
    at.id = await start(page, "en");
    await sleep(32000);
    await finish(page);
    await shown(page, "#desk");
    ({ note } = await at.server.recording(at.id));
    at.open = (await record(at)).open;
    const sure = ({ display, confidence, sounds_like: like }) => /diabetes/i.test(display.en) && !like && confidence >= 0.7;
    if (at.open.length >= 2 && note.conditions.some(sure)) break;
    console.log(`         heard otherwise: ${at.open.length} suggestions, ${note.conditions.map(({ display }) => display.en).join(", ")}`);
  }
  await until("the desk is there", async () => (await texts(page, ".suggestion")).length > 0, 20000);
  expect(at.open.length >= 2, `only ${at.open.length} suggestions in ${JSON.stringify(note.sections)}`);
  await page.screenshot({ path: path.join(at.shots, "desk-suggestions.png") });
  await press(page, "#desk-sign");
  await shown(page, "#sign");
  same(await page.evaluate(() => document.querySelector("#sign-yes")), null, "it can be signed all the same");
  const refused = await ask(at, "review", { version: 1 });
  same([refused.status, refused.body.error.code, refused.body.open.length], [409, "open_doubts", at.open.length], "the server's answer");
  await checkDialog(page, "#sign");
  await page.keyboard.press("Escape");
}

const record = ({ server, id }) => server.json(`/v1/recordings/${id}/record`);

async function ask({ server, id }, what, body) {
  const answer = await fetch(`${server.address}/v1/recordings/${id}/note/${what}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

/** No rule of accessibility is broken while a dialog is open, in either scheme. */
async function checkDialog(page, dialog) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    same(await axe(page), [], `${scheme}, ${dialog}`);
  }
  await page.emulateMediaFeatures([]);
}

/** Gives the focus to the line of the first suggestion. */
async function focusSuggestion(page) {
  await page.evaluate(() => document.querySelector(".suggestion").closest(".note-line").querySelector(".note-text").focus());
}

async function decide(at) {
  const { page } = at;
  const count = async () => (await record(at)).open.length;
  const before = at.open.length;
  const [first] = at.open;
  await focusSuggestion(page);
  expect((await texts(page, "#lines mark")).length > 0, "the focus marks no words");
  await page.keyboard.press("a");
  await until("it is accepted", async () => (await count()) === before - 1);
  const { note } = await at.server.recording(at.id);
  const accepted = note.medications.find((drug) => drug.name === first.en) ?? note.conditions.find(({ display }) => display.en === first.en);
  same([accepted.confidence, accepted.sounds_like ?? null, accepted.edited.by], [1, null, "Trial clinician"], "what was accepted");
  same(accepted.evidence, first.evidence, "its evidence");
  for (let left = before - 1; left > 0; left -= 1) {
    await until("the next suggestion is drawn", async () => (await texts(page, ".suggestion")).length === left);
    await focusSuggestion(page);
    await page.keyboard.press("d");
    await until("it is dropped", async () => (await count()) === left - 1);
  }
  const after = await at.server.recording(at.id);
  same(after.note.medications.length + after.note.conditions.length, note.medications.length + note.conditions.length - (before - 1), "findings left");
  await until("nothing is open", async () => (await state(page)) === "Draft");
}

async function recode(at) {
  const { page } = at;
  await page.evaluate(() => [...document.querySelectorAll(".note-text")].find((line) => /DM|iabetes/.test(line.textContent)).focus());
  await page.keyboard.press("c");
  await shown(page, "#codes");
  const several = await page.evaluate(() => {
    const which = document.getElementById("codes-finding");
    which.value = String([...which.options].findIndex((option) => option.textContent.startsWith("Diabetes")));
    return which.options.length;
  });
  expect(several >= 1, "no finding is offered");
  const timings = [];
  for (const [query, wanted] of [["糖尿", "E14.9"], ["E11", "E11"], ["tong niu", "E1"], ["type 2 diab", "E11"]]) {
    await page.evaluate(() => document.getElementById("codes-query").select());
    await page.keyboard.type(query);
    const began = Date.now();
    await until(`${query} finds ${wanted}`, async () => (await texts(page, "#codes-list .code")).some((code) => code.startsWith(wanted)), 15000);
    timings.push(Date.now() - began);
  }
  await checkDialog(page, "#codes");
  await page.screenshot({ path: path.join(at.shots, "desk-codes.png") });
  await page.evaluate(() => document.getElementById("codes-query").focus());
  const chosen = await text(page, "#codes-list [aria-selected=true] .code");
  await page.keyboard.press("Enter");
  await until("the code is changed", async () => (await at.server.recording(at.id)).note.conditions.some(({ codes }) => chosen.startsWith(codes[0].code) && codes[0].code !== "E14.9"));
  const { note } = await at.server.recording(at.id);
  const changed = note.conditions.find(({ edited }) => /Diabetes mellitus E14.9/.test(edited?.was ?? ""));
  expect(changed.evidence.length > 0 && /diabetes/i.test(changed.text), `${JSON.stringify(changed)}`);
  console.log(`         the list stood ${Math.max(...timings)} ms after the last key at most, the page and its drawing with it`);
}

async function pick(at) {
  const { page } = at;
  const before = await lines(page);
  // What the code's change asks for is answered, and drawn: nobody drags so soon, and a section that is drawn anew takes no drop.
  await page.waitForNetworkIdle({ idleTime: 500 });
  await drag(page, 12);
  await until("the dragged words are a line", async () => (await lines(page)).length === before.length + 1);
  const { note } = await at.server.recording(at.id);
  const line = note.sections.find(({ code }) => code === "S").sentences.at(-1);
  same([line.origin, line.evidence[0].start, line.evidence[0].end], ["typed", 0, 12], "where the line comes from");
  expect(/Taken from the transcript by/.test((await texts(page, ".note-line.picked .badge")).at(-1)), "the line does not say that it was taken");
  await page.evaluate(() => [...document.querySelectorAll("#lines li")].find((node) => /pressure/i.test(node.textContent)).querySelector(".pick").focus());
  await page.keyboard.press("Enter");
  await shown(page, "#phrase");
  await checkDialog(page, "#phrase");
  await page.evaluate(() => document.getElementById("phrase-words").focus());
  await page.keyboard.press("o");
  await until("the picked words are a line", async () => (await lines(page)).length === before.length + 2);
}

async function give(at) {
  const { page, server, id } = at;
  const conditions = async () => (await server.recording(id)).note.conditions;
  const before = (await conditions()).length;
  await page.waitForNetworkIdle({ idleTime: 500 });
  await page.evaluate(() => document.querySelector('.note-section[data-section="S"] .note-line:last-child .note-text').focus());
  await page.keyboard.press("c");
  await shown(page, "#codes");
  await page.keyboard.type("migraine");
  await until("migraine is found", async () => ((await texts(page, "#codes-list [aria-selected=true] .code"))[0] ?? "").startsWith("G43"), 15000);
  await page.keyboard.press("Enter");
  await until("it is coded", async () => (await conditions()).length === before + 1);
  const found = (await conditions()).at(-1);
  same([found.display.en, found.origin, found.by, found.evidence[0].start, found.evidence[0].end], ["Migraine", "typed", "Trial clinician", 0, 12], "the finding");
  await press(page, "#desk-undo");
  await until("it is taken back", async () => (await conditions()).length === before);
  await press(page, "#desk-redo");
  await until("and done again", async () => (await conditions()).length === before + 1);
}

/** Selects the first characters of what was said with the mouse, and drags them onto the section of complaints. */
async function drag(page, characters) {
  const { first, last, section } = await page.evaluate((count) => {
    const said = [...document.querySelectorAll("#lines .said")].find((node) => /seat/.test(node.textContent)) ?? document.querySelector("#lines .said");
    const target = document.querySelector('.note-section[data-section="S"]');
    const node = [...said.childNodes].find((each) => each.nodeType === Node.TEXT_NODE);
    target.scrollIntoView({ block: "center" });
    said.scrollIntoView({ block: "nearest" });
    getSelection().removeAllRanges();
    const at = (start) => {
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, start + 1);
      const { left, right, top, bottom } = range.getBoundingClientRect();
      return { left, right, y: (top + bottom) / 2 };
    };
    const { left, top, width, bottom } = target.getBoundingClientRect();
    const section = { x: left + width / 2, y: (top + Math.min(bottom, innerHeight)) / 2 };
    return { first: at(0), last: at(count - 1), section };
  }, characters);
  await page.mouse.move(first.left + 0.5, first.y);
  await page.mouse.down();
  await page.mouse.move(last.right - 0.5, last.y, { steps: 8 });
  await page.mouse.up();
  same(await page.evaluate(() => Array.from(getSelection().toString()).length), characters, "characters that the mouse selected");
  await page.mouse.move((first.left + last.right) / 2, first.y);
  await page.mouse.down();
  await page.mouse.move((first.left + last.right) / 2 + 12, first.y + 4, { steps: 4 });
  await page.mouse.move(section.x, section.y, { steps: 12 });
  await until("the section says that it takes the words", () => page.evaluate(() => document.querySelector(".drop-here")?.dataset.section === "S"), 5000);
  // A hand rests for a moment: the browser takes a drop only where it has asked the page since it came there.
  await page.mouse.move(section.x + 4, section.y, { steps: 4 });
  await sleep(300);
  await page.mouse.up();
}

const uncovered = async ({ server, id }) => (await server.recording(id)).note.uncovered.length;

async function dismiss(at) {
  const before = await uncovered(at);
  await press(at.page, "[data-dismiss]");
  await until("it is dismissed", async () => (await uncovered(at)) === before - 1);
}

async function backAndForth(at) {
  const { page } = at;
  const before = await lines(page);
  await press(page, '[data-remove="S0"]');
  await press(page, ".editor.ask .danger");
  await until("the line is gone", async () => (await lines(page)).length === before.length - 1);
  await page.evaluate(() => document.querySelector(".note-text").focus());
  const both = async (key) => {
    await page.keyboard.down("Control");
    await page.keyboard.press(key);
    await page.keyboard.up("Control");
  };
  await both("z");
  await until("the line is back", async () => JSON.stringify(await lines(page)) === JSON.stringify(before));
  await both("y");
  await until("the line is gone again", async () => (await lines(page)).length === before.length - 1);
  await press(page, "#desk-undo");
  await until("and back", async () => JSON.stringify(await lines(page)) === JSON.stringify(before));
}

/** A line is written while the one above it comes back. */
async function shifted(at) {
  const { page } = at;
  const before = await lines(page);
  await press(page, '[data-remove="S0"]');
  await press(page, ".editor.ask .danger");
  await until("the line above is gone", async () => (await lines(page)).length === before.length - 1);
  await press(page, '[data-edit="S0"]');
  await page.evaluate(() => document.querySelector(".editor textarea").select());
  await page.keyboard.type("Written meanwhile.");
  await press(page, "#desk-undo");
  // The line that is written is not among the lines that are read.
  await until("the line above is back", async () => (await lines(page)).length === before.length - 1 && (await lines(page))[0] === before[0]);
  await page.evaluate(() => document.querySelector(".editor textarea").focus());
  await page.keyboard.press("Enter");
  const expected = JSON.stringify(before.with(1, "Written meanwhile."));
  await until("the line is written in its place", async () => JSON.stringify(await lines(page)) === expected);
  await nobodyElse(page);
  await press(page, "#desk-undo");
  await until("and taken back", async () => JSON.stringify(await lines(page)) === JSON.stringify(before));
}

async function nobodyElse(page) {
  expect(!/changed elsewhere/.test((await texts(page, ".strip")).join(" ")), "the page tells of its own change as of another's");
}

/** In one moment, so that neither is answered when the other is asked for: a line is saved, and undo is pressed before or after. */
async function crossing(at) {
  const { page } = at;
  const before = await lines(page);
  const both = (undoFirst) => page.evaluate((first) => {
    const save = () => document.querySelector(".editor textarea").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    const undo = () => document.getElementById("desk-undo").click();
    for (const act of first ? [undo, save] : [save, undo]) act();
  }, undoFirst);
  const write = async (selector) => {
    await press(page, selector);
    await page.evaluate(() => document.querySelector(".editor textarea").select());
    await page.keyboard.type("Written at once.");
  };
  const { version } = await at.server.recording(at.id);
  const settled = (made) => until(`version ${version + made} is shown`, async () => (await at.server.recording(at.id)).version === version + made && !(await page.evaluate(() => document.querySelector(".editor"))));
  const shows = (what, wanted) => until(what, async () => JSON.stringify(await lines(page)) === JSON.stringify(wanted));
  await write("[data-add=P]");
  await both(false);
  await settled(2);
  await shows("a line that was taken back at once", before);
  await nobodyElse(page);
  await press(page, '[data-remove="S0"]');
  await press(page, ".editor.ask .danger");
  await until("the line above is gone", async () => (await lines(page)).length === before.length - 1);
  await write('[data-edit="S0"]');
  await both(true);
  await settled(5);
  await shows("the line above is back, and the one below written", before.with(1, "Written at once."));
  await nobodyElse(page);
  await press(page, "#desk-undo");
  await shows("and taken back", before);
}

async function twoWindows(browser, at) {
  const other = await open(browser, `${at.server.address}/`, {});
  await other.goto(`${at.server.address}/#${at.id}`);
  await shown(other, "#desk");
  const write = async (page, selector, words) => {
    await press(page, selector);
    await page.evaluate(() => document.querySelector(".editor textarea").select());
    await page.keyboard.type(words);
    await page.keyboard.press("Enter");
  };
  await other.bringToFront();
  await write(other, "[data-add=P]", "Diet advice given.");
  await until("the other window has saved", async () => (await lines(other)).includes("Diet advice given."));
  await at.page.bringToFront();
  await write(at.page, "[data-add=O]", "Looks well.");
  await until("both lines are here", async () => ["Diet advice given.", "Looks well."].every((line) => at.shownLines?.includes(line)) || (at.shownLines = await lines(at.page), false));
  expect(/changed elsewhere/.test((await texts(at.page, ".strip")).join(" ")), "the page does not say that it merged");
  await other.close();
}

async function history(at) {
  const { page } = at;
  await press(page, "#desk-history");
  await shown(page, "#history");
  const heads = await texts(page, "#history-list .head");
  for (const act of ["Suggestion accepted", "Finding dropped", "Code changed", "Code given", "Line made of words said", "Taken back", "Done again", "Line typed"]) {
    expect(heads.some((head) => head.includes(act) && head.includes("Trial clinician")), `no “${act}” in ${JSON.stringify(heads)}`);
  }
  const changes = await texts(page, "#history-list .differences .what");
  expect(changes.some((change) => /Diabetes mellitus.*→.*[Tt]ype 2/.test(change)), `the code's change is not in ${JSON.stringify(changes)}`);
  await checkDialog(page, "#history");
  await page.screenshot({ path: path.join(at.shots, "desk-history.png") });
  await page.keyboard.press("Escape");
}

async function sign(at) {
  const { page } = at;
  await page.evaluate(() => document.querySelector(".note-text").focus());
  await page.keyboard.down("Control");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Control");
  await shown(page, "#sign-yes");
  expect((await texts(page, "#sign .differences li")).length > 3, "it does not show what was changed");
  expect((await texts(page, "#sign .to-read li")).some((line) => /CP|chest/i.test(line)), "the denied pain is not to be read once more");
  await checkDialog(page, "#sign");
  await page.screenshot({ path: path.join(at.shots, "desk-sign.png") });
  await page.click("#sign-yes");
  await until("it is signed", async () => /Signed by Trial clinician/.test(await state(page)));
  same(await page.evaluate(() => document.querySelectorAll("[data-edit], [data-add], #desk-sign:not([hidden])").length), 0, "it can still be changed");
  at.signed = await at.server.recording(at.id);
  const { version } = at.signed;
  for (const [what, body] of [["edits", { version, edit: { op: "add", section: "P", text: "Late." } }], ["undo", { version }], ["review", { version }], ["sign", { version }]]) {
    const refused = await ask(at, what, body);
    same([refused.status, refused.body.error.code], [409, "signed"], `${what} of a signed note`);
  }
  same(await axe(page), [], "a signed note");
}

async function addendum(at) {
  const { page } = at;
  await press(page, "#desk-addendum");
  await shown(page, "#addendum");
  await page.evaluate(() => document.getElementById("addendum-text").focus());
  await page.keyboard.type("Start tammy flu 75 mg BD.");
  await page.click("#addendum-yes");
  await until("what is in doubt is refused", async () => /tammy flu.*oseltamivir/.test((await texts(page, ".strip.bad")).join(" ")));
  same((await at.server.recording(at.id)).version, at.signed.version, "the version after the refusal");
  await press(page, "#desk-addendum");
  await shown(page, "#addendum");
  await page.evaluate(() => document.getElementById("addendum-text").select());
  await page.keyboard.type("FU 1/52 instead, called by phone.");
  await checkDialog(page, "#addendum");
  await page.click("#addendum-yes");
  await until("the addendum is there", async () => (await lines(page)).includes("FU 1/52 instead, called by phone."));
  expect(/Addendum by Trial clinician/.test((await texts(page, ".badge")).join(" ")), "the line does not say that it is an addendum");
  const { version, note } = await at.server.recording(at.id);
  same(version, at.signed.version + 1, "the version");
  const said = (document) => document.sections.flatMap(({ sentences }) => sentences.map((sentence) => sentence.text));
  expect(said(at.signed.note).every((line) => said(note).includes(line)), "a signed line is gone");
  same((await record(at)).signed.length, 2, "signatures");
  await page.screenshot({ path: path.join(at.shots, "desk-signed.png") });
}

async function anothers(at) {
  const { page, server } = at;
  const post = async (address, body) => {
    const answer = await fetch(`${server.address}${address}`, { method: "POST", headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
    expect(answer.ok, `${address}: ${answer.status}`);
    return answer.json();
  };
  const patient = await post("/v1/patients", { name: "WONG Siu Ming" });
  const visit = await post(`/v1/patients/${patient.id}/encounters`, {});
  const { recording } = await post(`/v1/encounters/${visit.id}/typed-note`);
  for (const step of ["review", "sign"]) await post(`/v1/recordings/${recording}/note/${step}`, { version: 1 });
  const typed = () => page.evaluate(() => document.getElementById("addendum-text").value);
  const dialog = async (id, empty = false) => {
    await page.goto(`${server.address}/#${id}`);
    await until("its signed note is shown", async () => ((await lines(page)).length === 0) === empty && page.evaluate(() => !document.getElementById("desk-addendum").hidden));
    await press(page, "#desk-addendum");
    await shown(page, "#addendum");
  };
  await dialog(at.id);
  await page.evaluate(() => document.getElementById("addendum-text").focus());
  await page.keyboard.type("Of the first patient.");
  await page.keyboard.press("Escape");
  await press(page, "#desk-addendum");
  same(await typed(), "Of the first patient.", "what was typed is kept");
  await page.keyboard.press("Escape");
  await dialog(recording, true);
  same(await typed(), "", "what is in the other's dialog");
  await page.keyboard.press("Escape");
  await dialog(at.id);
  await page.keyboard.press("Escape");
}

async function again(at) {
  const { page } = at;
  await page.reload();
  await until("it is still signed", async () => /Signed by/.test(await state(page)));
  expect(/Addendum by/.test((await texts(page, ".badge")).join(" ")), "the addendum's badge is gone");
  await page.click("#language-zh");
  await until("the desk is Chinese", async () => /已簽署/.test(await state(page)));
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2, isMobile: false });
  await press(page, "#tab-note");
  await sleep(300);
  await page.screenshot({ path: path.join(at.shots, "desk-phone.png") });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than a phone");
  same(await axe(page), [], "a signed note on a phone");
  same(page.faults.filter((fault) => !/409/.test(fault)), [], "errors in the console");
}
