// The whole way of a shared note in three browsers: a doctor of one clinic who asks, a patient with a telephone, a doctor of the other who has
// the note. Two minutes and ten clicks of all of them together, from the wish to the reading.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";

import { axe } from "./accessibility.mjs";
import { chromium, shown, text } from "./browsers.mjs";
import { check, expect, same, until } from "./harness.mjs";
import { ask, enrol, json, person } from "./people.mjs";
import { COPY, Clinics, NUMBER, SAID, saysIt } from "./shared-note.mjs";

export async function sharing({ binary, shots, scratch }) {
  const clinics = await Clinics.open({ binary, scratch });
  const { server, sms, message, good } = clinics;
  const browser = await chromium();
  let clicks = 0;
  const press = async (page, selector) => {
    clicks += 1;
    await page.bringToFront();
    await page.click(selector);
  };
  let admin, owner, asker, phone, note;
  try {
    await check("sharing: two organisations, a signed note of one, a doctor of the other", async () => {
      ({ admin, owner, asker, note } = await clinics.fill(browser));
      await asker.goto(`${server.origin}/sharing`);
      await shown(asker, "#ask");
      await asker.click("#language-en");
    });

    await check("sharing: from the wish to the reading in two minutes and ten clicks, with a telephone's page", async () => {
      const began = Date.now();
      await asker.bringToFront();
      await until("the other clinic can be chosen", () => asker.$$eval("#ask-organisation option", (all) => all.some((one) => one.textContent.includes("Peak"))));
      const peak = await asker.$$eval("#ask-organisation option", (all) => all.find((one) => one.textContent.includes("Peak")).value);
      clicks += 1;
      await asker.select("#ask-organisation", peak);
      await asker.type("#ask-number", "A123456(3)");
      await press(asker, "#ask button[type=submit]");

      const [name, link] = (await message(1)).split("\n");
      same(name, "山頂診所 Peak Clinic", "what the first message says beside the link");
      phone = await (await browser.createBrowserContext()).newPage();
      await phone.setViewport({ width: 360, height: 640, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
      await phone.setJavaScriptEnabled(false);
      await phone.goto(link);
      await Promise.all([phone.waitForNavigation(), press(phone, "button")]);
      const code = (await message(2)).match(/\d{8}/)[0];
      await good();
      expect((await phone.evaluate(() => document.documentElement.scrollWidth)) <= 360, "the page is wider than the telephone");
      await phone.screenshot({ path: path.join(shots, "decision-phone.png"), fullPage: true });
      await phone.type("#code", code);
      await Promise.all([phone.waitForNavigation(), press(phone, "button.yes")]);
      expect((await text(phone, "h1")).includes("You said yes"), "the page does not say that it was a yes");

      await asker.bringToFront();
      await shown(asker, '[data-request][data-state="answered"] button.primary');
      await press(asker, '[data-request][data-state="answered"] button.primary');
      await shown(asker, "#shared button[data-note]");
      await press(asker, "#shared button[data-note]");
      const frame = await until("the note is shown", () => asker.frames().find((one) => one.url().includes("/v1/views/")));
      await saysIt(frame);
      const seconds = (Date.now() - began) / 1000;
      const marked = await frame.evaluate(() => document.body.textContent);
      expect(marked.includes("Dr Bo") && marked.includes("Harbour Hospital"), "the watermark does not say who looks");
      expect(seconds < 120 && clicks <= 10, `it took ${seconds} s and ${clicks} clicks`);
      await asker.screenshot({ path: path.join(shots, "shared-note.png") });
      console.log(`         ${seconds.toFixed(1)} s, ${clicks} clicks of all three`);
    });

    await check("sharing: what the consent does not allow is refused and kept, the browser's own command to print too", async () => {
      const tries = async (what) => (await json(owner, "GET", `/v1/patients/${note.patient}/report`)).lines.filter((line) => line.what === what && line.refused !== null).length;
      const frame = asker.frames().find((one) => one.url().includes("/v1/views/"));
      const twice = () => asker.evaluate(() => {
        // A browser tells of one try in the page and in what it frames.
        for (const heard of [window, document.getElementById("viewer-page").contentWindow]) heard.dispatchEvent(new Event("beforeprint"));
      });
      await asker.bringToFront();
      await twice();
      await until("it is kept", async () => (await tries("列印")) === 1);
      await until("that it is not allowed is said", async () => (await text(asker, "#viewer-over")).includes("does not allow this"));
      await new Promise((done) => setTimeout(done, 1100));
      await asker.pdf();
      await until("printing the whole page is kept", async () => (await tries("列印")) === 2);
      await new Promise((done) => setTimeout(done, 1100));
      await frame.evaluate(() => window.print());
      await until("printing the frame is kept", async () => (await tries("列印")) === 3);
      await asker.emulateMediaType("print");
      same(await frame.evaluate(() => getComputedStyle(document.body).display), "none", "what is on the paper");
      await asker.emulateMediaType(null);
      await asker.click('#viewer-tools [data-use="print"]');
      await until("the button is kept", async () => (await tries("列印")) === 4);
      await asker.click('#viewer-tools [data-use="forward"]');
      await until("passing on is kept", async () => (await tries("轉交")) === 1);
      await asker.click('#viewer-tools [data-use="download"]');
      await until("a copy is kept", async () => (await tries(COPY)) === 1);
      same(await tries("列印"), 4, "tries to print");
      same(await asker.evaluate(async (view) => (await fetch(view)).status, new URL(frame.url()).pathname), 200, "the view that was tried to be printed");
      const alone = await asker.browserContext().newPage();
      same((await alone.goto(frame.url())).status(), 403, "the view in a window of its own");
      await alone.close();
    });

    await check("sharing: a print and a copy that the consent allows are pictures that name their own entries", async () => {
      const done = async (what) => (await json(owner, "GET", `/v1/patients/${note.patient}/report`)).lines.filter((line) => line.what === what && line.refused === null);
      const id = await clinics.share(browser, asker, { print: true, download: true, forward: true });
      await asker.bringToFront();
      await until("both are shared", () => asker.$$eval("#shared button[data-note]", (all) => all.length === 2));
      const shown = () => asker.frames().find((one) => one.url().includes("/v1/views/"));
      const former = shown()?.url();
      await asker.click("#shared .entry:first-child button[data-note]");
      const frame = await until("the note is shown", () => (shown()?.url() ?? former) !== former && shown());
      await saysIt(frame);
      await frame.evaluate(() => { window.print = () => { window.printed = [document.body.textContent, [...document.querySelectorAll("image")].map((one) => one.href.baseVal.slice(0, 22))]; }; });
      await asker.click('#viewer-tools [data-use="print"]');
      const [words, pictures] = await until("it is printed", () => frame.evaluate(() => window.printed));
      const [print] = await done("列印");
      expect(words.includes(SAID) && words.includes(`#${print.entry} · print`), `what is printed does not name entry ${print.entry}`);
      expect(pictures.length > 0 && pictures.every((one) => one === "data:image/png;base64,"), `what is printed is ${pictures}`);
      await asker.evaluate(() => {
        window.saved = [];
        const make = URL.createObjectURL.bind(URL);
        URL.createObjectURL = (blob) => (window.saved.push(blob.text()), make(blob));
      });
      for (const [use, what, how] of [["download", COPY, "copy"], ["forward", "轉交", "passed on"]]) {
        await asker.click(`#viewer-tools [data-use="${use}"]`);
        const html = await until("it is saved", () => asker.evaluate(() => window.saved.pop()));
        const [taken] = await done(what);
        const file = path.join(scratch, `${use}.html`);
        writeFileSync(file, html);
        const copy = await (await browser.createBrowserContext()).newPage();
        const refused = [];
        copy.on("console", (said) => refused.push(said.text()));
        await copy.goto(`file://${file}`);
        await until("its picture is there", () => copy.evaluate(() => document.querySelector("image")?.decode().then(() => true)));
        expect((await text(copy, "body")).includes(`#${taken.entry} · ${how}`), `the copy does not name entry ${taken.entry}`);
        same(await copy.evaluate(() => getComputedStyle(document.querySelector("svg")).maxWidth), "893px", "the look of the copy");
        same(refused, [], "what the copy's policy refuses");
        const paper = Buffer.from(await copy.pdf({ preferCSSPageSize: true })).toString("latin1");
        same(paper.match(/\/Type\s*\/Page\b/g).length, await copy.$$eval("svg.sheet", (all) => all.length), "pages on paper");
        // What is left without any style is the pictures still.
        await copy.evaluate(() => document.querySelector("style").remove());
        await copy.screenshot({ path: path.join(shots, `shared-${use}.png`), fullPage: true });
        await copy.close();
      }
      await json(owner, "POST", `/v1/consents/${id}/withdraw`);
      await until("one is shared", () => asker.$$eval("#shared button[data-note]", (all) => all.length === 1));
      await asker.click("#shared button[data-note]");
      await saysIt(await until("the note is shown", () => asker.frames().find((one) => one.url().includes("/v1/views/"))));
    });

    await check("sharing: a note that is marked as restricted is gone, and comes back after a reason and a second code", async () => {
      await owner.bringToFront();
      await owner.goto(`${server.origin}/#${note.recording}`);
      await owner.click("#language-en");
      await shown(owner, "#desk-restrict");
      await owner.click("#desk-restrict");
      await shown(owner, "#desk-restricted");
      await asker.bringToFront();
      await until("the open note is gone", async () => (await text(asker, "#viewer-over")).includes("marked as restricted"));
      await shown(asker, '[data-restricted] button[data-reason="safety"]');
      expect((await text(asker, "#shared")).includes("Restricted data were left out"), "the list does not say that something is left out");
      expect(await asker.evaluate(() => document.querySelector("#shared button[data-note]") === null), "the note is still listed");
      same(await axe(asker), [], "rules of accessibility that the page breaks");
      const before = sms.texts.length;
      await asker.click('[data-restricted] button[data-reason="safety"]');
      await phone.bringToFront();
      await phone.goto((await message(before + 1)).split("\n")[1]);
      await Promise.all([phone.waitForNavigation(), phone.click("button")]);
      const code = (await message(before + 2)).match(/\d{8}/)[0];
      await good();
      expect((await text(phone, "main")).includes("A treatment may harm you without them"), "the page does not say why");
      expect((await phone.evaluate(() => document.documentElement.scrollWidth)) <= 360, "the page is wider than the telephone");
      await phone.screenshot({ path: path.join(shots, "restricted-phone.png"), fullPage: true });
      await phone.type("#code", code);
      await Promise.all([phone.waitForNavigation(), phone.click("button.yes")]);
      expect((await text(phone, "main")).includes("Included, as you agreed"), "the page does not say that they are included");
      await asker.bringToFront();
      await shown(asker, "#shared button[data-note]");
      await asker.click("#shared button[data-note]");
      const frame = await until("the note is shown", () => asker.frames().find((one) => one.url().includes("/v1/views/")));
      await saysIt(frame);
      await asker.screenshot({ path: path.join(shots, "restricted-shared.png"), fullPage: true });
    });

    await check("sharing: the patient takes it back, and the open note is gone within a second", async () => {
      await phone.bringToFront();
      await phone.reload();
      // Both times are the browser's own, and nothing that looks for the end is slowed down in a window behind another.
      const gone = asker.evaluate(() => new Promise((done) => {
        const over = document.getElementById("viewer-over");
        new MutationObserver(() => over.textContent !== "" && done(Date.now())).observe(over, { childList: true, characterData: true, subtree: true });
      }));
      const network = await phone.createCDPSession();
      await network.send("Network.enable");
      const sent = new Promise((done) => network.on("Network.requestWillBeSent", ({ request, wallTime }) => request.method === "POST" && done(wallTime * 1000)));
      await Promise.all([phone.waitForNavigation(), phone.click("button.stop")]);
      const took = Math.round((await gone) - (await sent));
      expect(took < 1000, `it was gone after ${took} ms`);
      expect(await asker.evaluate(() => document.getElementById("viewer-page").hidden), "the page is still shown");
      await until("nothing is shared any more", () => asker.evaluate(() => document.querySelector("#shared button") === null));
      same(await ask(asker, "GET", `/v1/recordings/${note.recording}`).then(({ status }) => status), 404, "the record itself");
    });

    await check("sharing: in an emergency the note is read without consent, and patient and privacy officer are told", async () => {
      const officer = await person(browser, server.origin);
      await enrol(officer, (await json(admin, "POST", "/v1/invitations", { name: "Ms Fung", kind: "privacy_officer" })).link, { "enrol-phone": "98765432" });
      const before = sms.texts.length;
      await asker.bringToFront();
      const peak = await asker.$$eval("#emergency-organisation option", (all) => all.find((one) => one.textContent.includes("Peak")).value);
      await asker.select("#emergency-organisation", peak);
      await asker.type("#emergency-number", "A123456(3)");
      await asker.type("#emergency-words", "unconscious after a fall");
      await asker.click("#emergency button[type=submit]");
      await shown(asker, ".emergency-now button[data-note]");
      await asker.click(".emergency-now button[data-note]");
      const frame = await until("the note is shown", () => asker.frames().find((one) => one.url().includes("/v1/views/")));
      await saysIt(frame);
      await asker.screenshot({ path: path.join(shots, "emergency.png"), fullPage: true });
      await until("both are told", () => sms.texts.length >= before + 2);
      await until("the page says so", async () => (await text(asker, ".emergency-now")).includes("The patient and the privacy officer have been told"));
      const told = sms.texts.slice(before);
      same(told.map(({ to }) => to.replace("+852", "")).sort(), [NUMBER, "98765432"].sort(), "who is told");
      expect(told.every(({ text: said }) => said.includes("Peak Clinic") && !said.includes("CHAN") && !said.includes("fall")), "a message says too much");
      await officer.reload();
      await shown(officer, "#emergencies-list li");
      expect((await text(officer, "#emergencies-list li")).includes("unconscious after a fall"), "the officer's page does not say why");
      await asker.evaluate(() => [...document.querySelectorAll("#viewer-tools button")].at(-1).click());
      await officer.close();
    });

    await check("sharing: the treating clinic sees who looked, and enters that the patient asks for their data", async () => {
      await owner.goto(`${server.origin}/sharing`);
      await owner.click("#language-en");
      await owner.bringToFront();
      await until("the patient can be chosen", () => owner.$$eval("#patient option", (all) => all.length > 1));
      await owner.select("#patient", note.patient);
      await shown(owner, "#trail button");
      await owner.evaluate(() => [...document.querySelectorAll("#trail button")].find((one) => one.textContent.includes("asks for their data")).click());
      await until("the trail has it", async () => (await text(owner, "#trail")).includes("要求查閱個人資料"));
      expect((await text(owner, "#trail")).includes("Dr Bo"), "the trail does not say who looked");
      same(await axe(owner), [], "rules of accessibility that the page breaks");
      same([...owner.faults, ...asker.faults], [], "errors of scripts");
    });

    await check("sharing: the treating clinic refuses for the patient, and takes back a yes that is not attested yet", async () => {
      const { organisations } = await json(asker, "GET", "/v1/organisations");
      const wanted = { organisation: organisations.find(({ name }) => name === "Peak Clinic").id, patient: { kind: "hkid", value: "A123456(3)" }, purpose: "referral", domains: ["notes"] };
      const request = async () => {
        const before = sms.texts.length;
        const { id } = await json(asker, "POST", "/v1/requests", wanted);
        return [id, (await message(before + 1)).split("\n")[1]];
      };
      const ends = async (id, from, to) => {
        await owner.click(`[data-consent="${id}"][data-state="${from}"] button`);
        await shown(owner, `[data-consent="${id}"][data-state="${to}"]`);
        same((await ask(asker, "POST", `/v1/requests/${id}/attest`, { purpose: "referral" })).status >= 400, true, "the doctor's word brings it into force");
      };
      const [refused] = await request();
      await owner.bringToFront();
      await shown(owner, `[data-consent="${refused}"][data-state="requested"] button`);
      expect((await text(owner, `[data-consent="${refused}"]`)).includes("Refuse for the patient"), "the button does not say what it does");
      await ends(refused, "requested", "refused");
      const [taken, link] = await request();
      const before = sms.texts.length;
      await phone.bringToFront();
      await phone.goto(link);
      await Promise.all([phone.waitForNavigation(), phone.click("button")]);
      const code = (await message(before + 1)).match(/\d{8}/)[0];
      await good();
      await phone.type("#code", code);
      await Promise.all([phone.waitForNavigation(), phone.click("button.yes")]);
      await owner.bringToFront();
      await shown(owner, `[data-consent="${taken}"][data-state="answered"] button`);
      await ends(taken, "answered", "withdrawn");
      same([...owner.faults, ...asker.faults], [], "errors of scripts");
    });

    await check("sharing: the privacy officer's report cites the log, as a page and as a PDF", async () => {
      const officer = await person(browser, server.origin);
      await enrol(officer, (await json(admin, "POST", "/v1/invitations", { name: "Ms Yip", kind: "privacy_officer" })).link, {});
      await officer.click("#language-en");
      await shown(officer, "#watch");
      same(await axe(officer), [], "rules of accessibility that the page breaks");
      const where = await officer.$eval('#watch [data-format="html"]', (link) => link.getAttribute("href"));
      const report = await (await browser.createBrowserContext()).newPage();
      const html = (await ask(officer, "GET", where)).body;
      await report.setContent(html);
      const words = await text(report, "body");
      for (const wanted of ["Principle 1", "Principle 6", "data access request", "40 days", "Harbour Hospital", "referral", "Looked for", "準則：同一職務在一小時內查看或列出超過30名病人的記錄。", "異常：連續多晚", "Checkpoint"]) {
        expect(words.includes(wanted), `the report does not say ${wanted}`);
      }
      expect(!words.includes("CHAN") && !words.includes("陳大文") && !words.includes(SAID), "the report names a patient");
      await report.setViewport({ width: 900, height: 1200 });
      await report.screenshot({ path: path.join(shots, "report.png"), fullPage: true });
      const { report: found, checkpoint } = await json(officer, "GET", where.replace("format=html", "format=json"));
      expect(found.lines.every(({ entries }) => entries.every(([first, last]) => first <= last && last < checkpoint.size)), "a line cites an entry that the log has not");
      same(found.access_requests.length, 1, "access requests");
      const pdf = await officer.evaluate(async (address) => {
        const answer = await fetch(address);
        return { status: answer.status, head: new TextDecoder().decode((await answer.arrayBuffer()).slice(0, 5)) };
      }, where.replace("format=html", "format=pdf"));
      same(pdf, { status: 200, head: "%PDF-" }, "the PDF");
      same((await ask(owner, "GET", where)).status, 403, "a doctor who asks for the report");
      await server.end();
      const verified = spawnSync(binary, ["audit", "verify", path.join(server.data, "audit"), "--key", path.join(server.data, "audit.pub")], { encoding: "utf8" });
      expect(verified.status === 0, `audit verify: ${verified.stdout}${verified.stderr}`);
    });
  } finally {
    await browser.close();
    clinics.close();
  }
}
