// The dialog in which a patient and a visit are chosen, or entered. One dialog for a new recording and for moving one.
import * as api from "./api.js";
import { nameOf, ageText } from "./banner.js";
import { confirm } from "./confirm.js";
import { $, ask, button, make } from "./dom.js";
import { onLanguage, t, tongue, when } from "./i18n.js";
import { reasons } from "./merge-words.js";
import { numberText } from "./numbers.js";
import { PatientForm } from "./patient-form.js";
import { explain } from "./recordings.js";
import { Turns } from "./turn.js";

const WAIT_MS = 200;
const ERASING_PATIENT = { title: "visit.erase_title", text: "visit.erase_text", yes: "cancel.yes", no: "cancel.no" };

/** Local midnight and the next one, as RFC 3339 times. */
export function today() {
  const [from, until] = [new Date(), new Date()];
  from.setHours(0, 0, 0, 0);
  until.setHours(24, 0, 0, 0);
  return { from: from.toISOString(), until: until.toISOString() };
}

class Chooser {
  constructor() {
    this.dialog = $("chooser");
    this.body = $("chooser-body");
    /** Of what the dialog shows: a question, and each step of it. */
    this.steps = new Turns();
    this.finds = new Turns();
    // Told a moment after it was closed, when another may be open already.
    this.dialog.addEventListener("close", () => this.dialog.open || this.steps.end());
    onLanguage(() => this.dialog.close());
  }

  /** Opens; resolves to `{patient, encounter}`, or null. `at` is the time of a visit that is entered here, `any` offers earlier ones too. */
  choose({ title, at = null, any = false }) {
    return this.open(title, () => this.search(), { at, any });
  }

  /** Shows a patient's particulars; resolves to the patient as kept, to `"erased"`, or to null. */
  edit(patient) {
    return this.open(t("visit.edit_title"), () => this.form(patient), {});
  }

  open(title, draw, options) {
    this.options = options;
    this.result = null;
    $("chooser-title").textContent = title;
    const answered = ask(this.dialog, () => this.result);
    draw();
    return answered;
  }

  settle(result) {
    clearTimeout(this.timer);
    this.steps.end();
    this.result = result;
    this.dialog.close();
  }

  /** The next step of the question: what was waited for in the one before is none of it. */
  step(...nodes) {
    clearTimeout(this.timer);
    this.steps.end();
    this.body.inert = false;
    this.body.replaceChildren(...nodes);
  }

