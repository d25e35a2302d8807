// Signs in through real providers. Called by scripts/check-openid, which says what it needs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { chromium, text, texts } from "./browsers.mjs";
import { check, close, expect, same, until } from "./harness.mjs";
import { ask, enrol, json, person } from "./people.mjs";
import { Provider } from "./provider.mjs";
import { freePort, remove, Server } from "./server.mjs";

const [root, binary] = process.argv.slice(2);
const scratch = mkdtempSync(path.join(tmpdir(), "cantoscribe-openid-"));
const [port, firstPort, secondPort] = [await freePort(), await freePort(), await freePort()];
const origin = `http://localhost:${port}`;
const hospital = new Provider({ port: firstPort, back: `${origin}/accounts`, alg: "RS256" });
const other = new Provider({ port: secondPort, back: `${origin}/accounts`, alg: "ES256", method: "client_secret_post" });
const [settings, secret] = [path.join(scratch, "openid.toml"), path.join(scratch, "secret")];
writeFileSync(secret, `${hospital.secret}\n`, { mode: 0o600 });
const providers = [hospital.settings(`secret_file = "${secret}"`, "Peak Hospital", "山頂醫院"), other.settings('secret_environment = "OTHER_SECRET"', "Other", "另一處")];
writeFileSync(settings, providers.join("\n"), { mode: 0o600 });
process.env.OTHER_SECRET = other.secret;
const server = new Server(path.resolve(root, binary), { trial: false, more: ["--openid", settings] });
server.port = port;
const browser = await chromium();
process.on("exit", () => {
  server.stop();
  remove(scratch);
});

/** Waits for something to be shown, over the pages that lie between. */
function shown(page, selector) {
  const look = (wanted) => document.querySelector(wanted)?.checkVisibility() ?? false;
  return until(`${selector} is shown`, () => page.evaluate(look, selector).catch(() => false), 30000);
}

