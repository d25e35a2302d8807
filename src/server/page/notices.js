// Messages across the top, one a subject, in the page's language; and what is only read aloud.
import { $, button, make } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const shown = new Map();

/** Shows `key` under `subject`, in place of what was there. `tone` is `bad`, `wait` or `good`. */
export function notice(subject, tone, key, values = {}) {
  const kept = shown.get(subject);
  if (kept && kept.tone === tone && kept.key === key) {
    kept.values = values;
    // A count that goes up is shown, but not read aloud each second.
    kept.text.textContent = write(kept);
    return;
  }
  kept?.node.remove();
  const text = make("p");
  // What is still going on is not closed: it would only come back.
  const close = tone === "wait" ? null : button("×", () => dismiss(subject), { class: "close", aria: { label: t("notice.close") } });
  const node = make("div", { class: `strip ${tone}`, data: { subject }, aria: { role: tone === "bad" ? "alert" : "status" } }, text, close);
  const entry = { tone, key, values, node, text, close };
  shown.set(subject, entry);
  $("strips").append(node);
  text.textContent = write(entry);
  if (tone === "good") setTimeout(() => shown.get(subject) === entry && dismiss(subject), 6000);
}

export function dismiss(subject) {
  shown.get(subject)?.node.remove();
  shown.delete(subject);
}

export function dismissAll() {
  for (const subject of [...shown.keys()]) dismiss(subject);
}

/** A value may itself be a text of the page: `{why: () => …}`. */
function write({ key, values }) {
  return t(key, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "function" ? value() : value])));
}

onLanguage(() => {
  for (const entry of shown.values()) {
    entry.text.textContent = write(entry);
    entry.close?.setAttribute("aria-label", t("notice.close"));
  }
});

/** For screen readers alone. */
export function announce(text) {
  $("announce").textContent = text;
}
