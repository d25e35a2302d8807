// The page of sharing: what is shared with me, asking, attesting, what my patients share, and the outbox of a trial.
import * as api from "./api.js";
import { $, button, make } from "./dom.js";
import * as emergency from "./emergency.js";
import { has, language, onLanguage, setLanguage, show, t } from "./i18n.js";
import { KINDS, givenNumber, showIssuer } from "./numbers.js";
import { open } from "./share-view.js";

const PURPOSES = ["referral", "second_opinion", "treatment"];
const DOMAINS = ["notes", "allergies", "diagnoses_and_medication", "laboratory_and_radiology", "other_investigations", "referrals", "encounters", "birth_and_immunisation"];
const REASONS = ["safety", "complaint", "patient_asked"];
const PAUSE = 4000;

const words = (prefix, key) => (has(`${prefix}.${key}`) ? t(`${prefix}.${key}`) : key);
const text = (...lines) => make("div", {}, ...lines.filter(Boolean).map((line) => make("div", {}, line)));

/** What is wrong, also with a number that was typed. */
const told = (code) => (has(`visit.wrong.${code}`) ? t(`visit.wrong.${code}`) : words("sharing.code", code));

/** Runs something and says on the page why it did not work. */
async function trying(work) {
  $("problem").textContent = "";
  try {
    await work();
  } catch (error) {
    $("problem").textContent = error.body?.error?.code === "invalid" ? error.body.error.message : told(error.code);
  }
}

const act = (label, work, more = {}) => button(t(label), () => void trying(async () => { await work(); await draw(); }), { class: "small", ...more });

function options(select, values, name) {
  const kept = select.value;
  select.replaceChildren(...values.map((value) => make("option", { value }, name(value))));
  if (values.includes(kept)) select.value = kept;
}

/** That restricted data were left out, or are included; who asked for the consent may ask for them with a reason. */
function restricted(share) {
  if (share.restricted === "included") return make("p", { class: "hint" }, t("sharing.restricted.included"));
  if (!share.left_out) return null;
  const told = make("p", { class: "hint" }, t(share.restricted === "asked" ? "sharing.restricted.asked" : "sharing.restricted.left_out"));
  if (!share.may_ask) return told;
  const ask = (reason) => act(`sharing.restricted.${reason}`, () => api.askRestricted(share.id, reason), { class: "small", data: { reason } });
  return make("div", { data: { restricted: share.id } }, told, make("p", { class: "hint" }, t("sharing.restricted.ask")), make("div", { class: "row" }, ...REASONS.map(ask)));
}

async function drawShared() {
  const shares = await api.shares();
  $("shared").replaceChildren(...shares.map((share) => make("div", { class: "entry" },
    text(`${share.owner} · ${words("sharing.purpose", share.purpose)}`, t("sharing.until", { time: share.until })),
    make("div", { class: "row" }, ...share.notes.map((note) => button(`${note.signed_at.slice(0, 10)} ${note.signed_by}`, () => void trying(async () => open(await api.openView(share.id, note.record, share.purpose))), { class: "small primary", data: { note: note.record } }))),
    restricted(share))));
  if (shares.length === 0) $("shared").replaceChildren(make("p", { class: "hint" }, t("sharing.none")));
}

async function drawRequests() {
  const requests = await api.requests();
  $("requests").replaceChildren(...requests.map((request) => {
    const open = ["requested", "attested", "answered"].includes(request.state);
    return make("div", { class: "entry", data: { request: request.id, state: request.state } },
      text(`${request.owner} · ${request.named}`, `${words("sharing.purpose", request.purpose)} · ${words("sharing.state", request.state)}`, request.asked_at),
      make("div", { class: "row" },
        ["requested", "answered"].includes(request.state) ? act("sharing.attest", () => api.attest(request.id, request.purpose), { class: "small primary" }) : null,
        open ? act("sharing.cancel", () => api.cancelRequest(request.id)) : null));
  }));
}

/** What the clinic does for the patient to what is not over: says no to a request, or takes a yes back, in force or not. */
const ENDING = { requested: "sharing.refuse", attested: "sharing.refuse", answered: "sharing.withdraw", active: "sharing.withdraw" };

/** Who it is shared with: one doctor, or all who treat patients where that doctor works. */
const recipient = ({ doctor, organisation, whole_organisation: whole }) => (whole ? t("sharing.whole", { doctor, organisation }) : `${doctor} · ${organisation}`);

async function drawPatient() {
  const id = $("patient").value;
  $("contact").hidden = id === "";
  if (id === "") return;
  const consents = await api.consents(id);
  $("consents").replaceChildren(...consents.map((consent) => make("div", { class: "entry", data: { consent: consent.id, state: consent.state } },
    text(recipient(consent), `${words("sharing.purpose", consent.purpose)} · ${words("sharing.state", consent.state)}`, t("sharing.until", { time: consent.until }),
      consent.restricted && t(`sharing.restricted.${consent.restricted}`)),
    consent.state in ENDING ? act(ENDING[consent.state], () => api.withdraw(consent.id)) : null)));
  const noted = (run) => () => void trying(async () => {
    await run(id);
    await drawTrail(id);
  });
  $("trail").replaceChildren(make("div", { class: "row" },
    button(t("sharing.trail"), () => void trying(() => drawTrail(id)), { class: "small" }),
    button(t("sharing.access_request"), noted(api.accessRequest), { class: "small" }),
    button(t("sharing.access_answer"), noted(api.accessAnswer), { class: "small" })));
}

