// Two organisations, a signed note of one and a doctor of the other: what checks of sharing begin with.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";

import { until } from "./harness.mjs";
import { enrol, json, organisationLink, person } from "./people.mjs";
import { Server } from "./server.mjs";

export const NUMBER = "91234567";
export const SAID = "Dizzy for three days, sentinel-7f3a";
/** What the trail calls taking a copy. */
export const COPY = "下載記錄（1 份）";

/** The frame of a shared note has its words; it has an address before it has a body. */
export const saysIt = (frame) => until("its words are there", () => frame.evaluate((said) => document.body?.textContent.includes(said) ?? false, SAID));

/** A provider of SMS: what it was given, the newest last. */
function provider() {
  const texts = [];
  const server = createServer(async (request, answer) => {
    let body = "";
    for await (const part of request) body += part;
    texts.push(JSON.parse(body));
    answer.writeHead(202).end();
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done({ texts, server, url: `http://127.0.0.1:${server.address().port}/` })));
}

/** A signed note of a new patient, who has a telephone. */
async function signedNote(page) {
  const patient = await json(page, "POST", "/v1/patients", { name: "CHAN Tai Man", chinese_name: "陳大文", identifiers: [{ kind: "hkid", value: "A123456(3)" }], born: "1961-03-02" });
  await json(page, "PUT", `/v1/patients/${patient.id}/contact`, { phone: NUMBER });
  const visit = await json(page, "POST", `/v1/patients/${patient.id}/encounters`, {});
  const { recording } = await json(page, "POST", `/v1/encounters/${visit.id}/typed-note`);
  const where = `/v1/recordings/${recording}`;
  const { version } = await json(page, "GET", `${where}/record`);
  await json(page, "POST", `${where}/note/edits`, { version, edit: { op: "add", section: "S", text: SAID } });
  const desk = await json(page, "GET", `${where}/record`);
  await json(page, "POST", `${where}/note/review`, { version: desk.version });
  await json(page, "POST", `${where}/note/sign`, { version: desk.version });
  return { patient: patient.id, recording };
}

export class Clinics {
  static async open({ binary, scratch }) {
    const sms = await provider();
    const gateways = path.join(scratch, "gateways.toml");
    writeFileSync(gateways, `[sms]\nurl = "${sms.url}"\nbody = '{"to":"{{to}}","text":"{{text}}","id":"{{id}}"}'\n`, { mode: 0o600 });
    return new Clinics(sms, new Server(binary, { trial: false, more: ["--gateways", gateways] }));
  }

  constructor(sms, server) {
    Object.assign(this, { sms, server });
  }

  /** Starts the server and lets people come in, each with a passkey of Chromium's. */
  async fill(browser) {
    const { server } = this;
    await server.start();
    const link = await until("the link is printed", () => server.log.match(/http:\S+\/accounts#\S+/)?.[0]);
    this.admin = await person(browser, server.origin);
    await enrol(this.admin, link, { "enrol-organisation": "Peak Clinic", "enrol-chinese": "山頂診所", "enrol-name": "Ms Ho" });
    const owner = await person(browser, server.origin);
    await enrol(owner, (await json(this.admin, "POST", "/v1/invitations", { name: "Dr Au", kind: "doctor" })).link, {});
    const note = await signedNote(owner);
    await server.end();
    const other = organisationLink(server);
    await server.start();
    const office = await person(browser, server.origin);
    await enrol(office, other, { "enrol-organisation": "Harbour Hospital", "enrol-chinese": "海港醫院", "enrol-name": "Mr Wong" });
    const asker = await person(browser, server.origin);
    await enrol(asker, (await json(office, "POST", "/v1/invitations", { name: "Dr Bo", kind: "doctor" })).link, {});
    return { admin: this.admin, owner, asker, note };
  }

  message = (number) => until(`message ${number} comes`, () => this.sms.texts[number - 1]?.text);

  /** A code is good once the server has kept that the provider took it. */
  good = () => until("no message waits", async () => (await json(this.admin, "GET", "/v1/outbox")).delivery.waiting === 0);

  /** The other doctor asks for the note and for what may be done with it, the patient says yes, the doctor says what for; the consent's id. */
  async share(browser, asker, uses) {
    const owner = (await json(asker, "GET", "/v1/organisations")).organisations.find(({ name }) => name === "Peak Clinic").id;
    const before = this.sms.texts.length;
    const { id } = await json(asker, "POST", "/v1/requests", { organisation: owner, patient: { kind: "hkid", value: "A123456(3)" }, purpose: "referral", domains: ["notes"], uses });
    const phone = await (await browser.createBrowserContext()).newPage();
    await phone.goto((await this.message(before + 1)).split("\n")[1]);
    await Promise.all([phone.waitForNavigation(), phone.click("button")]);
    const code = (await this.message(before + 2)).match(/\d{8}/)[0];
    await this.good();
    await phone.type("#code", code);
    await Promise.all([phone.waitForNavigation(), phone.click("button.yes")]);
    await json(asker, "POST", `/v1/requests/${id}/attest`, { purpose: "referral" });
    await phone.browserContext().close();
    return id;
  }

  close() {
    this.server.stop();
    this.sms.server.close();
  }
}
