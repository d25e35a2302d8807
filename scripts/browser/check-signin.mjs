// Sign-in with passkeys of Chromium's virtual authenticator: set-up, invitations, two organisations, devices; and that nobody gets at
// anything without the right session.
import { spawnSync } from "node:child_process";
import path from "node:path";

import WebSocket from "ws";

import { chromium, shown, text, texts } from "./browsers.mjs";
import { erasing } from "./erasing.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { ask, AUTHENTICATOR, enrol, fill, json, organisationLink, person, sent } from "./people.mjs";
import { Server } from "./server.mjs";

const NAME = "Chan Sentinel";
/** What anybody may ask for: the way in, and the description of the interface. */
const OPEN = ["/v1/sign-in/begin", "/v1/sign-in/finish", "/v1/sign-in/role", "/v1/enrolments/look", "/v1/enrolments/begin", "/v1/enrolments/finish",
  "/v1/openid/issuers", "/v1/sign-in/openid/begin", "/v1/sign-in/openid/finish", "/v1/enrolments/openid/begin", "/v1/enrolments/openid/finish"];

/** Every address of the interface with its method, ids put in. */
async function routes(server, ids) {
  const { paths } = await server.json("/openapi.json");
  const put = (where) => where.replace(/\{(\w+)\}/g, (_, name) => {
    if (name !== "id") return { name: "x", kind: "summary" }[name] ?? "x";
    return Object.entries(ids).find(([start]) => where.startsWith(start))?.[1] ?? "x";
  });
  return Object.entries(paths).flatMap(([where, methods]) =>
    Object.keys(methods).filter((method) => ["get", "post", "put", "delete"].includes(method)).map((method) => ({ method: method.toUpperCase(), route: where, where: put(where) })));
}

const BODIES = {
  "/v1/patients": { name: "Intruder" },
  "/v1/patients/search": { text: "Chan" },
  "/v1/patients/{id}": { version: 1, patient: { name: "Intruder" } },
  "/v1/patients/{id}/encounters": {},
  "/v1/encounters/{id}/refusal": { refused: true },
  "/v1/encounters/{id}/recording-consent": { by: "patient", how: "spoken" },
  "/v1/recordings/{id}/move": { from: null, to: "x" },
  "/v1/recordings/{id}/note/edits": { version: 1, edit: { op: "add", section: "P", text: "Intruder" } },
  "/v1/recordings/{id}/note/addenda": { version: 1, lines: [] },
  "/v1/learned/forget": { words: "x", concept: { kind: "drug", name: "x" } },
  "/v1/terminology/search": { text: "diab" },
  "/v1/invitations": { name: "Intruder", kind: "doctor" },
  "/v1/merges": { one: "x", other: "y", same: true },
  "/v1/letterhead": { address: "1 Intruder Road" },
  "/v1/devices": { name: "Intruder", room: "1", scope: "record", days: 1 },
  "/v1/template-choice": { specialty: "", name: null },
  "/v1/templates/{name}": { text: "[S]\n{{S}}" },
  "/v1/passkeys/finish": { ceremony: "x", answer: {}, label: "x" },
  "/v1/enrolments/accept": { token: "x" },
  "/v1/openid/bindings/begin": { issuer: "x" },
  "/v1/openid/bindings/finish": { ceremony: "x", code: "x", state: "x" },
};
const QUERIES = { "/v1/worklist": "?from=2026-01-01T00:00:00Z&until=2036-01-01T00:00:00Z", "/v1/recordings/{id}/note": "?format=json", "/v1/recordings/{id}/transcript": "?format=json" };
const bodyOf = ({ method, route }) => (method === "GET" || method === "DELETE" ? undefined : BODIES[route] ?? { version: 1 });