/** The events of the audit log, read without our program. */
function events() {
  const program = "import json, sys; sys.path.insert(0, 'scripts/walk'); from pathlib import Path; from events import events; print(json.dumps(list(events(Path(sys.argv[1])))))";
  const read = spawnSync("python3", ["-c", program, path.join(server.data, "audit")], { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  expect(read.status === 0, read.stderr);
  return JSON.parse(read.stdout);
}
/** What was done, without whom to. */
const did = ({ action }) => (typeof action === "string" ? action : Object.keys(action)[0]);
const refusals = () => events().filter(({ action, outcome }) => action === "sign_in" && outcome.refused).length;

/** Waits until one more refused sign-in stands in the log. */
const audited = (before, what) => until(`the log tells of ${what}`, () => refusals() > before, 10000);

/** Types a name in at the provider. */
async function typeIn(page, name) {
  await shown(page, "#login");
  await page.type("#login", name);
  await Promise.all([page.waitForNavigation(), page.click("#go")]);
}

const press = (page, place, provider) => page.evaluate((where, issuer) => document.querySelector(`#${where} [data-issuer="${issuer}"]`).click(), place, provider.issuer);
const problem = async (page) => (await shown(page, "#problem"), text(page, "#problem"));
const code = ({ body }) => (body ? JSON.parse(body).error?.code : undefined);
const REFUSED = /was not accepted/;

/** A new window at the sign-in. */
async function stranger() {
  const page = await person(browser, origin);
  await page.click("#language-en");
  await shown(page, "#sign-in");
  return page;
}

/** Comes in as the auditor, who stays on the account's page. */
async function chooseAuditor(page) {
  await page.evaluate(() => [...document.querySelectorAll("#choose-list button")].find((one) => one.textContent.includes("Auditor")).click());
  await shown(page, "#account");
}

/** Goes to a provider and back without the page: what was begun, and what the provider sent the browser back with. */
async function fetched(page, provider, name, begin = "/v1/sign-in/openid/begin", more = {}) {
  const { ceremony, url } = await json(page, "POST", begin, { issuer: provider.issuer, ...more });
  const away = await page.browserContext().newPage();
  await away.setRequestInterception(true);
  let back = null;
  away.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/accounts`)) return request.continue();
    back = new URL(request.url());
    return request.respond({ status: 200, contentType: "text/plain", body: "caught" });
  });
  await away.goto(url);
  if (back === null) await typeIn(away, name);
  await until("the provider sends the browser back", () => back);
  await away.close();
  return { ceremony, ...Object.fromEntries(back.searchParams) };
}

let admin, doctor, link;

await check("the server starts while both providers are down, and passkeys let people in", async () => {
  await server.start();
  const setUp = await until("the link is printed", () => server.log.match(/http:\S+\/accounts#\S+/)?.[0]);
  admin = await person(browser, origin);
  await admin.goto("about:blank");
  await admin.goto(setUp);
  await shown(admin, "#enrol");
  expect(await admin.evaluate(() => document.getElementById("enrol-openid").hidden), "a set-up is offered a provider");
  const token = setUp.split("#")[1];
  same((await ask(admin, "POST", "/v1/enrolments/openid/begin", { issuer: hospital.issuer, entry: { token } })).status, 403, "a set-up at a provider");
  await enrol(admin, setUp, { "enrol-organisation": "Peak Clinic", "enrol-chinese": "山頂診所", "enrol-name": "Ms Ho" });
  await shown(admin, "#admin");
  const page = await stranger();
  same(await texts(page, "#sign-in-openid button"), ["Sign in with Peak Hospital", "Sign in with Other"], "the buttons");
  await page.click("#language-zh");
  same(await texts(page, "#sign-in-openid button"), ["用山頂醫院登入", "用另一處登入"], "the buttons in Chinese");
  await page.click("#language-en");
  await press(page, "sign-in-openid", hospital);
  expect(/cannot be reached/.test(await problem(page)), "the page does not say that the provider is down");
  await page.close();
});

await check("neither secret is in the process list", () => {
  const line = readFileSync(`/proc/${server.process.pid}/cmdline`, "utf8");
  expect(!line.includes(hospital.secret) && !line.includes(other.secret), line);
});

await check("providers that come up are found by themselves", async () => {
  await Promise.all([hospital.start(), other.start()]);
  for (const { issuer } of [hospital, other]) await until("a sign-in can be begun", async () => (await ask(admin, "POST", "/v1/sign-in/openid/begin", { issuer })).status === 200, 60000);
  same(code(await ask(admin, "POST", "/v1/sign-in/openid/begin", { issuer: "https://login.example" })), "not_there", "an issuer that is none");
});

await check("a stranger who signs in there is refused here, told nothing, and in the log", async () => {
  const before = refusals();
  const page = await stranger();
  await press(page, "sign-in-openid", hospital);
  await typeIn(page, "nobody@peak.example");
  expect(REFUSED.test(await problem(page)), "what the page says");
  same(new URL(page.url()).search, "", "the code stands in the address");
  same((await ask(page, "GET", "/v1/session")).status, 401, "a session");
  // Who is signed in was asked three times: by the page as it was opened and when it came back, and here.
  await audited(before + 3, "a stranger");
  same((await json(admin, "GET", "/v1/people")).roles.length, 1, "people: nobody is provisioned");
  await page.close();
});

await check("an invited doctor binds herself at the provider, and is in", async () => {
  ({ link } = await json(admin, "POST", "/v1/invitations", { name: "Dr Chan", kind: "doctor", email: "nobody@peak.example" }));
  doctor = await person(browser, origin);
  await doctor.goto("about:blank");
  await doctor.goto(link);
  await shown(doctor, "#enrol-openid");
  await doctor.click("#language-en");
  const before = events().length;
  await press(doctor, "enrol-openid", hospital);
  await typeIn(doctor, "staff-1");
  await shown(doctor, "#home");
  const { name, role, passkeys, bindings } = await json(doctor, "GET", "/v1/session");
  same([name, role.kind, passkeys, bindings], ["Dr Chan", "doctor", 0, 1], "the session");
  const told = await until("the log tells of it", () => events().length > before + 2 && events().slice(before, before + 3));
  same(told.map(did), ["credential_add", "role_give", "sign_in"], "what the log tells");
  const again = await stranger();
  same(code(await ask(again, "POST", "/v1/enrolments/look", { token: link.split("#")[1] })), "token_refused", "the link, used");
  await again.close();
  await doctor.goto(`${origin}/accounts`);
  await shown(doctor, "#account");
  expect((await text(doctor, "#bindings li")).startsWith("Peak Hospital"), "the sign-in is listed");
  same((await texts(doctor, "#bindings button")).length, 0, "the last way in can be removed");
  const { id } = (await json(doctor, "GET", "/v1/openid/bindings")).bindings[0];
  same((await ask(doctor, "DELETE", `/v1/openid/bindings/${id}`)).status, 404, "the last way in is removed");
});

await check("she signs out, and in again at the provider; the session is like that of a passkey", async () => {
  await doctor.click("#sign-out");
  await shown(doctor, "#sign-in");
  same((await ask(doctor, "GET", "/v1/session")).status, 401, "after signing out");
  await press(doctor, "sign-in-openid", hospital);
  await shown(doctor, "#home");
  const session = await json(doctor, "GET", "/v1/session");
  const asAdmin = await json(admin, "GET", "/v1/session");
  same([session.name, session.idle_s], ["Dr Chan", asAdmin.idle_s], "the session");
  expect(Math.abs(new Date(session.ends_at) - new Date(asAdmin.ends_at)) < 120000, "the session ends when that of a passkey does");
  const cookies = await doctor.cookies(origin);
  same(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [[`cantoscribe-${port}`, true, "Strict"]], "the cookie");
  same(await doctor.evaluate(() => sessionStorage.length), 0, "what is left in the tab");
});

await check("an answer that was replayed is refused", async () => {
  const page = await stranger();
  const back = await fetched(page, hospital, "staff-1");
  same((await ask(page, "POST", "/v1/sign-in/openid/finish", back)).status, 200, "the first time");
  const before = refusals();
  same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", back)), "openid_refused", "the same again");
  await audited(before, "a replay");
  const fresh = await json(page, "POST", "/v1/sign-in/openid/begin", { issuer: hospital.issuer });
  const state = new URL(fresh.url).searchParams.get("state");
  same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", { ...back, ceremony: fresh.ceremony, state })), "openid_refused", "the code in another sign-in");
  await page.goto(`${origin}/accounts?${new URLSearchParams({ code: back.code, state: back.state, iss: back.iss })}`);
  await page.click("#language-en");
  expect(REFUSED.test(await problem(page)), "the address again");
  await page.close();
});

await check("a code that another browser asked for is refused: with its state, or with ours", async () => {
  const [mine, theirs] = [await stranger(), await stranger()];
  const [back, begun] = [await fetched(mine, hospital, "staff-1"), await json(theirs, "POST", "/v1/sign-in/openid/begin", { issuer: hospital.issuer })];
  const before = refusals();
  const finish = (answer) => ask(theirs, "POST", "/v1/sign-in/openid/finish", answer);
  same(code(await finish({ ...back, ceremony: begun.ceremony })), "openid_refused", "another browser's state");
  await theirs.goto(`${origin}/accounts?${new URLSearchParams({ code: back.code, state: back.state, iss: back.iss })}`);
  await theirs.click("#language-en");
  expect(REFUSED.test(await problem(theirs)), "a link with another browser's answer");
  await audited(before + 2, "both");
  same((await ask(mine, "POST", "/v1/sign-in/openid/finish", back)).status, 200, "it is still good where it was asked for");
  await mine.close();
  await theirs.close();
});

await check("an answer of another issuer, or of nobody, is refused (RFC 9207)", async () => {
  const page = await stranger();
  const mixed = await fetched(page, other, "staff-1");
  same(mixed.iss, other.issuer, "the provider names itself");
  for (const [what, change] of Object.entries({
    "another issuer's name": { iss: hospital.issuer },
    "no name": { iss: undefined },
  })) {
    const back = await fetched(page, other, "staff-1");
    same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", { ...back, ...change })), "openid_refused", what);
  }
  const begun = await json(page, "POST", "/v1/sign-in/openid/begin", { issuer: hospital.issuer });
  const state = new URL(begun.url).searchParams.get("state");
  same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", { ...mixed, ...begun, url: undefined, state })), "openid_refused", "a code of one issuer at the other");
  same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", mixed)), "openid_refused", "the same name at another issuer is somebody else");
  await page.close();
});

await check("who is signed in adds another provider, which nobody else can have then, and removes one", async () => {
  await doctor.goto(`${origin}/accounts`);
  await shown(doctor, "#account");
  await press(doctor, "binding-openid", other);
  await typeIn(doctor, "chan.peak");
  await shown(doctor, "#done");
  await until("both are listed", async () => (await texts(doctor, "#bindings li")).length === 2);
  const before = events().length;
  const taken = await fetched(admin, other, "chan.peak", "/v1/openid/bindings/begin");
  same(code(await ask(admin, "POST", "/v1/openid/bindings/finish", taken)), "openid_refused", "what is somebody's");
  const swapped = await fetched(admin, other, "ho.peak", "/v1/openid/bindings/begin");
  same(code(await ask(doctor, "POST", "/v1/openid/bindings/finish", swapped)), "openid_refused", "what somebody else began");
  await until("the log tells of both", () => events().slice(before).filter(({ action, outcome }) => action === "sign_in" && outcome.refused).length === 2);
  const page = await stranger();
  await press(page, "sign-in-openid", other);
  await typeIn(page, "chan.peak");
  await shown(page, "#home");
  const { bindings } = await json(page, "GET", "/v1/openid/bindings");
  const { id } = bindings.find(({ issuer }) => issuer === other.issuer);
  same((await ask(admin, "DELETE", `/v1/openid/bindings/${id}`)).status, 404, "somebody else removes it");
  await json(page, "DELETE", `/v1/openid/bindings/${id}`);
  const back = await fetched(page, other, "chan.peak");
  same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", back)), "openid_refused", "after it was removed");
  await page.close();
});

await check("who has two roles is asked which; a recovery binds for its organisation alone, and cuts what was lost", async () => {
  const invited = await json(admin, "POST", "/v1/invitations", { name: "Dr Chan", kind: "auditor" });
  await json(doctor, "POST", "/v1/enrolments/accept", { token: invited.link.split("#")[1] });
  const page = await stranger();
  await press(page, "sign-in-openid", hospital);
  await typeIn(page, "staff-1");
  await shown(page, "#choose");
  await chooseAuditor(page);
  same((await json(page, "GET", "/v1/session")).role.kind, "auditor", "the role that was chosen");
  await page.close();
  const { person: who } = (await json(admin, "GET", "/v1/people")).roles.find(({ name }) => name === "Dr Chan");
  const recovery = await json(admin, "POST", `/v1/people/${who}/recovery`);
  const lost = await person(browser, origin);
  await lost.goto("about:blank");
  await lost.goto(recovery.link);
  await shown(lost, "#enrol-openid");
  await press(lost, "enrol-openid", other);
  await typeIn(lost, "chan.new");
  await shown(lost, "#choose");
  await lost.click("#language-en");
  await chooseAuditor(lost);
  await until("she is in", async () => (await ask(lost, "GET", "/v1/session")).status === 200);
  same((await json(lost, "GET", "/v1/openid/bindings")).bindings.map(({ limited, stopped }) => [limited, stopped]), [[true, false]], "how far what is left is good");
  expect(["recovery_offer", "credential_remove", "credential_add", "recovery_use"].every((one) => events().some((event) => did(event) === one)), "the log tells of it");
  same((await ask(doctor, "GET", "/v1/session")).status, 401, "what the lost one opened");
  const cut = await stranger();
  same(code(await ask(cut, "POST", "/v1/sign-in/openid/finish", await fetched(cut, hospital, "staff-1"))), "openid_refused", "the lost one");
  // Whoever shows again that it is theirs has it again by an administrator's act alone.
  const alone = await ask(lost, "POST", "/v1/openid/bindings/finish", await fetched(lost, hospital, "staff-1", "/v1/openid/bindings/begin"));
  same(code(alone), "openid_refused", "by themselves");
  const letIn = async () => {
    const { token } = await json(admin, "POST", `/v1/people/${who}/recovery`);
    const back = await fetched(cut, hospital, "staff-1", "/v1/enrolments/openid/begin", { entry: { token } });
    return json(cut, "POST", "/v1/enrolments/openid/finish", back);
  };
  await letIn();
  for (const stops of [false, true]) {
    const { bindings } = await json(admin, "GET", `/v1/people/${who}/credentials`);
    const { id } = bindings.find(({ issuer }) => issuer === hospital.issuer);
    if (stops) await json(admin, "DELETE", `/v1/people/${who}/credentials/${id}`);
    const answer = await ask(cut, "POST", "/v1/sign-in/openid/finish", await fetched(cut, hospital, "staff-1"));
    same(answer.status, stops ? 401 : 200, "a sign-in with it");
  }
  // What was never stopped they add themselves.
  const { ticket, roles } = await letIn();
  await json(cut, "POST", "/v1/sign-in/role", { ticket, role: roles[0].id });
  await json(cut, "POST", "/v1/openid/bindings/finish", await fetched(cut, other, "chan.third", "/v1/openid/bindings/begin"));
  await cut.close();
  await lost.close();
});

await check("a no at the provider is no fault here", async () => {
  const page = await stranger();
  await page.goto(`${origin}/accounts?error=access_denied&state=x`);
  await page.click("#language-en");
  expect(/did not sign in there/.test(await problem(page)), "what the page says");
  await shown(page, "#use-passkey");
  await page.close();
});

await check("a provider that goes down holds up its own sign-ins alone", async () => {
  const page = await stranger();
  const back = await fetched(page, hospital, "staff-1");
  await hospital.stop();
  same(code(await ask(page, "POST", "/v1/sign-in/openid/finish", back)), "openid_down", "what is told");
  const there = await fetched(page, other, "chan.third");
  same((await ask(page, "POST", "/v1/sign-in/openid/finish", there)).status, 200, "the other one");
  await admin.click("#sign-out");
  await shown(admin, "#sign-in");
  await admin.click("#use-passkey");
  await shown(admin, "#account");
  await hospital.start();
  same((await ask(page, "POST", "/v1/sign-in/openid/finish", await fetched(page, hospital, "staff-1"))).status, 200, "when it is back");
  await page.close();
});

await check("a flood from one address is slowed there, and keeps no passkey out", async () => {
  const page = await stranger();
  const answers = [];
  for (let count = 0; count < 40; count += 1) answers.push(code(await ask(page, "POST", "/v1/sign-in/openid/finish", { ceremony: "x", code: "x", state: "x" })));
  same([...new Set(answers)].sort(), ["openid_refused", "too_many_tries"], "what a flood is told");
  same((await ask(page, "POST", "/v1/sign-in/openid/begin", { issuer: hospital.issuer })).status, 200, "a sign-in can be begun");
  await admin.click("#sign-out");
  await shown(admin, "#sign-in");
  await admin.click("#use-passkey");
  await shown(admin, "#account");
  await page.close();
});

await check("no page had a fault, and neither names nor codes are in the server's own log", () => {
  for (const page of [admin, doctor]) same(page.faults, [], "faults of a page's scripts");
  for (const word of ["staff-1", "chan.peak", "nobody@peak", hospital.secret, other.secret]) expect(!server.log.includes(word), `${word} is in the log`);
});

await browser.close();
await hospital.stop();
await other.stop();
close();
