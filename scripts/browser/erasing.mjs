// The privacy officer erases on the page: for a reason, with the number typed once more; what a hold keeps stays, and nobody else may.
import path from "node:path";

import { axe } from "./accessibility.mjs";
import { shown, text } from "./browsers.mjs";
import { expect, same, until } from "./harness.mjs";
import { ask, enrol, fill, json, person } from "./people.mjs";

/** `recording` is another patient's. */
export async function erasing({ browser, server, shots, admin, doctor, recording }) {
  const known = { name: "Ip Sentinel", identifiers: [{ kind: "clinic", value: "IP-77" }, { kind: "hkid", value: "C123456(9)" }] };
  const { id } = await json(doctor, "POST", "/v1/patients", known);
  const encounter = await json(doctor, "POST", `/v1/patients/${id}/encounters`, {});
  const typed = async (signed) => {
    const made = (await json(doctor, "POST", `/v1/encounters/${encounter.id}/typed-note`)).recording;
    const note = `/v1/recordings/${made}`;
    const { version } = await json(doctor, "GET", `${note}/record`);
    await json(doctor, "POST", `${note}/note/edits`, { version, edit: { op: "add", section: "P", text: "Rest." } });
    const desk = await json(doctor, "GET", `${note}/record`);
    for (const step of signed ? ["review", "sign"] : []) await json(doctor, "POST", `${note}/note/${step}`, { version: desk.version });
    return made;
  };
  const notes = [await typed(true), await typed(true), await typed(false)];
  const officer = await person(browser, server.origin);
  await enrol(officer, (await json(admin, "POST", "/v1/invitations", { name: "Ms Kwok", kind: "privacy_officer" })).link, {});
  const number = { kind: "clinic", value: "IP-77" };
  const decision = { patient: id, known_by: { number }, recording: null, reason: "term_over", seen: { visits: 1, recordings: 3, signed: 2, signatures: 2, asked: false } };
  const others = [["a doctor", doctor], ["an administrator", admin]];
  for (const kind of ["nurse", "registrar", "auditor"]) {
    const one = await person(browser, server.origin);
    await enrol(one, (await json(admin, "POST", "/v1/invitations", { name: `Some ${kind}`, kind })).link, {});
    others.push([kind, one]);
  }
  for (const [who, page] of others) {
    await page.goto(`${server.origin}/accounts`);
    await shown(page, "#account");
    expect(!(await page.evaluate(() => document.getElementById("erasures").checkVisibility())), `${who} is shown the card`);
    same((await ask(page, "POST", "/v1/erasures/look", { number })).status, 403, `${who} looks`);
    same((await ask(page, "POST", "/v1/erasures", decision)).status, 403, `${who} erases`);
  }
  for (const [, page] of others.slice(2)) await page.close();
  const code = async (more) => JSON.parse((await ask(officer, "POST", "/v1/erasures", { ...decision, ...more })).body).error?.code;
  same(await code({ known_by: { number: { kind: "hkid", value: "A123456(3)" } } }), "invalid", "another patient's number");
  same(await code({ seen: { ...decision.seen, signatures: 1 } }), "erasure_changed", "more than was shown");
  same(await code({ recording: notes[2] }), "not_found", "a draft");
  same(await code({ recording: recording }), "not_found", "another patient's recording");
  const tried = (await json(doctor, "GET", `/v1/patients/${id}/report`)).lines.filter(({ what, refused, who }) => what === "刪除" && refused !== null && who === "Ms Kwok");
  same(tried.map(({ refused }) => refused).sort(), ["內容已有變更", "職務不容許", "職務不容許", "職務不容許"].sort(), "refusals that the log has, of another number, of what has changed and of what is no signed note of the patient");
  same(await code({ reason: "curiosity" }), "invalid", "a reason that is none");
  same((await ask(doctor, "GET", `/v1/recordings/${notes[0]}`)).status, 200, "what nobody may erase");

  await officer.goto(`${server.origin}/accounts`);
  await shown(officer, "#erasures");
  await officer.bringToFront();
  await officer.click("#language-en");
  const look = async () => {
    await officer.select("#erasure-kind", "clinic");
    await fill(officer, { "erasure-value": "IP-77" });
    await officer.click("#erasure-look");
    await shown(officer, "#erasure-found");
  };
  const decide = async (again) => {
    await shown(officer, "#erasure-ask");
    await officer.select("#erasure-reason", "term_over");
    await fill(officer, { "erasure-again": again });
    await officer.click("#erasure-ask-yes");
  };
  await look();
  const told = () => text(officer, "#erasure-found");
  expect((await told()).includes("Visits: 1,") && (await told()).includes("Recordings and typed notes: 3, 2 of them signed"), `the page says ${await told()}`);
  expect((await told()).includes("The law and the Medical Council want clinical records kept"), "the page does not say what the law wants");
  expect(!(await told()).includes("Sentinel") && !(await told()).includes("Rest."), "the page names the patient, or says a word of a note");
  same((await officer.$$("#erasure-recordings button")).length, 2, "recordings that are erased one by one");

  // The log's name of the patient finds them too, and what they asked for of their data is told first. No officer erases without saying why.
  await json(doctor, "POST", `/v1/patients/${id}/access-requests`);
  const { pseudonym } = await json(officer, "POST", "/v1/erasures/look", { number });
  await officer.select("#erasure-kind", "pseudonym");
  await fill(officer, { "erasure-value": pseudonym });
  await officer.click("#erasure-look");
  await until("the access request is shown", async () => (await text(officer, "#erasure-against")).includes("The patient asked for their data on"));
  await json(doctor, "POST", `/v1/patients/${id}/access-requests/answer`);
  for (const at of [`patients/${id}`, `recordings/${notes[0]}`]) same((await ask(officer, "DELETE", `/v1/${at}`)).status, 404, `an officer's DELETE of ${at}`);

  // A hold that is there is shown with its reason; one that is placed meanwhile is told by the refusal.
  const place = (reason) => json(admin, "POST", "/v1/holds", { patient: id, reason });
  const first = await place("A claim of 2025");
  await look();
  await until("the hold is shown", async () => (await text(officer, "#erasure-against")).includes("A claim of 2025"));
  same(await officer.$$eval("#erasure-found button", (all) => all.map(({ disabled }) => disabled)), [true, true, true], "buttons while it is on hold");
  await json(admin, "DELETE", `/v1/holds/${first.id}`);
  await look();
  await officer.click("#erasure-all");
  await shown(officer, "#erasure-ask");
  for (const scheme of ["light", "dark"]) {
    await officer.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    same(await axe(officer), [], `${scheme}, the dialog`);
    await officer.screenshot({ path: path.join(shots, `erase-${scheme}.png`) });
  }
  await officer.emulateMediaFeatures([]);
  await officer.click("#erasure-ask-yes");
  expect(await officer.evaluate(() => document.getElementById("erasure-ask").open && document.getElementById("erasure-problem").textContent === ""), "one press is enough to erase");
  await decide("IP-78");
  await until("another number is told", async () => (await text(officer, "#erasure-problem")).includes("not what you looked for"));
  const second = await place("A claim of 2026");
  await decide("ip 77");
  await until("the refusal is told", async () => (await text(officer, "#erasure-problem")).includes("legal hold"));
  same((await ask(doctor, "GET", `/v1/patients/${id}`)).status, 200, "the patient who is on hold");
  await officer.click("#erasure-ask-no");
  await json(admin, "DELETE", `/v1/holds/${second.id}`);

  await officer.click(`[data-erasable="${notes[0]}"] button`);
  await decide("IP-77");
  await shown(officer, "#erasure-done");
  same((await ask(doctor, "GET", `/v1/recordings/${notes[0]}`)).status, 404, "the recording that was erased");
  same((await ask(doctor, "GET", `/v1/recordings/${notes[1]}`)).status, 200, "the other one");
  const [erased, decided] = (await text(officer, "#erasure-done")).match(/\d+/g).map(Number);
  const { lines } = await json(doctor, "GET", `/v1/patients/${id}/report`);
  const line = (entry) => lines.find((one) => one.entry === entry);
  same([line(erased).what, line(erased).refused, line(decided).what], ["刪除", null, "私隱主任決定刪除（不再需要，保存期限已過）"], "the entries that the page names");
  expect(lines.some(({ what, refused, who }) => what === "刪除" && refused === "法律保留中" && who === "Ms Kwok"), "the log has not what was refused");

  await look();
  await officer.click("#erasure-all");
  await decide("IP-77");
  await shown(officer, "#erasure-done");
  same((await ask(doctor, "GET", `/v1/patients/${id}`)).status, 404, "the patient who was erased");
  same((await ask(doctor, "GET", `/v1/recordings/${notes[2]}`)).status, 404, "the draft that went with everything");
  for (const scheme of ["light", "dark"]) {
    await officer.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    same(await axe(officer), [], `${scheme}, the card`);
  }
  await officer.click("#language-zh");
  expect(/已刪除：稽核日誌第 \d+ 項/.test(await text(officer, "#erasure-done")), "the outcome is not in Chinese");
  await officer.screenshot({ path: path.join(shots, "erased.png"), fullPage: true });
  expect(!officer.url().includes("IP"), "the address has the number");
  await fill(officer, { "erasure-value": "IP-77" });
  await officer.click("#erasure-look");
  await shown(officer, "#problem");
  same(officer.faults, [], "errors of scripts");
  await officer.close();
}
