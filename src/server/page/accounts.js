// Signing in, coming in with a link, one's account, administration. A link's token stands behind the address's `#` and goes to the
// server in a body alone.
import * as api from "./accounts-api.js";
import { Admin } from "./admin.js";
import { $, button, make } from "./dom.js";
import * as emergencies from "./emergencies.js";
import { ErasureCard } from "./erasures.js";
import { HoldCard } from "./holds.js";
import { language, onLanguage, setLanguage, show, t, when } from "./i18n.js";
import { MergeCard } from "./merges.js";
import * as openid from "./openid.js";
import { inWords } from "./problem.js";
import * as watch from "./watch.js";
import { prove, register } from "./webauthn.js";

const VIEWS = ["sign-in", "choose", "enrol", "account", "admin", "watch", "emergencies", "merges", "holds", "erasures"];
/** Roles that work with patients. */
// Who has a desk: the registry finds and merges, and has no list of visits.
const CLINICAL = ["doctor", "nurse"];

let token = decodeURIComponent(location.hash.slice(1));
let offer = null;
let who = null;
let session = null;
let mine = { passkeys: [], bindings: [], sessions: [] };

function view(...names) {
  for (const name of VIEWS) $(name).hidden = !names.includes(name);
}

/** Runs something, and says what went wrong in words. */
async function attempt(run) {
  $("problem").hidden = true;
  $("done").hidden = true;
  try {
    await run();
    return true;
  } catch (error) {
    const code = error.code !== undefined && error.status !== undefined ? error.code : "passkey_cancelled";
    if (code === "not_signed_in") signedOut();
    $("problem").textContent = inWords(code);
    $("problem").hidden = false;
    return false;
  }
}

/** The session is over: what it found of a patient leaves the page with it. */
function signedOut() {
  session = null;
  erasures.clear();
  view("sign-in");
}

function say(key) {
  $("done").textContent = t(key);
  $("done").hidden = false;
}

const nameOf = ({ name, chinese_name: chinese }) => (language() === "zh" && chinese ? chinese : name);

async function signIn() {
  const { ceremony, options } = await api.beginSignIn();
  who = await api.finishSignIn(ceremony, await prove(options));
  await choose();
}

/** Who has one role comes in with it. */
async function choose() {
  if (who.roles.length === 1) return enter(who.roles[0].id);
  drawChoice();
  view("choose");
}

async function enter(role) {
  session = await api.chooseRole(who.ticket, role);
  who = null;
  // Somebody with one passkey and nothing else is asked for a second before the work begins; who was let in again is told.
  if (!wantsSecond() && session.recoveries.length === 0 && CLINICAL.includes(session.role.kind)) location.assign("/");
  else await account();
}

/** Whoever lost the one passkey is let in by an administrator alone; what is lost at an issuer, the issuer mends. */
const wantsSecond = () => session.passkeys < 2 && session.bindings === 0;

async function account() {
  mine = { passkeys: await api.passkeys(), bindings: await api.bindings(), sessions: await api.sessions() };
  drawAccount();
  view("account");
  if (session.role.kind === "administrator") await admin.show();
  if (["privacy_officer", "auditor"].includes(session.role.kind)) {
    watch.show();
    await emergencies.show();
  }
  if (["administrator", "privacy_officer"].includes(session.role.kind)) await holds.show();
  if (session.role.kind === "privacy_officer") erasures.show();
  if (session.role.kind === "registrar") await merges.show();
}

async function look() {
  offer = await api.lookAtToken(token);
  try {
    session = await api.session();
  } catch {
    session = null;
  }
  drawOffer();
  view("enrol");
}

/** What somebody who comes with a link typed in. */
function entered() {
  const value = (part) => $(`enrol-${part}`).value;
  const entry = { token };
  if (offer.for !== "recovery") Object.assign(entry, { name: value("name"), phone: value("phone"), email: value("email") });
  if (offer.for === "set_up") Object.assign(entry, { organisation: value("organisation"), organisation_chinese: value("chinese") });
  return entry;
}

async function enrol() {
  const { ceremony, options } = await api.beginEnrolment(entered());
  who = await api.finishEnrolment(ceremony, await register(options), $("enrol-label").value);
  used();
  await choose();
}

/** The token is used: it stands in no history. */
function used() {
  token = "";
  offer = null;
  history.replaceState(null, "", location.pathname);
}

async function accept() {
  await api.acceptInvitation(token);
  used();
  await account();
  say("account.accepted");
}

/** Goes on with what an issuer sent the browser back with. */
async function comeBack({ purpose, read }) {
  const answer = read();
  if (purpose === "binding") {
    await api.finishBinding(answer);
    session = await api.session();
    await account();
    return say("account.openid_added");
  }
  who = await (purpose === "enrolment" ? api.finishEnrolmentAt : api.finishSignInAt)(answer);
  await choose();
}

async function addPasskey() {
  const { ceremony, options } = await api.beginPasskey();
  await api.finishPasskey(ceremony, await register(options), $("passkey-label").value);
  $("passkey-label").value = "";
  session = await api.session();
  await account();
  say("account.passkey_added");
}

function drawSignIn() {
  openid.drawButtons("sign-in-openid", "account.openid_use", (issuer) => attempt(async () => openid.leave(await api.beginSignInAt(issuer), "sign_in")));
}

