// A new user, in Chromium: from an empty data folder to a signed note, with what the page itself offers and nothing else.
import { chromium, open, shown, text, texts } from "./browsers.mjs";
import { check, expect, sleep, until } from "./harness.mjs";
import { Server } from "./server.mjs";

const BOUND_S = 120;
/** How long a reader looks at what is new before the next key. */
const LOOK_MS = 1500;

export async function first({ binary, sound, seconds }) {
  await check("from an empty start to a signed note in under two minutes", () => sign(binary, sound, seconds));
}

async function sign(binary, sound, seconds) {
  const server = new Server(binary);
  const browser = await chromium({ sound });
  const began = Date.now();
  const told = [];
  let acts = 0;
  const step = async (what, act) => {
    await act();
    acts += 1;
    told.push(`${what} ${((Date.now() - began) / 1000).toFixed(1)}`);
    await sleep(LOOK_MS);
  };
  try {
    await server.start();
    const page = await open(browser, server.address);
    await step("start", async () => {
      await page.click("#start");
      await shown(page, "#pause");
    });
    await sleep(seconds * 1000);
    await step("finish", async () => {
      await page.click("#finish");
      await shown(page, "#desk", 60000);
    });
    // The page says how: A accepts, Ctrl+Enter signs. Signing says what is open, and leads there.
    const state = () => text(page, "#desk-state");
    for (let left = (await texts(page, ".suggestion")).length; left > 0; left -= 1) {
      await step("accept", async () => {
        await page.click(".suggestion [data-accept]");
        await until("it is accepted", async () => (await texts(page, ".suggestion")).length === left - 1, 20000);
      });
    }
    await step("sign", async () => {
      await page.click("#desk-sign");
      await shown(page, "#sign-yes");
    });
    await step("yes", async () => {
      await page.click("#sign-yes");
      await until("it is signed", async () => /Signed by/.test(await state()));
    });
    expect((await texts(page, ".note-text")).length > 0, "the note is empty");
    const took = (Date.now() - began) / 1000;
    console.log(`         ${told.join(" s, ")} s: ${acts} acts, ${took.toFixed(0)} s with ${seconds} s of speech`);
    expect(took < BOUND_S, `it took ${took.toFixed(0)} s`);
    expect(page.faults.length === 0, page.faults.join("; "));
  } finally {
    await browser.close();
    server.stop();
  }
}
