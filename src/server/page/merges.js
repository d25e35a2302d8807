// The registry's card: patients who may be one person and why, merging them, and taking that back.
import * as api from "./accounts-api.js";
import { nameOf } from "./banner.js";
import { confirm } from "./confirm.js";
import { $, button, make } from "./dom.js";
import { t, tongue, when } from "./i18n.js";
import { reasons } from "./merge-words.js";
import { numberText } from "./numbers.js";

const MERGING = { title: "merge.ask", text: "merge.ask_text", yes: "merge.same", no: "visit.cancel" };

function who(patient) {
  const facts = [...patient.identifiers.map((number) => `${t(`visit.kind.${number.kind}`)} ${numberText(number)}`), patient.sex && t(`visit.sex.${patient.sex}`), patient.born].filter(Boolean);
  return make("span", {}, make("b", { lang: tongue(nameOf(patient)) }, nameOf(patient)), make("small", { class: "hint" }, facts.join(" · ") || t("visit.no_number")));
}

export class MergeCard {
  /** `attempt(run)` runs something and shows what went wrong. */
  constructor(attempt) {
    this.attempt = attempt;
    this.all = null;
  }

  async show() {
    this.all = await api.merges();
    this.draw();
    $("merges").hidden = false;
  }

  draw() {
    if (this.all === null) return;
    const { possible, said } = this.all;
    $("merges-possible").replaceChildren(...possible.map((pair) => this.pair(pair)));
    $("merges-none").hidden = possible.length > 0;
    $("merges-said").replaceChildren(...said.map((one) => this.one(one)));
  }

  change(run) {
    return this.attempt(async () => {
      await run();
      await this.show();
    });
  }

  pair({ one, other, certainty, reasons: why }) {
    const say = (same) => this.change(() => api.merge({ one: one.id, other: other.id, same }));
    const merge = async () => (await confirm(MERGING, { one: nameOf(one), other: nameOf(other) })) && say(true);
    return make("li", { class: "pair-of-patients", data: { certainty } },
      make("div", { class: "sides" }, who(one), who(other)),
      make("p", {}, make("b", {}, t(`merge.${certainty}`)), " ", reasons(why)),
      make("div", { class: "buttons" }, button(t("merge.same"), () => void merge(), { class: "small primary" }), button(t("merge.apart"), () => void say(false), { class: "small" })));
  }

  one({ id, one, other, same, at }) {
    return make("li", { class: "pair-of-patients", data: { merge: id, same: String(same) } },
      make("div", { class: "sides" }, who(one), who(other)),
      make("p", {}, t(same ? "merge.said_same" : "merge.said_apart", { when: when(at) })),
      make("div", { class: "buttons" }, button(t("merge.undo"), () => void this.change(() => api.unmerge(id)), { class: "small" })));
  }
}