/** The audit trail of a patient, each line with its entry of the log. */
async function drawTrail(id) {
  const { lines } = await api.trail(id);
  const own = ({ chinese, english }) => (language() === "zh" ? chinese : english);
  const what = ({ what, about, domains }) => [what, about && own(about), domains.map(own).join(language() === "zh" ? "、" : "; ")].filter(Boolean).join(" · ");
  const cells = (line) => [String(line.entry), line.at, [line.who, line.organisation].filter(Boolean).join(" · "), what(line), line.purpose ?? "", line.refused ?? ""];
  const heads = ["entry", "time", "who", "what", "purpose", "refused"].map((key) => make("th", {}, t(`sharing.trail.${key}`)));
  $("trail").replaceChildren(make("table", { lang: "zh-Hant-HK" }, make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...lines.map((line) => make("tr", {}, ...cells(line).map((cell) => make("td", {}, cell)))))));
}

async function drawOutbox() {
  const { shown, messages } = await api.outbox();
  $("outbox-card").hidden = !shown;
  $("outbox").replaceChildren(...messages.map((message) => make("div", { class: "entry" }, make("pre", { data: { kind: message.kind } }, `${message.to ?? ""}\n${message.text ?? ""}`))));
}

async function draw() {
  await Promise.all([drawShared(), drawRequests(), drawPatient(), drawOutbox(), emergency.draw(trying)]);
}

async function begin() {
  const [organisations, { patients }] = await Promise.all([api.organisations(), api.patients()]);
  const name = ({ name, chinese_name }) => (language() === "zh" && chinese_name ? chinese_name : name);
  const fill = () => {
    const [clinics, people] = [new Map(organisations.map((one) => [one.id, one])), new Map(patients.map((one) => [one.id, one]))];
    options($("ask-organisation"), [...clinics.keys()], (id) => name(clinics.get(id)));
    options($("patient"), ["", ...people.keys()], (id) => (id === "" ? "" : name(people.get(id))));
    options($("ask-kind"), KINDS, (kind) => words("sharing.kind", kind));
    emergency.fill(KINDS, new Map([...clinics].map(([id, one]) => [id, name(one)])));
    options($("ask-purpose"), PURPOSES, (purpose) => words("sharing.purpose", purpose));
    const chosen = new Set([...document.querySelectorAll("#ask-domains input:checked")].map((box) => box.value));
    if (chosen.size === 0) chosen.add("notes");
    $("ask-domains").replaceChildren(...DOMAINS.map((domain) => make("label", { class: "choice" }, make("input", { type: "checkbox", value: domain, checked: chosen.has(domain) }), ` ${words("sharing.domain", domain)}`)));
    void trying(draw);
  };
  onLanguage(fill);
  fill();
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void trying(async () => {
    await api.request({
      organisation: $("ask-organisation").value,
      patient: givenNumber($("ask-kind").value, $("ask-number").value, $("ask-issuer").value),
      purpose: $("ask-purpose").value,
      domains: [...document.querySelectorAll("#ask-domains input:checked")].map((box) => box.value),
      to: new Date(Date.now() + Number($("ask-days").value) * 86400000).toISOString(),
    });
    for (const part of ["number", "issuer"]) $(`ask-${part}`).value = "";
    await draw();
  });
});
$("emergency").addEventListener("submit", (event) => {
  event.preventDefault();
  void trying(async () => {
    await emergency.begin();
    await draw();
    $("emergency-open").scrollIntoView({ block: "start" });
  });
});
$("patient").addEventListener("change", () => void trying(async () => {
  await drawPatient();
  if ($("patient").value === "") return;
  const contact = await api.contact($("patient").value);
  [$("contact-phone").value, $("contact-mail").value, $("contact-incapable").checked] = [contact.phone ?? "", contact.mail ?? "", contact.incapable];
}));
$("contact").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = (id) => $(id).value.trim() || null;
  void trying(() => api.setContact($("patient").value, { phone: value("contact-phone"), mail: value("contact-mail"), incapable: $("contact-incapable").checked }));
});
for (const form of ["ask", "emergency"]) showIssuer($(`${form}-kind`), $(`${form}-issuer-field`));
for (const each of ["zh", "en"]) $(`language-${each}`).addEventListener("click", () => setLanguage(each));
show();
void trying(begin);
// Answers come from patients' telephones: they are looked for while the page is looked at.
setInterval(() => document.visibilityState === "visible" && void draw().catch(() => {}), PAUSE);
