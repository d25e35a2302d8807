// Letters of a signed note, and the clinic's page, in Chromium.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";

import { axe } from "./accessibility.mjs";
import { chromium, finish, open, press, shown, start, texts } from "./browsers.mjs";
import { check, expect, same, skip, sleep, until } from "./harness.mjs";

/** What is dictated. */
export const VISIT = [
  "Good morning. Please take a seat.",
  "I have had a headache for three days. I have no chest pain. I am allergic to penicillin.",
  "Blood pressure is one hundred and forty five over ninety. You have hypertension. I will refer you to the eye clinic.",
  "I will give you two days of sick leave. Come back in four weeks.",
];

const TEMPLATE = "leave out: denied\n[S]\nComplains of {{complaints}}\n[O]\n{{O}}\n[A]\n{{A}}\n[P]\n{{Plan}}";
const problem = (page, kind) => page.evaluate((wanted) => document.querySelector(`#letter-problem-${wanted}`).textContent, kind);

export async function letters({ server, sound, shots }) {
  const at = { server, shots };
  const browser = await chromium({ sound });
  try {
    if (!(await check("a visit is recorded, and no letter is written before it is signed", () => unsigned(browser, at)))) return;
    await check("letters of the signed note are pages that say what it says", () => pages(browser, at));
    await check("a letter as PDF has text that can be searched", () => pdf(at));
    await check("the clinic's page has figures of the signed note, and keeps a form of the note", () => clinic(at));
  } finally {
    await browser.close();
  }
}

async function ask({ server, id }, what, body) {
  const answer = await fetch(`${server.address}/v1/recordings/${id}/${what}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

async function unsigned(browser, at) {
  const page = (at.page = await open(browser, at.server.address));
  at.id = await start(page, "en");
  await sleep(30000);
  await finish(page);
  await shown(page, "#letters-open");
  await press(page, "#letters-open");
  await shown(page, "#letters");
  await press(page, '[data-letter="summary-pdf"]');
  await until("the refusal", async () => (await problem(page, "summary")).includes("not signed"));
  const refused = await fetch(`${at.server.address}/v1/recordings/${at.id}/letters/summary`);
  same([refused.status, (await refused.json()).error.code], [409, "not_signed"], "the server's answer");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    same(await axe(page), [], scheme);
  }
  await page.emulateMediaFeatures([]);
  await page.screenshot({ path: path.join(at.shots, "letters-dialog.png") });
  await page.keyboard.press("Escape");
  await sign(at);
}

/** Whatever is in doubt is dropped; then the note is reviewed and signed. */
async function sign(at) {
  const record = async () => (await fetch(`${at.server.address}/v1/recordings/${at.id}/record`)).json();
  for (let { open: doubts, version } = await record(); doubts.length > 0; { open: doubts, version } = await record()) {
    await ask(at, "note/edits", { version, edit: { op: "drop", finding: doubts[0].finding } });
  }
  const { version } = await record();
  same((await ask(at, "note/review", { version })).status, 200, "the review");
  same((await ask(at, "note/sign", { version })).status, 200, "the signature");
  at.note = (await at.server.recording(at.id)).note;
}

async function pages(browser, at) {
  const { page } = at;
  await press(page, "#letters-open");
  await shown(page, "#letters");
  await page.evaluate(() => {
    document.querySelector("#letter-from-sick-leave").value = "2026-12-31";
  });
  const wanted = { summary: ["診症摘要", "過敏", "penicillin"], referral: ["Referral letter", "eye clinic"], "sick-leave": ["Sick leave certificate", "2026-12-31", "2027-01-01"] };
  const heard = at.note.plan.map(({ text }) => text).join("; ");
  if (!heard.toLowerCase().includes("eye clinic")) {
    wanted.referral.pop();
    skip("the clinic's name in the referral", `the recogniser heard ${heard}`);
  }
  const kinds = { referral: "referral", "sick_leave": "sick-leave" };
  const there = ["summary", ...at.note.plan.map(({ kind }) => kinds[kind]).filter(Boolean)];
  for (const kind of Object.keys(wanted)) {
    if (!there.includes(kind)) {
      await press(page, `[data-letter="${kind}-html"]`);
      await until("the refusal", async () => (await problem(page, kind)).length > 0);
      skip(`the page of ${kind}`, `the recogniser heard none in ${JSON.stringify(at.note.plan.map(({ kind }) => kind))}`);
      continue;
    }
    const opened = new Promise((done) => browser.once("targetcreated", done));
    await press(page, `[data-letter="${kind}-html"]`);
    const letter = await (await opened).page();
    const words = await until("the letter", () => letter.evaluate(() => document.readyState === "complete" && document.querySelector("article")?.innerText));
    for (const word of wanted[kind]) expect(words.includes(word), `${kind} does not say ${word}: ${words}`);
    same(await axe(letter), [], kind);
    await letter.setViewport({ width: 900, height: 1250 });
    await letter.screenshot({ path: path.join(at.shots, `letter-${kind}.png`), fullPage: true });
    await letter.close();
  }
  await page.keyboard.press("Escape");
}

async function pdf(at) {
  const answer = await fetch(`${at.server.address}/v1/recordings/${at.id}/letters/summary?format=pdf`);
  if (answer.status === 501) return skip("the PDF", "no Chinese font is installed");
  same([answer.status, answer.headers.get("content-type")], [200, "application/pdf"], "the answer");
  const file = path.join(at.shots, "letter-summary.pdf");
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  if (spawnSync("pdftotext", ["-v"]).error) return skip("the PDF's text", "poppler-utils is not installed");
  const words = execFileSync("pdftotext", ["-layout", file, "-"]).toString();
  for (const word of ["診症摘要", "過敏", "penicillin", "1/1"]) expect(words.includes(word), `${word} is not in ${words}`);
}

async function clinic(at) {
  const { page } = at;
  await press(page, "#to-clinic");
  await shown(page, "#clinic");
  await until("the figures", async () => (await texts(page, "#clinic-figures dd")).length === 3);
  await until("the form", () => page.evaluate(() => document.querySelector("#template-save") !== null));
  const fill = (text) => page.evaluate((body) => {
    document.querySelector("#template-name").value = "Mine";
    document.querySelector("#template-text").value = body;
    document.querySelector("#template-save").click();
  }, text);
  await fill("[S]\n{{nothing}}");
  await until("the mistake is named", async () => (await texts(page, "#clinic-templates .problem"))[0].includes("line 2"));
  await fill(TEMPLATE);
  await until("the form is kept", async () => (await texts(page, "#clinic-templates li strong")).includes("Mine"));
  same(await axe(page), [], "the clinic's page");
  await page.screenshot({ path: path.join(at.shots, "clinic.png") });
  const text = await (await fetch(`${at.server.address}/v1/recordings/${at.id}/note?format=text&template=Mine`)).text();
  if (!JSON.stringify(at.note.sections).includes("C/O")) skip("the form's complaints", "the recogniser heard none");
  else expect(text.includes("Complains of") && !text.includes("C/O"), text);
  // The console names the answers to what was refused: a letter before the signature, a form that cannot be read.
  same(page.faults.filter((fault) => !/409|422/.test(fault)), [], "errors in the console");
}
