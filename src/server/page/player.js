// Plays stretches of a recording, one after the other.
import * as api from "./api.js";
import { $ } from "./dom.js";
import { clock, onLanguage, t } from "./i18n.js";
import { notice } from "./notices.js";

const audio = $("audio");
let queue = [];
let playing = null;
let last = null;
/** Told before the first sound and after the last; recording is held between. */
let around = { begin: async () => {}, end: () => {} };

export function surround(hooks) {
  around = hooks;
}

/** Plays `stretches` of the recording `id`. What played before is stopped. */
export async function play(id, stretches) {
  if (stretches.length === 0) return;
  last = { id, stretches };
  queue = [...stretches];
  const first = playing === null;
  playing = { id, stretch: queue.shift() };
  if (first) await around.begin();
  if (playing !== null) start();
}

export function stop() {
  if (playing === null) return;
  playing = null;
  queue = [];
  audio.pause();
  audio.removeAttribute("src");
  $("player").hidden = true;
  document.body.classList.remove("playing");
  around.end();
}

function start() {
  audio.src = api.audioAddress(playing.id, playing.stretch);
  $("player").hidden = false;
  document.body.classList.add("playing");
  show();
  audio.play().catch((error) => error.name === "AbortError" || failed());
}

function show() {
  if (playing === null) return;
  const { stretch } = playing;
  const whole = Number.isFinite(audio.duration) ? audio.duration * 1000 : 0;
  $("player-what").textContent = t("player.playing", { from: clock(stretch.start_ms), to: clock(stretch.end_ms) });
  $("player-progress").value = whole > 0 ? (audio.currentTime * 1000) / whole : 0;
}

function failed() {
  if (playing === null) return;
  stop();
  notice("player", "bad", "player.failed", { why: () => t(navigator.onLine ? "error.not_found" : "error.offline") });
}

audio.addEventListener("timeupdate", show);
audio.addEventListener("loadedmetadata", show);
audio.addEventListener("error", () => audio.hasAttribute("src") && failed());
audio.addEventListener("ended", () => {
  if (playing !== null && queue.length > 0) {
    playing.stretch = queue.shift();
    start();
  } else {
    stop();
  }
});
$("player-stop").addEventListener("click", stop);
$("player-again").addEventListener("click", () => last && play(last.id, last.stretches));
onLanguage(show);
