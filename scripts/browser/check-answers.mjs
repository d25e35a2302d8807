// The desk, in Chromium, while answers come late, cross each other or are lost, and while another window changes the same note.
import { chromium, open, press, shown, text, texts } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { ask } from "./server.mjs";

const lines = (page) => texts(page, ".note-text");
const strips = async (page) => (await texts(page, ".strip")).join(" ");
const isOpen = (page, dialog) => page.evaluate((id) => document.getElementById(id).open, dialog);

export async function answers({ server }) {
  const browser = await chromium();
  try {
    const page = await open(browser, server.address);
    const at = { server, page, hold: await holding(page) };
    await check("Enter gives the code of what is typed, and a list that was asked for before is in no later dialog", () => codes(at));
    await check("nothing is signed while a line is not saved, and the dialog shows what was saved while it was asked for", () => signing(at));
    await check("a note that was moved meanwhile is not signed under the banner of before", () => elsewhere(at));
    await check("a line that is being saved is neither overtaken nor thrown away", () => saving(at));
    await check("a line whose answer was lost is saved once", () => lost(at));
    await check("a note that is changed elsewhere while it is opened or marked is shown with its desk", () => renewed(at));
    await check("an answer for one note does nothing to another", () => another(at));
    await check("what is suggested for one note is not in another's room, and is taken with what it did shown", () => suggested(at));
    same(page.faults.filter((fault) => !/409|404|ERR_FAILED/.test(fault)), [], "errors in the console");
  } finally {
    await browser.close();
  }
}

/**
 * Gives `hold(method, address)`, which stops such requests on their way: `come()` waits for the first, `go()` lets all go, `lose()` lets
 * the server answer and loses the answer, `fail()` keeps them from the server.
 */
async function holding(page) {
  const held = [];
  await page.setRequestInterception(true);
  page.on("request", async (request) => {
    const hold = held.find(({ method, address }) => request.method() === method && address.test(request.url()));
    const how = hold && (await hold.take(request));
    if (how === "lose") {
      const { "content-type": kind } = request.headers();
      await fetch(request.url(), { method: request.method(), headers: kind ? { "content-type": kind } : {}, body: request.postData() });
    }
    await (how ? request.abort() : request.continue()).catch(() => {});
  });
  return (method, address) => {
    let [came, end] = [0, null];
    const over = new Promise((done) => (end = done));
    const hold = { method, address, take: () => ((came += 1), over) };
    held.push(hold);
    const ending = (how) => () => {
      held.splice(held.indexOf(hold), 1);
      end(how);
    };
    return { come: () => until(`${method} ${address} is asked for`, () => came > 0), go: ending(null), lose: ending("lose"), fail: ending("fail") };
  };
}

async function post({ server }, address, body) {
  const answer = await ask(server, "POST", address, body);
  expect(answer.status < 300, `${address}: ${answer.status} ${answer.said}`);
  return answer.body;
}

const change = (at, id, version, edit) => post(at, `/v1/recordings/${id}/note/edits`, { version, edit });

/** A typed note of a new patient's, with these lines. */
async function made(at, name, written = []) {
  const patient = await post(at, "/v1/patients", { name });
  const visit = await post(at, `/v1/patients/${patient.id}/encounters`, {});
  const { recording: id } = await post(at, `/v1/encounters/${visit.id}/typed-note`);
  let version = 1;
  for (const [section, line] of written) ({ version } = await change(at, id, version, { op: "add", section, text: line }));
  return { id, version, name, visit: visit.id };
}

const go = ({ page }, id) => page.evaluate((hash) => (location.hash = hash), id);

/** Opens it and waits until it is the one that is shown, with its desk. */
async function show(at, { id, version, name }) {
  await go(at, id);
  await until("its desk is shown", () => at.page.evaluate((whose) => document.getElementById("banner").textContent.includes(whose) && !document.getElementById("desk").hidden, name));
  if (version > 1) await until("its lines are drawn", async () => (await lines(at.page)).length > 0);
}

