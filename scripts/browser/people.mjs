// Staff with passkeys of Chromium's virtual authenticator.
import { spawnSync } from "node:child_process";

import { shown } from "./browsers.mjs";
import { expect, until } from "./harness.mjs";

export const AUTHENTICATOR = { protocol: "ctap2", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };

/** A window of its own with an authenticator of its own: another person. */
export async function person(browser, address) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.keys = await page.createCDPSession();
  await page.keys.send("WebAuthn.enable");
  page.authenticator = (await page.keys.send("WebAuthn.addVirtualAuthenticator", { options: { ...AUTHENTICATOR, transport: "internal" } })).authenticatorId;
  await page.goto(`${address}/accounts`);
  return page;
}

/** Puts values into fields. */
export const fill = (page, values) =>
  page.evaluate((all) => {
    for (const [id, value] of Object.entries(all)) document.getElementById(id).value = value;
  }, values);

/** Comes in with a link, and says where that led. */
export async function enrol(page, link, values) {
  await page.goto("about:blank");
  await page.goto(link);
  await shown(page, "#enrol");
  await page.click("#language-en");
  await fill(page, { "enrol-label": "first key", ...values });
  await page.click("#enrol-go");
  await until("the account or the choice is shown", () => page.evaluate(() => !document.getElementById("account").hidden || !document.getElementById("choose").hidden));
}

/** A request of the page's session: `{status, body}`. */
export const ask = (page, method, where, body) =>
  page.evaluate(
    async (how, address, content) => {
      const headers = content === undefined ? {} : { "content-type": "application/json" };
      const answer = await fetch(address, { method: how, headers, body: content === undefined ? undefined : JSON.stringify(content) });
      return { status: answer.status, body: await answer.text() };
    },
    method,
    where,
    body,
  );

/** What a request of the page's session is answered with. */
export async function json(page, method, where, body) {
  const answer = await ask(page, method, where, body);
  expect(answer.status < 300, `${method} ${where} was answered with ${answer.status}: ${answer.body}`);
  return answer.body ? JSON.parse(answer.body) : null;
}

/** A request like that of `json`; resolves to when the page sent it, without the time that it takes to tell the page. */
export async function sent(page, method, where) {
  const { at, status } = await page.evaluate(
    async (how, address) => {
      const at = Date.now();
      const { status } = await fetch(address, { method: how });
      return { at, status };
    },
    method,
    where,
  );
  expect(status < 300, `${method} ${where} was answered with ${status}`);
  return at;
}

/** A link for another organisation, from the console while the server is down. */
export function organisationLink(server) {
  const made = spawnSync(server.binary, ["accounts", "organisation", "--data", server.data], { encoding: "utf8" });
  expect(made.status === 0, `accounts organisation: ${made.stderr}`);
  return `${server.origin}${made.stdout.match(/\/accounts#\S+/)[0]}`;
}