function drawChoice() {
  if (who === null) return;
  const row = ({ id, kind, organisation }) => {
    const choice = button(`${nameOf(organisation)} · ${t(`role.${kind}`)}`, () => attempt(() => enter(id)), { class: "big" });
    return make("li", {}, choice);
  };
  $("choose-list").replaceChildren(...who.roles.map(row));
}

function drawOffer() {
  if (offer === null) return;
  const organisation = language() === "zh" && offer.organisation_chinese ? offer.organisation_chinese : offer.organisation ?? "";
  const values = { name: offer.name ?? "", organisation, kind: offer.kind ? t(`role.${offer.kind}`) : "" };
  $("enrol-title").textContent = t(`account.${offer.for}`, values);
  $("enrol-text").textContent = t(`account.${offer.for}_text`, values);
  $("enrol-founder").hidden = offer.for !== "set_up";
  $("enrol-person").hidden = offer.for === "recovery";
  if (offer.name && $("enrol-name").value === "") $("enrol-name").value = offer.name;
  openid.drawButtons("enrol-openid", "account.openid_enrol", (issuer) => attempt(async () => openid.leave(await api.beginEnrolmentAt(issuer, entered()), "enrolment")));
  // Who sets a server up comes in also while an issuer is down.
  if (offer.for === "set_up") $("enrol-openid").hidden = true;
  const mayAccept = offer.for === "invitation" && session !== null && !session.trial;
  $("enrol-accept").hidden = !mayAccept;
  $("enrol-accept").textContent = mayAccept ? t("account.accept", { name: session.name }) : "";
}

function drawAccount() {
  if (session === null) return;
  const { name, role } = session;
  const several = mine.passkeys.length + mine.bindings.length > 1;
  $("account-name").textContent = name;
  $("account-role").textContent = `${nameOf(role.organisation)} · ${t(`role.${role.kind}`)}`;
  $("second").hidden = !wantsSecond();
  $("recoveries").replaceChildren(...session.recoveries.map(({ at, by, organisation }) => make("p", { class: "strip bad" },
    t(by ? "account.recovered" : "account.recovered_console", { when: when(at), by: by ?? "", organisation: organisation ?? "" }))));
  $("to-desk").hidden = !CLINICAL.includes(role.kind);
  $("passkeys").replaceChildren(...mine.passkeys.map(({ id, label, created_at, limited, stopped }) => {
    const facts = [when(created_at), limited ? t("account.limited") : null, stopped ? t("account.stopped") : null].filter(Boolean).join(" · ");
    const row = make("li", {}, make("span", {}, label, make("small", { class: "hint" }, facts)));
    if (several) row.append(button(t("account.remove"), () => attempt(() => gone(() => api.removePasskey(id))), { class: "small danger" }));
    return row;
  }));
  openid.drawBindings(mine.bindings, several && ((id) => attempt(() => gone(() => api.removeBinding(id)))));
  openid.drawButtons("binding-openid", "account.openid_add", (issuer) => attempt(async () => openid.leave(await api.beginBinding(issuer), "binding")));
  $("sessions").replaceChildren(...mine.sessions.map(({ id, name: whose, kind, address, seen_at, this: current }) => {
    const facts = [t(`role.${kind}`), address, when(seen_at), current ? t("account.this_session") : null].filter(Boolean).join(" · ");
    const row = make("li", { data: { session: id } }, make("span", {}, whose, make("small", { class: "hint" }, facts)));
    if (!current) row.append(button(t("account.end_session"), () => attempt(() => gone(() => api.endSession(id))), { class: "small danger" }));
    return row;
  }));
}

async function gone(run) {
  await run();
  session = await api.session();
  await account();
}

/** Shows the account of who is signed in, or the sign-in. */
async function arrive(then) {
  try {
    session = await api.session();
    if (session.trial) location.assign("/");
    else await then();
  } catch {
    view("sign-in");
  }
}

const admin = new Admin(attempt);
const merges = new MergeCard(attempt);
const holds = new HoldCard(attempt);
const erasures = new ErasureCard(attempt);

$("use-passkey").addEventListener("click", () => attempt(signIn));
$("enrol-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(enrol);
});
$("enrol-accept").addEventListener("click", () => attempt(accept));
$("passkey-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(addPasskey);
});
$("sign-out").addEventListener("click", () => attempt(async () => {
  await api.signOut();
  signedOut();
}));
for (const tag of ["zh", "en"]) $(`language-${tag}`).addEventListener("click", () => setLanguage(tag));
onLanguage(() => {
  for (const tag of ["zh", "en"]) $(`language-${tag}`).setAttribute("aria-pressed", String(language() === tag));
  drawSignIn();
  drawChoice();
  drawOffer();
  drawAccount();
  admin.draw();
  merges.draw();
  holds.draw();
  erasures.draw();
  emergencies.draw();
});
addEventListener("hashchange", () => {
  token = decodeURIComponent(location.hash.slice(1));
  if (token !== "") void attempt(look);
});

show();
const back = openid.back();
await openid.load();
drawSignIn();
if (back !== null) {
  if (!(await attempt(() => comeBack(back)))) await arrive(account);
} else if (token !== "") {
  if (!(await attempt(look))) view("sign-in");
} else {
  await arrive(() => attempt(account));
}