async function note(at, name, written) {
  // Nothing that another check left open is in the way.
  await at.page.goto(`${at.server.address}/`);
  await shown(at.page, "#home");
  const fresh = await made(at, name, written);
  await show(at, fresh);
  return fresh;
}

async function type(at, section, words) {
  await press(at.page, `[data-add=${section}]`);
  await at.page.keyboard.type(words);
}

const key = (page, name) => page.keyboard.press(name);

async function askToSign({ page }) {
  await page.focus(".note-text");
  await page.keyboard.down("Control");
  await key(page, "Enter");
  await page.keyboard.up("Control");
}

async function codes(at) {
  const { page, server } = at;
  const { id } = await note(at, "Typed faster", [["A", "Imp: Zorbital frimm."], ["P", "Rev Quandle bost."]]);
  const dialog = async (line) => {
    await page.focus(`[data-section=${line}] .note-text`);
    await key(page, "c");
    await shown(page, "#codes");
  };
  const listed = () => texts(page, "#codes-list .code");
  await dialog("A");
  const late = at.hold("POST", /terminology/);
  await page.keyboard.type("diabetes");
  await late.come();
  await key(page, "Escape");
  await dialog("P");
  late.go();
  await sleep(400);
  same(await listed(), [], "what the other line was looked up for");
  await key(page, "Escape");
  await dialog("A");
  await page.keyboard.type("diabetes");
  await until("diabetes is found", async () => (await listed())[0]?.startsWith("E14"));
  await page.keyboard.type(" insipidus");
  await key(page, "Enter");
  await until("it is coded", async () => (await server.recording(id)).note.conditions.length === 1);
  const [{ codes: given }] = (await server.recording(id)).note.conditions;
  same(given[0].code, "E23.2", "the code of what was typed");
}

async function signing(at) {
  const { page, server } = at;
  const { id } = await note(at, "Signed too soon", [["S", "Headache."], ["P", "Rest."]]);
  await type(at, "O", "Chest clear.");
  await press(page, "#desk-sign");
  await until("it is said that a line is not saved", async () => /not saved yet/.test(await strips(page)));
  same([await isOpen(page, "sign"), await page.evaluate(() => document.activeElement.value)], [false, "Chest clear."], "the dialog, and what is typed");
  const slow = at.hold("POST", /note\/edits$/);
  await key(page, "Enter");
  await slow.come();
  await askToSign(at);
  slow.go();
  await shown(page, "#sign-yes");
  await key(page, "Escape");
  const first = at.hold("POST", /note\/edits$/);
  await press(page, '[data-remove="P0"]');
  await press(page, ".editor.ask .danger");
  await first.come();
  await askToSign(at);
  if (await addAtOnce(page)) {
    await page.keyboard.type("Written meanwhile.");
    await key(page, "Enter");
  }
  first.go();
  await shown(page, "#sign-yes");
  const said = (await texts(page, "#sign .differences .what")).join(" ");
  // What was asked for meanwhile is answered.
  await sleep(600);
  await page.click("#sign-yes");
  await until("it is signed", async () => /Signed by/.test(await text(page, "#desk-state")));
  const { note: signed } = await server.recording(id);
  const unseen = signed.sections.flatMap(({ sentences }) => sentences).map((line) => line.text).filter((line) => !said.includes(line));
  same(unseen, [], "signed lines that the dialog did not show");
}

/** Clicks where a line is added, as one does who waits for nothing; whether there is an editor then. */
const addAtOnce = (page) => page.evaluate(() => {
  document.querySelector("[data-add=O]").click();
  return document.querySelector(".editor textarea") !== null;
});