export async function signIn({ binary, shots }) {
  const server = new Server(binary, { trial: false });
  const browser = await chromium();
  let admin, doctor, colleague, otherAdmin, stranger;
  let patient, visit, recording;
  try {
    await check("sign-in: the first administrator comes in with the link that the server prints, once", async () => {
      await server.start();
      const link = await until("the link is printed", () => server.log.match(/http:\S+\/accounts#\S+/)?.[0]);
      admin = await person(browser, server.origin);
      await shown(admin, "#sign-in");
      await enrol(admin, link, { "enrol-organisation": "Peak Clinic", "enrol-chinese": "山頂診所", "enrol-name": "Ms Ho" });
      await shown(admin, "#admin");
      same(await text(admin, "#account-name"), "Ms Ho", "who is signed in");
      await shown(admin, "#second");
      await admin.screenshot({ path: path.join(shots, "account.png"), fullPage: true });
      const again = await person(browser, server.origin);
      await again.goto("about:blank");
      await again.goto(link);
      await shown(again, "#problem");
      expect(!(await again.evaluate(() => document.cookie)).includes("cantoscribe"), "a script reads the cookie");
      await again.close();
    });

    await check("sign-in: a second passkey is asked for and registered", async () => {
      await admin.keys.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: admin.authenticator, enabled: false });
      const second = await admin.keys.send("WebAuthn.addVirtualAuthenticator", { options: { ...AUTHENTICATOR, transport: "usb" } });
      await fill(admin, { "passkey-label": "blue key" });
      await admin.click("#passkey-add");
      await until("two passkeys are listed", async () => (await texts(admin, "#passkeys li")).length === 2);
      expect(await admin.evaluate(() => document.getElementById("second").hidden), "a second is still asked for");
      await admin.keys.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: second.authenticatorId });
      await admin.keys.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: admin.authenticator, enabled: true });
    });

    await check("sign-in: an administrator changes name, department and last day of somebody", async () => {
      const { link } = await json(admin, "POST", "/v1/invitations", { name: "Nurse Mok", kind: "nurse", department: "A&E" });
      const nurse = await person(browser, server.origin);
      await enrol(nurse, link, {});
      await admin.reload();
      await until("the nurse is listed", async () => (await texts(admin, "#people li")).some((one) => one.includes("Nurse Mok") && one.includes("A&E")));
      await admin.evaluate(() => [...document.querySelectorAll("#people li")].find((one) => one.textContent.includes("Nurse Mok")).querySelector("button").click());
      await shown(admin, "#staff-form");
      await fill(admin, { "staff-name": "Nurse Mok Wai", "staff-department": "Ward 3", "staff-end": "2035-12-31" });
      await admin.click("#staff-go");
      await until("the change is shown", async () => (await texts(admin, "#people li")).some((one) => one.includes("Nurse Mok Wai") && one.includes("Ward 3")));
      const found = (await json(admin, "GET", "/v1/people")).roles.find(({ name }) => name === "Nurse Mok Wai");
      same([found.department, found.ends_at], ["Ward 3", "2035-12-31T15:59:59Z"], "what is kept");
      same((await ask(nurse, "PUT", `/v1/roles/${found.role}`, { department: null, ends_at: null })).status, 403, "a nurse who changes a role");
      same((await ask(admin, "PUT", `/v1/roles/${found.role}`, { department: null, ends_at: "soon" })).status, 422, "an end that is none");
      await json(admin, "DELETE", `/v1/roles/${found.role}`);
      same((await ask(nurse, "GET", "/v1/patients")).status, 401, "after the end");
      await nurse.close();
    });

    await check("sign-in: an invited doctor registers, signs out and in again, and sees an empty desk", async () => {
      await fill(admin, { "invite-name": "Dr Chan", "invite-kind": "doctor" });
      await admin.click("#invite-go");
      await shown(admin, "#link");
      doctor = await person(browser, server.origin);
      await enrol(doctor, await text(admin, "#link-value"), {});
      same(await text(doctor, "#account-name"), "Dr Chan", "who is signed in");
      await doctor.click("#sign-out");
      await shown(doctor, "#sign-in");
      same((await ask(doctor, "GET", "/v1/patients")).status, 401, "after signing out");
      await doctor.click("#use-passkey");
      await shown(doctor, "#account");
      await doctor.click("#to-desk");
      await shown(doctor, "#home");
      await until("the desk's link to the account says Dr Chan", async () => (await text(doctor, "#to-account")) === "Dr Chan");
      patient = await json(doctor, "POST", "/v1/patients", { name: NAME, identifiers: [{ kind: "hkid", value: "A123456(3)" }] });
      visit = await json(doctor, "POST", `/v1/patients/${patient.id}/encounters`, {});
      recording = (await json(doctor, "POST", `/v1/encounters/${visit.id}/typed-note`)).recording;
      same((await json(doctor, "GET", "/v1/patients")).patients.length, 1, "the doctor's patients");
    });

    await check("sign-in: a colleague and another organisation see none of it, not even that it is there", async () => {
      const link = (await json(admin, "POST", "/v1/invitations", { name: "Dr Lee", kind: "doctor" })).link;
      colleague = await person(browser, server.origin);
      await enrol(colleague, link, {});
      await server.end();
      const other = organisationLink(server);
      await server.start();
      otherAdmin = await person(browser, server.origin);
      await enrol(otherAdmin, other, { "enrol-organisation": "Harbour Hospital", "enrol-name": "Mr Wong" });
      const invited = (await json(otherAdmin, "POST", "/v1/invitations", { name: "Dr Ng", kind: "doctor" })).link;
      stranger = await person(browser, server.origin);
      await enrol(stranger, invited, {});
      for (const page of [colleague, stranger]) {
        same((await json(page, "GET", "/v1/patients")).patients, [], "patients");
        same((await json(page, "POST", "/v1/patients/search", { text: "A123456(3)" })).patients, [], "found by number");
        same((await json(page, "GET", "/v1/recordings")).recordings, [], "recordings");
        for (const [there, not] of [[`/v1/patients/${patient.id}`, "/v1/patients/x"], [`/v1/encounters/${visit.id}`, "/v1/encounters/x"], [`/v1/recordings/${recording}`, "/v1/recordings/x"]]) {
          same(await ask(page, "GET", there), await ask(page, "GET", not), `${there} is told from what is not there`);
        }
      }
      await json(stranger, "POST", "/v1/patients", { name: "Wong", identifiers: [{ kind: "hkid", value: "A123456(3)" }] });
    });

    await check("sign-in: every address refuses who is not signed in, has the wrong role, is of another organisation", async () => {
      const all = await routes(server, { "/v1/patients/": patient.id, "/v1/encounters/": visit.id, "/v1/recordings/": recording });
      expect(all.length > 50, `only ${all.length} addresses`);
      const quiet = ({ body }, what) => expect(!body.includes(NAME) && !body.includes("A123456") && !body.includes("Peak"), `${what} reveals: ${body}`);
      for (const one of all) {
        const { method, where, route } = one;
        const query = QUERIES[route] ?? "";
        const body = bodyOf(one);
        if (!OPEN.includes(route)) {
          const options = { method, headers: body ? { "content-type": "application/json" } : {}, body: body && JSON.stringify(body) };
          const answer = await fetch(server.origin + where + query, options);
          same(answer.status, 401, `${method} ${route} without a session`);
        }
        // What has the patient's ids in it is another's to nobody else.
        if (/\{id\}/.test(route) && /^\/v1\/(patients|encounters|recordings)\//.test(route)) {
          for (const [who, page] of Object.entries({ stranger, colleague, admin })) {
            const answer = await ask(page, method, where + query, body);
            expect([403, 404, 422].includes(answer.status), `${method} ${route} by ${who} was answered with ${answer.status}: ${answer.body}`);
            quiet(answer, `${method} ${route} by ${who}`);
          }
        }
      }
      for (const where of ["/v1/patients", "/v1/recordings", "/v1/templates", "/v1/figures", `/v1/worklist${QUERIES["/v1/worklist"]}`]) {
        same((await ask(admin, "GET", where)).status, 403, `${where} by an administrator`);
      }
      for (const where of ["/v1/people", "/v1/devices", "/v1/letterhead"]) same((await ask(doctor, "GET", where)).status, 403, `${where} by a doctor`);
      same((await ask(doctor, "POST", "/v1/invitations", BODIES["/v1/invitations"])).status, 403, "an invitation by a doctor");
      const people = await json(otherAdmin, "GET", "/v1/people");
      same(people.roles.map(({ name }) => name).sort(), ["Dr Ng", "Mr Wong"], "people that another organisation's administrator sees");
      const doctors = (await json(admin, "GET", "/v1/people")).roles.find(({ name }) => name === "Dr Chan");
      same((await ask(otherAdmin, "DELETE", `/v1/roles/${doctors.role}`)).status, 404, "another organisation ends the role");
      same((await ask(otherAdmin, "POST", `/v1/people/${doctors.person}/recovery`)).status, 404, "another organisation recovers");
      same((await json(doctor, "GET", `/v1/patients/${patient.id}`)).name, NAME, "the patient is as before");
    });

    await check("sign-in: to erase a patient is offered to a doctor who treats them, and not to a nurse, who is refused", async () => {
      const nurse = await person(browser, server.origin);
      await enrol(nurse, (await json(admin, "POST", "/v1/invitations", { name: "Nurse Wan", kind: "nurse" })).link, {});
      const { role } = (await json(admin, "GET", "/v1/people")).roles.find(({ name }) => name === "Nurse Wan");
      await json(doctor, "POST", `/v1/patients/${patient.id}/treating`, { role });
      for (const [who, offered] of [[nurse, false], [doctor, true]]) {
        const desk = await who.browserContext().newPage();
        await desk.goto(server.origin);
        await shown(desk, "#choose-patient");
        await desk.click("#choose-patient");
        await shown(desk, "#chooser-search");
        await desk.keyboard.type(NAME);
        await desk.keyboard.press("Enter");
        await shown(desk, "#new-visit");
        await desk.click("#chooser .found li:first-child button");
        await shown(desk, "#edit-patient");
        const asked = desk.waitForResponse((answer) => answer.url().endsWith("/v1/session"));
        await desk.click("#edit-patient");
        await shown(desk, "#chooser form");
        await asked;
        await sleep(300);
        same(await desk.evaluate(() => document.getElementById("erase-patient") !== null), offered, "whether it is offered");
        await desk.close();
      }
      same((await ask(nurse, "DELETE", `/v1/patients/${patient.id}`)).status, 403, "a nurse who erases a patient");
      await json(admin, "DELETE", `/v1/roles/${role}`);
      await nurse.close();
    });

    await check("sign-in: a room's microphone records its organisation's visits alone, and its end closes what is open", async () => {
      const enrolled = await json(admin, "POST", "/v1/devices", { name: "Room 1", room: "1", scope: "record", days: 1 });
      const program = await json(admin, "POST", "/v1/devices", { name: "Program", scope: "transcribe", days: 1 });
      const query = (encounter) => `rate=16000&format=pcm_s16le&encounter=${encounter}`;
      const dial = (token, what) =>
        new Promise((done) => {
          const socket = new WebSocket(`${server.origin.replace("http", "ws")}/v1/listen?${what}`, { headers: { authorization: `Bearer ${token}` } });
          socket.on("unexpected-response", (_, answer) => done({ status: answer.statusCode }));
          socket.on("message", (data) => done({ socket, said: JSON.parse(data) }));
          socket.on("error", () => {});
        });
      same((await dial(enrolled.token, query(visit.id))).status, 403, "a visit whose patient nobody asked");
      same((await ask(doctor, "POST", `/v1/encounters/${visit.id}/recording-consent`, { by: "dog", how: "spoken" })).status, 422, "a yes of nobody");
      const agreed = await json(doctor, "POST", `/v1/encounters/${visit.id}/recording-consent`, { by: "patient", how: "spoken" });
      same([agreed.recording_consent.by, agreed.recording_consent.how], ["patient", "spoken"], "the yes as noted");
      const { socket, said } = await dial(enrolled.token, query(visit.id));
      same(said?.type, "ready", "the microphone's first word");
      const foreign = await json(stranger, "GET", "/v1/patients");
      const theirs = await json(stranger, "POST", `/v1/patients/${foreign.patients[0].id}/encounters`, {});
      same((await dial(enrolled.token, query(theirs.id))).status, 403, "another organisation's visit");
      same((await dial(program.token, query(visit.id))).status, 403, "a program that records");
      same((await dial("x", query(visit.id))).status, 401, "a token that is none");
      const models = (token) => fetch(`${server.origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status);
      same([await models(program.token), await models("x")], [200, 401], "a program's models");
      same((await fetch(`${server.origin}/v1/patients`, { headers: { authorization: `Bearer ${enrolled.token}` } })).status, 401, "a device at the patients");
      // The words come first; the connection is closed a second after the client has read why.
      const told = new Promise((done) => socket.on("message", (data) => JSON.parse(data).code === "not_signed_in" && done(Date.now())));
      const closed = new Promise((done) => socket.on("close", done));
      const began = await sent(admin, "DELETE", `/v1/devices/${enrolled.id}`);
      const took = (await told) - began;
      expect(took < 1000, `the microphone was sent away after ${took} ms`);
      await closed;
      same((await dial(enrolled.token, query(visit.id))).status, 401, "a token that was revoked");
    });

    await check("sign-in: a legal hold keeps a patient and their recordings from being erased until it is lifted", async () => {
      const held = { number: { kind: "hkid", value: "A123456(3)" }, reason: "A claim of 2026" };
      same((await ask(doctor, "POST", "/v1/holds", held)).status, 403, "a hold by a doctor");
      same((await ask(admin, "POST", "/v1/holds", { ...held, reason: " " })).status, 422, "a hold without a reason");
      const hold = await json(admin, "POST", "/v1/holds", held);
      same([hold.patient, hold.lifted_at, hold.placed_by], [patient.id, null, "Ms Ho"], "the hold");
      for (const where of [`/v1/patients/${patient.id}`, `/v1/recordings/${recording}`]) {
        const refused = await ask(doctor, "DELETE", where);
        same([refused.status, JSON.parse(refused.body).error.code], [409, "on_hold"], `erasing ${where}`);
      }
      same((await ask(otherAdmin, "DELETE", `/v1/holds/${hold.id}`)).status, 404, "another organisation lifts it");
      same((await json(otherAdmin, "GET", "/v1/holds")).holds, [], "another organisation's list");
      await json(admin, "DELETE", `/v1/holds/${hold.id}`);
      const [lifted] = (await json(admin, "GET", "/v1/holds")).holds;
      expect(lifted.lifted_at !== null && lifted.reason === held.reason, "the list does not say that it was lifted");
      const report = await json(doctor, "GET", `/v1/patients/${patient.id}/report`);
      same(report.lines.filter(({ what }) => what.includes("法律保留")).length, 2, "the report's lines about it");
    });

    await check("sign-in: in the midst of a recording a hold on it keeps it, one on its patient lets it be stopped and erased", async () => {
      const { token } = await json(admin, "POST", "/v1/devices", { name: "Room 2", room: "2", scope: "record", days: 1 });
      await json(doctor, "POST", `/v1/encounters/${visit.id}/recording-consent`, { by: "patient", how: "spoken" });
      const address = `${server.origin.replace("http", "ws")}/v1/listen?rate=16000&format=pcm_s16le&encounter=${visit.id}`;
      const begin = () => new Promise((done, fail) => {
        const socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } });
        socket.on("error", fail);
        socket.once("message", (data) => done({ socket, id: JSON.parse(data).recording }));
      });
      /** What the server says to `cancel`, and how it closes. */
      const cancel = (socket) => new Promise((done) => {
        let said;
        socket.on("message", (data) => {
          const { type, code } = JSON.parse(data);
          if (type === "erased" || type === "error") said = code ?? type;
        });
        socket.on("close", (how) => done([said, how]));
        socket.send(JSON.stringify({ type: "cancel" }));
      });
      const place = (held) => json(admin, "POST", "/v1/holds", { ...held, reason: "A claim of 2026" });
      const lift = ({ id }) => json(admin, "DELETE", `/v1/holds/${id}`);
      const erase = async (id) => (await ask(doctor, "DELETE", `/v1/recordings/${id}`)).status;
      const kept = await begin();
      const itself = await place({ recording: kept.id });
      same(await erase(kept.id), 409, "erasing what is held itself while it is recorded");
      same(await cancel(kept.socket), ["on_hold", 1008], "stopping what is held itself");
      await lift(itself);
      const theirs = await place({ patient: patient.id });
      same(await erase(kept.id), 409, "erasing a recording that nobody holds any more");
      const live = await begin();
      same(await cancel(live.socket), ["erased", 1000], "stopping a recording of a patient on hold");
      same((await ask(doctor, "GET", `/v1/recordings/${live.id}`)).status, 404, "what was stopped");
      await lift(theirs);
      same(await erase(kept.id), 204, "erasing after the hold was lifted");
      const { lines } = await json(doctor, "GET", `/v1/patients/${patient.id}/report`);
      same(lines.filter(({ what, refused }) => what === "刪除" && refused === "法律保留中").length >= 3, true, "the log has what was refused");
    });

    await check("sign-in: the privacy officer places a hold on the page and lifts it there", async () => {
      const officer = await person(browser, server.origin);
      await enrol(officer, (await json(admin, "POST", "/v1/invitations", { name: "Ms Fung", kind: "privacy_officer" })).link, {});
      await shown(officer, "#holds");
      await officer.bringToFront();
      await fill(officer, { "hold-kind": "hkid", "hold-value": "A123456(4)", "hold-reason": "A complaint" });
      await officer.click("#hold-go");
      await shown(officer, "#problem");
      expect((await text(officer, "#problem")).includes("check digit"), "the page does not say what is wrong with the number");
      await fill(officer, { "hold-value": "A123456(3)" });
      await officer.click("#hold-go");
      await shown(officer, '[data-hold][data-lifted="false"]');
      await officer.screenshot({ path: path.join(shots, "holds.png"), fullPage: true });
      same((await ask(doctor, "DELETE", `/v1/patients/${patient.id}`)).status, 409, "erasing while it is on hold");
      await officer.click('[data-hold][data-lifted="false"] button');
      await shown(officer, "#confirm");
      await officer.click("#confirm-yes");
      await until("it is lifted", () => officer.evaluate(() => document.querySelector('[data-hold][data-lifted="false"]') === null));
      same(officer.faults, [], "errors of scripts");
      await officer.close();
    });

    await check("sign-in: the privacy officer erases on the page for a reason, what a hold keeps not, and nobody else may", () =>
      erasing({ browser, server, shots, admin, doctor, recording }));

    await check("sign-in: the registry merges two patients who are one, both doctors treat both, and takes it back", async () => {
      const known = { name: "LAU Ka Yan", chinese_name: "劉嘉欣", born: "1971-04-05", sex: "female", allergies: ["penicillin"] };
      const one = await json(doctor, "POST", "/v1/patients", known);
      same(one.possible, [], "whom the first may be");
      const again = await json(doctor, "POST", "/v1/patients", { ...known, name: "Lau Kar Yan", allergies: null });
      same(again.possible.map(({ one: a, other: b }) => [a.id, b.id].includes(one.id)), [true], "whom the doctor's second may be");
      await json(doctor, "DELETE", `/v1/patients/${again.id}`);
      // They will stand under whom was entered first, which is kept in seconds.
      await sleep(1100);
      const other = await json(colleague, "POST", "/v1/patients", { ...known, name: "Lau Kar Yan", allergies: null });
      same(other.possible, [], "a doctor is told of a colleague's patient");
      const registrar = await person(browser, server.origin);
      await enrol(registrar, (await json(admin, "POST", "/v1/invitations", { name: "Mr Yip", kind: "registrar" })).link, {});
      await shown(registrar, "#merges-possible li");
      await registrar.bringToFront();
      expect((await text(registrar, "#merges-possible li")).includes("date of birth: the same"), "the page does not say why");
      await registrar.screenshot({ path: path.join(shots, "merges.png"), fullPage: true });
      const said = { one: one.id, other: other.id, same: true };
      same((await ask(doctor, "POST", "/v1/merges", said)).status, 403, "a doctor merges");
      same((await ask(admin, "POST", "/v1/merges", said)).status, 404, "an administrator merges");
      same((await ask(colleague, "GET", `/v1/patients/${one.id}`)).status, 404, "a colleague's patient");
      await registrar.click("#merges-possible button.primary");
      await shown(registrar, "#confirm");
      await registrar.click("#confirm-yes");
      await shown(registrar, '[data-merge][data-same="true"]');
      const merged = await json(colleague, "GET", `/v1/patients/${one.id}`);
      same([merged.allergies, merged.merged.map(({ id }) => id)], [["penicillin"], [other.id]], "the colleague's view of the one");
      same((await json(colleague, "GET", "/v1/patients")).patients.map(({ id }) => id), [one.id], "the colleague's list");
      same((await json(doctor, "POST", "/v1/patients/search", { text: "Lau Kar" })).patients.map(({ id }) => id), [one.id], "found by the other's name");
      same(JSON.parse((await ask(doctor, "DELETE", `/v1/patients/${one.id}`)).body).error.code, "merged", "erasing while merged");
      same((await ask(registrar, "POST", "/v1/merges", said)).status, 409, "merging once more");
      await registrar.click('[data-merge][data-same="true"] button');
      await shown(registrar, "#merges-possible li");
      same((await ask(colleague, "GET", `/v1/patients/${one.id}`)).status, 404, "a colleague's patient, afterwards");
      same((await json(doctor, "GET", `/v1/patients/${one.id}`)).merged, [], "the doctor's patient, afterwards");
      const report = await json(doctor, "GET", `/v1/patients/${one.id}/report`);
      same(["合併病人記錄", "還原合併"].map((what) => report.lines.filter((line) => line.what === what && !line.refused).length), [1, 1], "what the report says of it");
      same(registrar.faults, [], "errors of scripts");
      await registrar.close();
    });

    await check("sign-in: the end of a role closes its sessions and its sockets within a second", async () => {
      // Not at the desk, which goes to the sign-in by itself.
      await doctor.goto(`${server.origin}/accounts`);
      await shown(doctor, "#account");
      // What was stopped and erased took the yes back.
      await json(doctor, "POST", `/v1/encounters/${visit.id}/recording-consent`, { by: "patient", how: "spoken" });
      await doctor.evaluate((id) => {
        const socket = new WebSocket(`ws://${location.host}/v1/listen?rate=16000&format=pcm_s16le&encounter=${id}`);
        window.ended = new Promise((done) => socket.addEventListener("message", ({ data }) => JSON.parse(data).code === "not_signed_in" && done(Date.now())));
        window.ready = new Promise((done) => socket.addEventListener("message", ({ data }) => JSON.parse(data).type === "ready" && done()));
      }, visit.id);
      await doctor.evaluate(() => window.ready);
      const { role } = (await json(admin, "GET", "/v1/people")).roles.find(({ name }) => name === "Dr Chan");
      const began = await sent(admin, "DELETE", `/v1/roles/${role}`);
      const took = (await doctor.evaluate(() => window.ended)) - began;
      expect(took < 1000, `the doctor was sent away after ${took} ms`);
      same((await ask(doctor, "GET", "/v1/patients")).status, 401, "a role that has ended");
      await doctor.goto(`${server.origin}/accounts`);
      await shown(doctor, "#sign-in");
      await doctor.click("#use-passkey");
      await shown(doctor, "#problem");
      const own = (await json(admin, "GET", "/v1/people")).roles.find(({ name }) => name === "Ms Ho");
      same((await ask(admin, "DELETE", `/v1/roles/${own.role}`)).status, 409, "the last administrator");
    });

    await check("sign-in: one person has a role in each organisation, chooses, and sees that one's patients", async () => {
      const link = (await json(admin, "POST", "/v1/invitations", { name: "Dr Ng", kind: "nurse" })).link;
      await stranger.goto("about:blank");
      await stranger.goto(link);
      await shown(stranger, "#enrol-accept");
      await stranger.click("#enrol-accept");
      await shown(stranger, "#done");
      await stranger.click("#sign-out");
      await shown(stranger, "#sign-in");
      await stranger.click("#use-passkey");
      await shown(stranger, "#choose");
      same((await texts(stranger, "#choose-list button")).sort(), ["Harbour Hospital · Doctor", "Peak Clinic · Nurse"], "the choice");
      await stranger.evaluate(() => [...document.querySelectorAll("#choose-list button")].find((one) => one.textContent.includes("Nurse")).click());
      await shown(stranger, "#account");
      same((await json(stranger, "GET", "/v1/patients")).patients, [], "patients of the other organisation in this session");
      same(stranger.faults, [], "errors of scripts");
    });

    await check("sharing: a form of the patient's page is taken as our own, and a link of nothing opens nothing", async () => {
      const page = await (await browser.createBrowserContext()).newPage();
      await page.bringToFront();
      await page.goto(`${server.origin}/d/${"A".repeat(22)}/${"A".repeat(43)}`);
      const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === "POST"), page.click("button")]);
      same(answer.status(), 403, "the answer to a link of nothing");
      expect(answer.headers()["content-type"].startsWith("text/html"), "the form was refused as foreign, and not the link");
      await page.browserContext().close();
    });

    await check("sign-in: a flood of sign-ins from the same address keeps nobody out", async () => {
      // As many connections as one address may have open are half of all: a thousand at once, three times.
      const answers = new Set();
      for (let wave = 0; wave < 3; wave += 1) {
        const flood = Array.from({ length: 1000 }, () => fetch(`${server.origin}/v1/sign-in/begin`, { method: "POST" }).then(({ status }) => status));
        for (const status of await Promise.all(flood)) answers.add(status);
      }
      same([...answers], [200], "answers to the flood");
      await admin.goto(`${server.origin}/accounts`);
      await shown(admin, "#account");
      await admin.click("#sign-out");
      await shown(admin, "#sign-in");
      await admin.click("#use-passkey");
      await shown(admin, "#account");
    });

    await check("sign-in: tries are limited by address, and the log of it all verifies", async () => {
      let status = 0;
      for (let tries = 0; tries < 60 && status !== 429; tries += 1) {
        status = (await fetch(`${server.origin}/v1/enrolments/look`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"token":"x"}' })).status;
      }
      same(status, 429, "after many tries");
      same((await json(admin, "GET", "/v1/session")).name, "Ms Ho", "who is in stays in");
      await server.end();
      const verified = spawnSync(binary, ["audit", "verify", path.join(server.data, "audit"), "--key", path.join(server.data, "audit.pub")], { encoding: "utf8" });
      expect(verified.status === 0, `audit verify: ${verified.stdout}${verified.stderr}`);
      expect(!server.log.includes(NAME) && !server.log.includes("A123456"), "the server's log names a patient");
    });
  } finally {
    await browser.close();
    server.stop();
  }
}
