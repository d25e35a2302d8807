// The patient's yes to being recorded: asked before the microphone opens, noted by one tap with who said it and how.
import * as api from "./api.js";
import { $, ask, button, make } from "./dom.js";
import { onLanguage, t, when } from "./i18n.js";
import { soundRule } from "./kept.js";
import { explain } from "./recordings.js";
import { Turns } from "./turn.js";

const WHO = ["patient", "parent", "guardian"];
const HOW = ["spoken", "on_paper"];

/** Whether somebody was asked, and not only a trial that asks nobody. */
export const wasAsked = (encounter) => (encounter.recording_consent?.by ?? null) !== null;

/** What is known of it in words: who, how and when. */
export function agreement(encounter) {
  if (!wasAsked(encounter)) return "";
  const { by, how, at } = encounter.recording_consent;
  return t("agree.noted", { who: t(`agree.who.${by}`), how: t(`agree.how.${how}`), when: when(at) });
}

class Agreement {
  constructor() {
    this.questions = new Turns();
    $("agree-no").addEventListener("click", () => this.settle("refused"));
    $("agree-later").addEventListener("click", () => this.settle(null));
    onLanguage(() => this.draw());
    this.draw();
  }

  draw() {
    const row = (who) => {
      const label = make("span", { id: `agree-${who}` }, t(`agree.who.${who}`));
      const answers = HOW.map((how) => button(t(`agree.how.${how}`), () => void this.note(who, how), { id: `agree-${who}-${how}`, class: "primary" }));
      return make("div", { class: "agree-row", aria: { role: "group", labelledby: label.id } }, label, ...answers);
    };
    $("agree-who").replaceChildren(...WHO.map(row));
  }

  /** Resolves to the visit as noted, `"refused"`, or null where nobody answered. */
  ask(encounter) {
    this.encounter = encounter;
    this.answer = null;
    this.questions.end();
    $("agree-problem").hidden = true;
    $("agree-kept").textContent = soundRule();
    const answered = ask($("agree"), () => this.answer);
    $("agree-title").focus();
    return answered;
  }

  async note(by, how) {
    if (this.noting?.()) return;
    const turn = (this.noting = this.questions.running());
    try {
      const noted = await api.noteAgreement(this.encounter.id, by, how);
      // A yes that comes after its question was put away is no answer to the next one, of another patient.
      if (turn()) this.settle(noted);
    } catch (error) {
      if (!turn()) return;
      $("agree-problem").textContent = error.code === "denied" ? t(`agree.denied.${by}`) : explain(error);
      $("agree-problem").hidden = false;
    } finally {
      if (this.noting === turn) this.noting = null;
    }
  }

  settle(answer) {
    this.questions.end();
    this.answer = answer;
    $("agree").close();
  }
}

const dialog = new Agreement();
export const askToRecord = (encounter) => dialog.ask(encounter);
