// The bar above transcript and note: what is going on, what can be done. Draws from what it is given and decides nothing.
import * as api from "./api.js";
import { $, make } from "./dom.js";
import { clock, length, t, when } from "./i18n.js";
import { soundOf } from "./kept.js";
import { letters } from "./letters.js";

const BUTTONS = ["pause", "unpause", "finish", "continue", "retry", "play-all", "copies", "downloads", "next", "new", "cancel"];

/** Draws the bar for a recording being made in this window. */
export function drawSession(session) {
  const { phase, line, source } = session;
  const offline = line === "offline";
  const recording = phase === "recording" && offline ? "offline" : phase;
  title(t(`room.${recording}`));
  lamp({ recording: offline ? "wait" : "live", file: offline ? "wait" : "busy", finishing: "busy", erasing: "busy", paused: "paused" }[phase] ?? "off");
  const microphone = !session.fromFile;
  $("clock").textContent = microphone ? clock((source.end / source.rate) * 1000) : clock((source.safe / source.rate) * 1000);
  $("room-meter").hidden = phase !== "recording";
  $("file-progress").hidden = microphone || phase !== "file";
  $("file-progress").value = source.end > 0 ? source.safe / source.end : 0;
  $("saved").textContent = microphone ? saved(session) : t("file.saved_read", { n: Math.floor((100 * source.safe) / Math.max(1, source.end)) });
  const live = phase === "recording" || phase === "paused";
  const pausable = phase === "recording" || session.playing;
  buttons({
    pause: live && microphone && pausable,
    unpause: phase === "paused" && !session.playing,
    finish: live && microphone,
    retry: phase === "stopped",
    cancel: phase !== "erasing",
  });
  $("finish").classList.toggle("primary", phase !== "paused");
  $("cancel").textContent = t("room.cancel");
  letters(null);
}

function saved(session) {
  if (session.id === null && session.line === "connecting") return t("room.connecting");
  const waiting = Math.ceil(session.waiting_s);
  if (waiting > 2) return t("room.waiting", { n: waiting });
  return session.phase === "recording" ? t("room.saved_to", { clock: clock((session.source.safe / session.source.rate) * 1000) }) : t("room.saved_all");
}

/** Draws the bar for a recording that the server holds and this window only looks at. */
export function drawRecording({ id, state, connected, created_at, duration_ms, language, edited, typed, sound, banner }) {
  const open = state === "open";
  title(open ? t(connected ? "room.elsewhere" : "room.unfinished") : state === "finishing" ? t("room.finishing") : when(created_at));
  lamp(open ? (connected ? "live" : "wait") : state === "finishing" ? "busy" : "off");
  $("clock").textContent = "";
  $("room-meter").hidden = $("file-progress").hidden = true;
  const facts = typed ? [t("visit.typed")] : [length(duration_ms), t(`spoken.${language}`), soundOf(sound)].filter((fact) => fact !== "");
  $("saved").textContent = (open ? [when(created_at), ...facts] : facts).join(" · ");
  const finished = state === "finished";
  buttons({ continue: open, finish: open, "play-all": finished && !typed && !sound?.erased_at, copies: finished, downloads: finished, next: finished, new: true, cancel: open });
  $("finish").classList.remove("primary");
  $("cancel").textContent = t("room.erase");
  letters(state === "finished" ? id : null, banner);
  if (state === "finished") downloads(id, edited);
}

function title(text) {
  if ($("room-title").textContent !== text) $("room-title").textContent = text;
}

function lamp(state) {
  $("lamp").dataset.state = state;
}

function buttons(wanted) {
  // The focus must not fall out of the page when the button that has it goes away.
  const focused = document.activeElement;
  for (const name of BUTTONS) $(name).hidden = !wanted[name];
  if (focused?.hidden && BUTTONS.includes(focused.id)) {
    const next = BUTTONS.find((name) => wanted[name] && !["cancel", "copies", "downloads"].includes(name));
    ($(next ?? "room-title") ?? $("room-title")).focus();
  }
}

function downloads(id, edited) {
  const link = (kind, key, values) => make("li", {}, make("a", { href: api.documentAddress(id, kind, values), download: "" }, t(`download.${key}`)));
  $("download-note").replaceChildren(
    link("note", "json", { format: "json" }),
    link("note", "fhir", { format: "fhir" }),
    link("note", "text_en", { format: "text", lang: "en" }),
    // The server writes no other language once a person has changed a line.
    edited ? "" : link("note", "text_zh", { format: "text", lang: "zh-Hant" }),
  );
  $("downloads").dataset.recording = id;
  $("download-transcript").replaceChildren(
    link("transcript", "json", { format: "json" }),
    link("transcript", "text", { format: "text" }),
    link("transcript", "srt", { format: "srt" }),
    link("transcript", "vtt", { format: "vtt" }),
  );
}
