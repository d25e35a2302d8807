// The list of earlier recordings.
import * as api from "./api.js";
import { nameOf } from "./banner.js";
import { confirm, ERASING } from "./confirm.js";
import { $, button, make } from "./dom.js";
import { length, onLanguage, t, when } from "./i18n.js";
import { dismiss, notice } from "./notices.js";
import { Turns, view } from "./turn.js";

const AGAIN_MS = 5000;

export class RecordingsView {
  /** `on.open(id)`, `on.resume(id)`. */
  constructor(on) {
    this.on = on;
    this.turns = new Turns();
    this.all = [];
    this.timer = null;
    onLanguage(() => this.draw());
  }

  /** Fetches the list, and again every few seconds while it is looked at. */
  async watch() {
    clearTimeout(this.timer);
    const turn = this.turns.take();
    try {
      const all = await api.recordings();
      if (!turn()) return;
      dismiss("recordings");
      // Drawn anew only when it differs, so that a focus stays where it is.
      if (JSON.stringify(all) !== JSON.stringify(this.all) || all.length === 0) {
        this.all = all;
        this.draw();
      }
    } catch (error) {
      if (!turn()) return;
      notice("recordings", "bad", "recordings.failed", { why: () => explain(error) });
    }
    this.timer = setTimeout(() => this.watch(), AGAIN_MS);
  }

  rest() {
    this.turns.end();
    clearTimeout(this.timer);
  }

  draw() {
    const focused = document.activeElement?.dataset.act;
    $("no-recordings").hidden = this.all.length > 0;
    $("recordings").replaceChildren(...this.all.map((recording) => this.item(recording)));
    if (focused) $("recordings").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  }

  item({ id, state, connected, created_at, duration_ms, language, edited, typed, banner }) {
    const at = when(created_at);
    const name = banner ? nameOf(banner.patient) : at;
    const tags = [
      state === "open" && (connected ? ["live", "recordings.live"] : ["unfinished", "recordings.unfinished"]),
      state === "finishing" && ["wait", "recordings.finishing"],
      edited && ["", "recordings.edited"],
    ].filter(Boolean);
    const facts = [banner && at, ...(typed ? [t("visit.typed")] : [length(duration_ms), t(`spoken.${language}`)])].filter(Boolean).join(" · ");
    const act = (key, action, more = {}) =>
      button(t(`recordings.${key}`), action, { class: `small ${more.class ?? ""}`, data: { act: `${key} ${id}` }, aria: { label: `${t(`recordings.${key}`)}: ${t("recordings.of", { when: at })}` } });
    const actions = state === "open" ? [act("continue", () => this.on.resume(id)), act("finish", () => this.finish(id))] : [];
    const open = button(null, () => this.on.open(id), { class: "open", data: { act: `open ${id}` } });
    open.append(
      make("span", { class: "name" }, name, ...tags.map(([tone, key]) => make("span", { class: `tag ${tone}` }, t(key)))),
      make("span", { class: "facts" }, facts),
    );
    const erase = state === "open" ? act("erase", () => this.erase(id), { class: "danger" }) : null;
    return make("li", { data: { id, state } }, open, make("span", { class: "line-actions" }, ...actions, erase));
  }

  async finish(id) {
    const turn = view.running();
    await this.act(() => api.finish(id));
    if (turn()) this.on.open(id);
  }

  async erase(id) {
    if (!(await confirm(ERASING))) return;
    if (await this.act(() => api.erase(id))) notice("erased", "good", "cancel.done");
  }

  async act(action) {
    let done = true;
    try {
      await action();
    } catch (error) {
      done = false;
      notice("act", "bad", "plain", { why: () => explain(error) });
    }
    await this.watch();
    return done;
  }
}

/** What went wrong with a request, in the page's language. */
export function explain(error) {
  const key = `error.${error.code}`;
  const text = t(key);
  return text === key ? t("error.unknown", { code: error.code ?? error.name }) : text;
}
