// Sound goes when its time is over, and says so; words and note stay. A recording is stopped and erased in the middle of a visit, and the
// patient is asked anew.
import WebSocket from "ws";

import { chromium, open, shown, start, text } from "./browsers.mjs";
import { check, expect, same, sleep, until } from "./harness.mjs";
import { ask, Server } from "./server.mjs";

export async function retention({ binary, sound }) {
  const server = new Server(binary, { more: ["--keep-sound", "0"] });
  const browser = await chromium({ sound });
  try {
    await server.start();
    await check("sound is kept while the note is a draft, and erased when its time is over", () => erased(browser, server));
    await check("a patient is asked before the microphone opens; stop and erase takes recording and yes away", () => stopped(browser, server));
  } finally {
    await browser.close();
    server.stop();
  }
}

/** A finished recording of a second of silence. */
async function recorded(server) {
  const socket = new WebSocket(`${server.address.replace("http", "ws")}/v1/listen?rate=16000&channels=1&format=pcm_s16le&language=en`);
  let id;
  const ended = new Promise((done, fail) => {
    socket.on("error", fail);
    socket.on("close", (code) => fail(new Error(`the socket was closed with ${code} before the end`)));
    setTimeout(fail, 60000, new Error("waited 60 s in vain for the end of a second of silence"));
    socket.on("message", (data) => {
      const { type, recording, code, fatal } = JSON.parse(data);
      if (type === "end") done();
      if (fatal) fail(new Error(`the recording was refused: ${code}`));
      if (type !== "ready") return;
      id = recording;
      socket.send(new Uint8Array(32000));
      socket.send(JSON.stringify({ type: "finish" }));
    });
  });
  await ended.finally(() => socket.terminate());
  return id;
}

async function erased(browser, server) {
  const id = await recorded(server);
  const where = `/v1/recordings/${id}`;
  const heard = async () => (await fetch(`${server.address}${where}/audio`)).status;
  await sleep(2500);
  same([await heard(), (await server.recording(id)).sound], [200, { kept_until: null, erased_at: null, on_hold: false }], "a draft's sound");
  await ask(server, "POST", `${where}/note/edits`, { version: 1, edit: { op: "add", section: "P", text: "Rest." } });
  const { version } = (await ask(server, "GET", `${where}/record`)).body;
  for (const act of ["review", "sign"]) expect((await ask(server, "POST", `${where}/note/${act}`, { version })).status < 300, `no ${act}`);
  await until("the sound is erased", async () => (await heard()) === 410);
  const gone = await ask(server, "GET", `${where}/audio`);
  expect(gone.body.error.code === "sound_erased" && /on \d{4}-\d\d-\d\d/.test(gone.body.error.message), JSON.stringify(gone.body));
  const kept = await server.recording(id);
  expect(kept.sound.erased_at !== null && kept.note.sections.some(({ sentences }) => sentences.length > 0), "the note is gone too");
  const page = await open(browser, server.address);
  await page.goto(`${server.address}/#${id}`);
  await until("the page says so", async () => (await text(page, "#saved")).includes("Sound erased"));
  same(await page.evaluate(() => document.getElementById("play-all").hidden), true, "what is gone can be played");
  await page.close();
}

async function stopped(browser, server) {
  const patient = (await ask(server, "POST", "/v1/patients", { name: "CHAN Siu Ming", born: "1961-03-02" })).body;
  const visit = (await ask(server, "POST", `/v1/patients/${patient.id}/encounters`, {})).body;
  const consent = async () => (await ask(server, "GET", `/v1/encounters/${visit.id}`)).body.encounter.recording_consent;
  const page = await open(browser, server.address);
  await shown(page, "#today .open");
  await page.click("#today .open");
  await until("the visit is chosen", async () => (await text(page, "#chosen")).includes("CHAN Siu Ming"));
  await page.click("#start");
  await shown(page, "#agree");
  expect((await text(page, "#agree-kept")).includes("until the note is signed"), "the question does not say how long sound is kept");
  same(await consent(), null, "somebody agreed before anybody was asked");
  await page.click("#agree-later");
  const id = await start(page, "en");
  same([(await consent()).by, (await consent()).how], ["patient", "spoken"], "what was noted");
  same(await page.evaluate(() => document.getElementById("lamp").dataset.state), "live", "the microphone's state");
  await sleep(1500);
  same(await text(page, "#cancel"), "Stop and erase…", "the button");
  await page.click("#cancel");
  await shown(page, "#confirm");
  same((await server.recording(id)).state, "open", "one press is enough to erase");
  await page.click("#confirm-yes");
  await shown(page, "#home");
  same((await ask(server, "GET", `/v1/recordings/${id}`)).status, 404, "it is still there");
  same(await consent(), null, "the yes outlived what it was for");
  const report = await ask(server, "GET", `/v1/patients/${patient.id}/report`);
  const lines = report.body.lines.filter(({ what }) => what === "記下是否同意錄音");
  same(lines.map(({ refused }) => refused), ["同意已收回", null], "what the log says");
  await page.close();
}