  search(text = "") {
    this.results = make("ul", { class: "found", id: "found" });
    this.said = make("p", { class: "hint", aria: { role: "status" } });
    this.input = make("input", { type: "search", id: "chooser-search", value: text, maxLength: 100, autocomplete: "off", spellcheck: false });
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.find(), WAIT_MS);
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.results.addEventListener("keydown", (event) => this.arrow(event));
    const label = make("label", { htmlFor: "chooser-search", class: "label" }, t("visit.search"));
    const foot = make("div", { class: "buttons" }, button(t("visit.cancel"), () => this.settle(null)), button(t("visit.new_patient"), () => this.form(null, this.input.value), { id: "new-patient" }));
    this.step(label, this.input, this.said, this.results, foot);
    this.input.focus();
    void this.find();
  }

  /** Whether the list is that of what was typed when it was asked for. */
  async find() {
    const turn = this.finds.take();
    const { results, said } = this;
    const text = this.input.value.trim();
    try {
      const { patients, more } = await (text ? api.findPatients(text) : api.patients());
      if (!turn()) return false;
      const items = patients.map((patient) => this.found(patient));
      if (text) items.push(this.labelled(text));
      results.replaceChildren(...items.map((node) => make("li", {}, node)));
      said.textContent = patients.length > 0 ? t(more ? "visit.found_more" : text ? "visit.found" : "visit.last", { n: patients.length }) : t(text ? "visit.found_none" : "visit.none");
      return true;
    } catch (error) {
      if (turn()) said.textContent = explain(error);
      return false;
    }
  }

  found(patient) {
    const facts = [...patient.identifiers.slice(0, 1).map(numberText), patient.sex && t(`visit.sex.${patient.sex}`), ageText(patient.age), patient.born].filter(Boolean).join(" · ");
    const node = button(null, () => this.visits(patient), { class: "open" });
    node.append(make("b", { lang: tongue(nameOf(patient)) }, nameOf(patient)), make("span", { class: "facts" }, facts || t("visit.no_number")));
    return node;
  }

  /** In a trial a label is enough: what was typed becomes the patient's name. */
  labelled(text) {
    return button(t("visit.label", { text }), () => this.attempt(() => api.createPatient({ name: text }), (patient) => this.visits(patient)), { class: "open new" });
  }

  /** Enter takes the first that was found, once the list is that of what was typed. */
  async key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "ArrowDown") this.arrow(event);
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(this.timer);
    const step = this.steps.running();
    if ((await this.find()) && step()) this.results.querySelector("button")?.click();
  }

  arrow(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [this.input, ...this.results.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement) + step;
    all[Math.max(0, Math.min(all.length - 1, at))].focus();
  }

  /** The visits that may be meant; where there is none, one is entered. */
  visits(patient) {
    return this.attempt(() => api.encounters(patient.id), (all) => {
      const { from, until } = today();
      const offered = this.options.any ? all.slice(0, 8) : all.filter(({ at }) => new Date(at) >= new Date(from) && new Date(at) < new Date(until));
      const enter = () => this.attempt(() => api.createEncounter(patient.id, this.options.at ? { at: this.options.at } : {}), (encounter) => this.settle({ patient, encounter }));
      if (offered.length === 0) {
        void enter();
        return;
      }
      const item = (encounter) => button(t("visit.at", { when: when(encounter.at), clinician: encounter.clinician }), () => this.settle({ patient, encounter }), { class: "open" });
      const list = make("ul", { class: "found" }, ...[...offered.map(item), button(t("visit.new_visit"), enter, { class: "open new", id: "new-visit" })].map((node) => make("li", {}, node)));
      list.addEventListener("keydown", (event) => this.arrow(event));
      this.results = list;
      this.step(
        make("p", { class: "label" }, t("visit.which", { name: nameOf(patient) })),
        list,
        make("p", { class: "problem", aria: { role: "alert" } }),
        make("div", { class: "buttons" }, button(t("visit.back"), () => this.search())),
      );
      list.querySelector("button").focus();
    });
  }

  form(patient, name = "") {
    const back = () => (patient ? this.settle(null) : this.search(name));
    const open = (id) => this.attempt(() => api.patient(id), (other) => this.visits(other));
    const done = (kept) => step() && (patient ? this.settle(kept) : this.entered(kept));
    const form = new PatientForm({ patient, name, done, cancel: back, open: patient ? null : open });
    const node = form.node();
    if (patient) void this.offerErasing(patient, node.querySelector(".buttons"));
    this.step(node);
    const step = this.steps.running();
    form.name.focus();
  }

  /** Who was entered may be here already: then one of them is taken, or it is said that it is somebody else. */
  entered(patient) {
    const { possible, ...kept } = patient;
    if (!possible?.length) {
      void this.visits(kept);
      return;
    }
    const item = (pair) => {
      const other = pair.one.id === kept.id ? pair.other : pair.one;
      const node = button(null, () => this.attempt(() => api.patient(other.id), (found) => this.visits(found)), { class: "open" });
      node.append(make("b", { lang: tongue(nameOf(other)) }, nameOf(other)), make("span", { class: "facts" }, reasons(pair.reasons)));
      return make("li", {}, node);
    };
    const list = make("ul", { class: "found", id: "doubles" }, ...possible.map(item), make("li", {}, button(t("merge.go_on", { name: nameOf(kept) }), () => this.visits(kept), { class: "open new" })));
    list.addEventListener("keydown", (event) => this.arrow(event));
    this.results = list;
    this.step(make("p", { class: "label" }, t("merge.may_be_here")), make("p", { class: "hint" }, t("merge.may_be_here_hint")), list, make("p", { class: "problem", aria: { role: "alert" } }));
    list.querySelector("button").focus();
  }

  /** A button to erase a patient, for whose role may. */
  async offerErasing(patient, buttons) {
    const { erases } = await api.session().catch(() => ({ erases: false }));
    if (erases) buttons.prepend(button(t("visit.erase"), () => this.erase(patient), { class: "danger", id: "erase-patient" }));
  }

  async erase(patient) {
    if (!(await confirm(ERASING_PATIENT, { name: nameOf(patient) }))) return;
    await this.attempt(() => api.erasePatient(patient.id), () => this.settle("erased"));
  }

  /** Waits for what was pressed, and takes no other press meanwhile. `then` gets the answer, where the step that asked is still shown. */
  async attempt(wait, then) {
    if (this.waiting?.()) return;
    const step = (this.waiting = this.steps.running());
    const focused = document.activeElement;
    this.body.inert = true;
    let answer = null;
    let problem = null;
    try {
      answer = await wait();
    } catch (error) {
      problem = error;
    }
    if (!step()) return;
    this.waiting = null;
    this.body.inert = false;
    if (problem === null) {
      then(answer);
      return;
    }
    focused?.focus();
    const place = this.body.querySelector(".problem") ?? this.said;
    if (place) place.textContent = explain(problem);
  }
}

export const chooser = new Chooser();
