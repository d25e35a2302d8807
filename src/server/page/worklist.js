// Today's list: whose note is unfinished, unsigned or doubtful, and what earlier days left.
import * as api from "./api.js";
import { nameOf } from "./banner.js";
import { today } from "./chooser.js";
import { $, button, make } from "./dom.js";
import { onLanguage, t, tongue, when } from "./i18n.js";
import { dismiss, notice } from "./notices.js";
import { numberText } from "./numbers.js";
import { explain } from "./recordings.js";
import { Turns } from "./turn.js";

const AGAIN_MS = 5000;
const TONES = { unfinished: "unfinished", writing: "wait", draft: "wait", reviewed: "wait", signed: "done", waiting: "" };

export class Worklist {
  /** `on.open(recording)` shows one; `on.choose({patient, encounter})` makes ready to record, `on.removed(encounter)` says that a visit is gone. */
  constructor(on) {
    this.on = on;
    this.turns = new Turns();
    this.found = { visits: [], earlier: [], more: false };
    onLanguage(() => this.draw());
  }

  async watch() {
    clearTimeout(this.timer);
    const turn = this.turns.take();
    try {
      const found = await api.worklist(today());
      if (!turn()) return;
      dismiss("worklist");
      if (JSON.stringify(found) !== JSON.stringify(this.found) || found.visits.length === 0) {
        this.found = found;
        this.draw();
      }
    } catch (error) {
      if (!turn()) return;
      notice("worklist", "bad", "visit.list_failed", { why: () => explain(error) });
    }
    this.timer = setTimeout(() => this.watch(), AGAIN_MS);
  }

  rest() {
    this.turns.end();
    clearTimeout(this.timer);
  }

  /** The first patient of today who waits, as the server knows it now; null where nobody does. */
  async next() {
    const { visits } = await api.worklist(today());
    return visits.find(({ progress }) => progress === "waiting") ?? null;
  }

  draw() {
    const { visits, earlier, more } = this.found;
    const focused = document.activeElement?.dataset.visit;
    $("no-visits").hidden = visits.length > 0;
    $("today").replaceChildren(...visits.map((entry) => this.item(entry, true)));
    $("left").hidden = earlier.length === 0;
    $("left-list").replaceChildren(...earlier.map((entry) => this.item(entry, false)));
    $("visits-more").hidden = !more;
    const unsigned = [...visits, ...earlier].filter(({ progress }) => !["signed", "waiting"].includes(progress)).length;
    $("unsigned").textContent = unsigned > 0 ? t("visit.unsigned", { n: unsigned }) : "";
    if (focused) document.querySelector(`[data-visit="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Takes a visit off the list to which nothing belongs. */
  async remove(id) {
    try {
      await api.eraseEncounter(id);
      this.on.removed(id);
    } catch (error) {
      notice("worklist", "bad", "plain", { why: () => explain(error) });
    }
    await this.watch();
    document.querySelector("#today .open, #choose-patient")?.focus();
  }

  item(entry, brief) {
    const { patient, encounter, progress, doubtful, recordings } = entry;
    const work = recordings.find((each) => each.progress === progress);
    const act = () => (work ? this.on.open(work.recording) : this.on.choose({ patient, encounter }));
    const open = button(null, act, { class: "open", data: { visit: encounter.id } });
    const tags = [
      make("span", { class: `tag ${TONES[progress] ?? ""}` }, t(`visit.progress.${progress}`)),
      doubtful > 0 ? make("span", { class: "tag doubt" }, t("visit.doubtful", { n: doubtful })) : null,
      encounter.refused ? make("span", { class: "tag" }, t("visit.refused_short")) : null,
    ];
    open.append(
      make("span", { class: "name" }, make("span", { lang: tongue(nameOf(patient)) }, nameOf(patient)), ...tags.filter(Boolean)),
      make("span", { class: "facts" }, [when(encounter.at, { brief }), ...patient.identifiers.slice(0, 1).map(numberText), encounter.clinician].filter(Boolean).join(" · ")),
    );
    const remove = () => this.remove(encounter.id);
    const of = (key) => ({ class: "small", data: { visit: `${key} ${encounter.id}` }, aria: { label: t(`visit.${key}_of`, { name: nameOf(patient) }) } });
    const again = work
      ? button(t("visit.again"), () => this.on.choose({ patient, encounter }), of("again"))
      : button(t("visit.remove"), remove, of("remove"));
    return make("li", { data: { encounter: encounter.id, progress } }, open, make("span", { class: "line-actions" }, again));
  }
}
