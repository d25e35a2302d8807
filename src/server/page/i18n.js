// The page's two languages. Texts live in strings-*.js; everything else asks `t` and redraws when told of a change.
import en from "./strings-en.js";
import zh from "./strings-zh.js";

const STRINGS = { en, zh };
const TAGS = { en: "en-HK", zh: "zh-Hant-HK" };
const KEY = "cantoscribe.language";
const listeners = new Set();
let current = initial();

/** What was chosen before, else the first language of the browser that we have. */
function initial() {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept in STRINGS) return kept;
  } catch { /* storage is switched off: the browser's language will do */ }
  for (const tag of navigator.languages ?? []) {
    const known = tag.toLowerCase().split("-")[0];
    if (known === "yue") return "zh";
    if (known in STRINGS) return known;
  }
  return "en";
}

export function language() {
  return current;
}

export function setLanguage(chosen) {
  current = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch { /* not remembered, still switched */ }
  show();
}

/** Calls `listener` after each switch of language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Writes the page's fixed texts, and tells everyone who drew others. */
export function show() {
  document.documentElement.lang = TAGS[current];
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const listener of listeners) listener();
}

export function has(key) {
  return key in STRINGS[current];
}

/** The text of `key`, with `{name}` replaced. A key without a text shows itself, so that it is found. */
export function t(key, values = {}) {
  const text = STRINGS[current][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** `1:02:03` or `0:42`. */
export function clock(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** A length of time in words. */
export function length(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return t("length.seconds", { n: seconds });
  if (seconds < 3600) return t("length.minutes", { n: Math.floor(seconds / 60), s: seconds % 60 });
  return t("length.hours", { h: Math.floor(seconds / 3600), n: Math.floor(seconds / 60) % 60 });
}

/** The day and minute of an RFC 3339 time; with `brief`, today's as the minute alone. */
export function when(iso, { brief = false } = {}) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const sameDay = date.toDateString() === new Date().toDateString();
  const day = brief && sameDay ? {} : { year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(TAGS[current], { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

/** The language of a text of a consultation, for the shapes of its characters and for voices that read it out. */
export function tongue(text) {
  return /\p{Script=Han}/u.test(text) ? "zh-Hant-HK" : "en-HK";
}

/** A size in the unit that people use for files. */
export function bytes(size) {
  const unit = size >= 2 ** 30 ? ["GB", 2 ** 30] : size >= 2 ** 20 ? ["MB", 2 ** 20] : ["kB", 2 ** 10];
  return `${new Intl.NumberFormat(TAGS[current], { maximumFractionDigits: 1 }).format(size / unit[1])} ${unit[0]}`;
}
