// Drives the page of the real server in real browsers. Called by scripts/check-browser, which says what it needs.
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { answers } from "./check-answers.mjs";
import { desk, DICTATION } from "./check-desk.mjs";
import { inFirefox } from "./check-firefox.mjs";
import { first } from "./check-first.mjs";
import { late } from "./check-late.mjs";
import { learning } from "./check-learning.mjs";
import { letters, VISIT } from "./check-letters.mjs";
import { live } from "./check-live.mjs";
import { network } from "./check-network.mjs";
import { parts } from "./check-parts.mjs";
import { retention } from "./check-retention.mjs";
import { sharing } from "./check-sharing.mjs";
import { signIn } from "./check-signin.mjs";
import { trouble } from "./check-trouble.mjs";
import { visits } from "./check-visits.mjs";
import { check, close, skip } from "./harness.mjs";
import { Server, remove } from "./server.mjs";
import { joined, save, spoken } from "./sound.mjs";

const [root, ...options] = process.argv.slice(2);
const long = options.includes("--long");
const only = options.find((option) => option.startsWith("--only="))?.slice(7).split(",");
const PARTS = ["parts", "signin", "sharing", "retention", "late", "visits", "live", "first", "learning", "answers", "desk", "letters", "trouble", "firefox", "network"];
const unknown = [...options.filter((option) => option !== "--long" && !option.startsWith("--only=")), ...(only ?? []).filter((part) => !PARTS.includes(part))];
if (unknown.length > 0) {
  console.error(`check-browser: ${unknown.join(", ")}: unknown; see the head of scripts/check-browser`);
  process.exit(2);
}
const wanted = (name) => !only || only.includes(name);

const shots = path.join(root, "target/browser");
mkdirSync(shots, { recursive: true });
const scratch = mkdtempSync(path.join(tmpdir(), "cantoscribe-sound-"));
const server = new Server(path.join(root, "target/release/cantoscribe"));

// Two findings, said so that the smallest Whisper understands them; in one breath and long enough for a busy machine to look in.
const GREETING = "Good morning. Please take a seat.";
const COMPLAINT = "I have had a headache for three days. Blood pressure is one hundred and forty five over ninety. I am allergic to penicillin. " +
  "The pain is on the left side of my head, and it comes back every evening when I am at home after work. It does not wake me at night.";
const CLIPS = ["cv_zh-HK_22264431", "cv_zh-HK_20450648", "cv_zh-HK_22269905", "cv_zh-HK_22240893"];
const MORE = ["cv_zh-HK_22254300", "cv_zh-HK_21405026", "cv_zh-CN_19006765", "cv_zh-HK_22223401", "cv_zh-CN_18536499", "cv_zh-HK_22172504", "cv_zh-CN_22075038"];

/** English speech for the microphone. What is said first is heard while the level is looked at. */
function consultation() {
  const first = path.join(scratch, "first.wav");
  const second = path.join(scratch, "second.wav");
  if (!spoken(GREETING, first) || !spoken(COMPLAINT, second)) return null;
  return joined([first, second]);
}

/** What letters are checked with. */
function visit() {
  const files = VISIT.map((sentence, at) => path.join(scratch, `visit-${at}.wav`));
  files.forEach((file, at) => spoken(VISIT[at], file));
  return save(path.join(scratch, "visit.wav"), joined(files));
}

/** What the desk is checked with. */
function dictation() {
  const files = DICTATION.map((sentence, at) => path.join(scratch, `dictation-${at}.wav`));
  files.forEach((file, at) => spoken(DICTATION[at], file));
  return save(path.join(scratch, "dictation.wav"), joined(files));
}

function clips() {
  const folder = path.join(root, "../shared/audio");
  const files = [...CLIPS, ...(long ? MORE : [])].map((clip) => path.join(folder, `${clip}.wav`));
  return files.every((file) => existsSync(file)) ? joined(files) : null;
}

process.on("exit", () => {
  server.stop();
  remove(scratch);
});

if (wanted("parts")) await parts();
if (wanted("signin")) await signIn({ binary: server.binary, shots });
if (wanted("sharing")) await sharing({ binary: server.binary, shots, scratch });
if (wanted("late")) await late({ binary: server.binary, scratch });
if (await check("the server starts", () => server.start())) {
  const english = consultation();
  const file = english && save(path.join(scratch, "consultation.wav"), english);
  const cantonese = clips();
  if (!english) {
    skip("everything that speaks", "espeak-ng is not installed");
  } else {
    if (wanted("retention")) await retention({ binary: server.binary, sound: file });
    if (wanted("visits")) await visits({ server, sound: file, shots });
    if (wanted("live")) await live({ server, sound: file, shots, downloads: path.join(scratch, "downloads") });
    if (wanted("first")) await first({ binary: server.binary, sound: dictation(), seconds: 32 });
    if (wanted("learning")) await learning({ server, shots });
    if (wanted("answers")) await answers({ server });
    if (wanted("desk")) await desk({ server, sound: dictation(), shots });
    if (wanted("letters")) await letters({ server, sound: visit(), shots });
    if (wanted("trouble")) await trouble({ server, sound: file, scratch });
    if (wanted("firefox")) {
      if (existsSync(process.env.FIREFOX ?? "/usr/bin/firefox-esr")) await inFirefox({ server, file, shots, scratch });
      else skip("Firefox", "firefox-esr is not installed");
    }
  }
  if (wanted("network")) {
    if (cantonese) await network({ server, sound: save(path.join(scratch, "clips.wav"), cantonese), fed: cantonese, cut_s: long ? 60 : 8, scratch });
    else skip("the network cut in mid-sentence", "there is no ../shared/audio");
  }
}
close();