async function elsewhere(at) {
  const { page, server } = at;
  const { id, visit, version } = await note(at, "AAA Before", [["S", "Headache."]]);
  const other = await made(at, "BBB Since");
  await askToSign(at);
  await shown(page, "#sign-yes");
  expect((await text(page, "#sign-banner")).includes("AAA Before"), "the dialog does not say whose the note is");
  await post(at, `/v1/recordings/${id}/move`, { from: visit, to: other.visit });
  await page.click("#sign-yes");
  await until("it is said that it was moved", async () => /moved to another visit/.test(await strips(page)));
  same((await server.json(`/v1/recordings/${id}/record`)).stage, "draft", "what became of the note");
  expect((await text(page, "#banner")).includes("BBB Since"), "the page does not show whose it is now");
  const vouch = (act, seen) => ask(server, "POST", `/v1/recordings/${id}/note/${act}`, { version, ...seen });
  for (const seen of [{ encounter: visit }, { encounter: null }]) {
    const refused = await vouch("review", seen);
    same([refused.status, refused.body.error.code, refused.body.banner.encounter.id, refused.body.moves.length], [409, "moved", other.visit, 1], "a review under another visit");
  }
  same((await vouch("review", { encounter: 1 })).status, 422, "a visit that is a number");
  same((await vouch("review", {})).status, 200, "a review that says nothing of the visit");
  same((await vouch("sign", { encounter: visit })).body.error.code, "moved", "a signature under another visit");
  await askToSign(at);
  await shown(page, "#sign-yes");
  await page.click("#sign-yes");
  await until("it is signed under the other", async () => /Signed by/.test(await text(page, "#desk-state")));
}

async function saving(at) {
  const { page } = at;
  await note(at, "Saved slowly", [["S", "Headache."], ["P", "Rest."]]);
  const removing = at.hold("POST", /note\/edits$/);
  await press(page, '[data-remove="P0"]');
  await press(page, ".editor.ask .danger");
  await removing.come();
  const overtaken = await addAtOnce(page);
  removing.go();
  await until("the line is gone", async () => (await lines(page)).length === 1);
  same(await page.evaluate(() => document.querySelector(".editor textarea") !== null), overtaken, "the editor that was opened meanwhile");
  if (!overtaken) await press(page, "[data-add=O]");
  await page.keyboard.type("Chest clear.");
  const adding = at.hold("POST", /note\/edits$/);
  await key(page, "Enter");
  await adding.come();
  await key(page, "Escape");
  adding.go();
  await until("what was saved is shown", async () => (await lines(page)).includes("Chest clear."));
}

async function lost(at) {
  const { page, server } = at;
  const { id } = await note(at, "Answer lost", [["S", "Headache."]]);
  await type(at, "P", "Start amlodipine 5 mg daily.");
  const first = at.hold("POST", /note\/edits$/);
  await key(page, "Enter");
  await first.come();
  first.lose();
  await shown(page, ".editor .problem");
  await page.focus(".editor textarea");
  await key(page, "Enter");
  await until("it is saved", () => page.evaluate(() => document.querySelector(".editor") === null));
  const { note: now, version } = await server.recording(id);
  same([now.medications.length, now.sections.find(({ code }) => code === "P").sentences.length, version], [1, 1, 3], "drugs, lines and the version");
  expect(!/changed elsewhere/.test(await strips(page)), "the page takes its own change for another's");
  const edit = { op: "add", section: "S", text: "No fever." };
  const send = (called, seen = version) => ask(server, "POST", `/v1/recordings/${id}/note/edits`, { version: seen, edit, id: called });
  const called = "the-same-edit-again";
  const twice = await Promise.all([send(called), send(called), send(called)]);
  same(twice.map(({ status, body }) => [status, body.version, body.merged]), Array(3).fill([200, version + 1, false]), "the same at once");
  same((await send(`${called}-not`)).body.version, version + 2, "another that says the same");
  const again = await send(called);
  same([again.body.version, again.body.merged], [version + 2, true], "the first once more");
  for (const wrong of ["", "short", "a".repeat(65), "陳大文陳大文陳大文陳大文", "with a blank in it", 7]) same((await send(wrong)).status, 422, `an edit called ${wrong}`);
}

