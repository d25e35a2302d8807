// Checks, what they found, and the closing line.
import process from "node:process";

const results = { passed: 0, failed: 0, skipped: 0 };
const began = Date.now();

/** Runs one check and prints how it ended; a failed one does not stop the others. */
export async function check(name, run) {
  const start = Date.now();
  try {
    await run();
    results.passed += 1;
    console.log(`ok       ${name} (${seconds(start)} s)`);
    return true;
  } catch (error) {
    results.failed += 1;
    console.log(`FAILED   ${name} (${seconds(start)} s)\n         ${String(error.stack ?? error).split("\n").slice(0, 6).join("\n         ")}`);
    return false;
  }
}

/** What cannot be checked here is said aloud. */
export function skip(name, why) {
  results.skipped += 1;
  console.log(`LEFT OUT ${name}: ${why}`);
}

export function expect(condition, what) {
  if (!condition) throw new Error(what);
}

export function same(found, wanted, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}\n  found  ${a}\n  wanted ${b}`);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Whether a page could not be asked because it goes to another address. */
const isLeaving = (error) => /Execution context (was destroyed|is not available)|Cannot find context|detached/i.test(error.message);

/** Waits until `look` gives something true, and returns that. A page that is going elsewhere is asked again. */
export async function until(what, look, limit_ms = 60000) {
  const end = Date.now() + limit_ms;
  for (;;) {
    let found = null;
    try {
      found = await look();
    } catch (error) {
      if (!isLeaving(error)) throw error;
    }
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${limit_ms / 1000} s in vain for: ${what}`);
    await sleep(100);
  }
}

const seconds = (start) => ((Date.now() - start) / 1000).toFixed(1);

/** Prints the closing line and ends the process with 1 when something failed. */
export function close() {
  console.log(`in ${seconds(began)} s`);
  console.log(`${results.passed} passed, ${results.failed} failed, ${results.skipped} skipped`);
  process.exit(results.failed > 0 ? 1 : 0);
}