async function renewed(at) {
  const { page } = at;
  const first = await made(at, "Changed while opened", [["S", "Headache."]]);
  const desk = at.hold("GET", /\/record$/);
  await go(at, first.id);
  await desk.come();
  await change(at, first.id, first.version, { op: "add", section: "P", text: "Other window." });
  desk.go();
  await shown(page, "#desk");
  await until("the other's line is shown", async () => (await lines(page)).includes("Other window."));
  const second = await made(at, "Changed while marked", [["A", "Imp: diabetes."]]);
  const status = at.hold("GET", /v1\/status$/);
  await show(at, second);
  await change(at, second.id, second.version, { op: "add", section: "S", text: "No chest pain." });
  await press(page, "#desk-restrict");
  await shown(page, "#desk-restricted");
  await until("the other's line is shown", async () => (await lines(page)).includes("No CP.") || (await lines(page)).includes("No chest pain."));
  status.fail();
  await press(page, "#desk-sign");
  await shown(page, "#sign-yes");
  await key(page, "Escape");
}

async function another(at) {
  const { page, server } = at;
  const first = await note(at, "AAA First", [["A", "Imp: Zorbital frimm."]]);
  const second = await note(at, "BBB Second", [["A", "Imp: Quandle bost."]]);
  await show(at, first);
  const history = at.hold("GET", /history$/);
  await press(page, "#desk-history");
  await history.come();
  await show(at, second);
  history.go();
  await sleep(400);
  same(await isOpen(page, "history"), false, "the history of the first is open over the second");
  await page.focus(".note-text");
  await key(page, "c");
  await shown(page, "#codes");
  await page.keyboard.type("migraine");
  await until("migraine is found", async () => ((await texts(page, "#codes-list .code"))[0] ?? "").startsWith("G43"));
  await show(at, first);
  // Where the dialog was not closed, it is answered.
  await key(page, "Enter");
  await sleep(600);
  const found = async ({ id }) => (await server.recording(id)).note.conditions.length;
  same([await found(first), await found(second)], [0, 0], "what was coded");
  if (await isOpen(page, "codes")) await key(page, "Escape");
}

/** A term that was coded in two signed notes is suggested in the next. */
async function suggested(at) {
  const { page, server } = at;
  const words = "Wexley prond";
  const { concepts: [{ concept }] } = await post(at, "/v1/terminology/search", { text: "migraine" });
  for (const name of ["Taught once", "Taught twice"]) {
    const { id, version } = await made(at, name, [["A", `Imp: ${words}.`]]);
    const coded = await change(at, id, version, { op: "code", section: "A", index: 0, concept });
    for (const act of ["review", "sign"]) await post(at, `/v1/recordings/${id}/note/${act}`, { version: coded.version });
  }
  const next = await made(at, "Said again", [["A", `?${words}.`]]);
  const late = at.hold("GET", /learned$/);
  await go(at, next.id);
  await late.come();
  await press(page, "#new");
  await shown(page, "#home");
  await press(page, "#start");
  await shown(page, "#pause");
  late.go();
  await sleep(400);
  same([await texts(page, "#learned li"), await page.evaluate(() => document.getElementById("learned").checkVisibility())], [[], false], "what is suggested in another's room");
  await press(page, "#cancel");
  await shown(page, "#confirm");
  await page.click("#confirm-yes");
  await shown(page, "#home");
  await show(at, next);
  await shown(page, "#learned li button");
  const failing = at.hold("POST", /note\/edits$/);
  await press(page, "#learned li button");
  await failing.come();
  failing.fail();
  await until("it is said that it failed", async () => /reach|server|connection/i.test(await strips(page)));
  await shown(page, "#learned li button");
  await press(page, "#learned li button");
  await until("it is taken", async () => (await server.recording(next.id)).note.conditions.length === 1);
  await until("the line is drawn with its finding", () => page.evaluate(() => document.querySelector("[data-code=A0]") !== null));
  await until("it is suggested no more", async () => (await texts(page, "#learned li")).length === 0);
}
