// One line of the note being written, changed or removed. What was typed is kept until the server has it or the user throws it away.
import { button, make } from "./dom.js";
import { t } from "./i18n.js";
import { announce } from "./notices.js";

const LONGEST = 2000;

export class NoteEditor {
  /** `save(edit)` stores a change: it resolves to null, or to the newer note when the change came too late. */
  constructor({ save, redraw }) {
    this.save = save;
    this.redraw = redraw;
    this.open = null;
    this.area = null;
  }

  get dirty() {
    return this.open !== null && this.open.op !== "remove" && this.area !== null && this.area.value !== this.open.was;
  }

  adds = (section) => this.open?.op === "add" && this.open.section === section;
  replaces = (section, index) => this.open?.op === "replace" && this.open.section === section && this.open.index === index;
  removes = (section, index) => this.open?.op === "remove" && this.open.section === section && this.open.index === index;

  add(section) {
    this.begin({ op: "add", section, was: "" });
  }

  replace(section, index, was) {
    this.begin({ op: "replace", section, index, was });
  }

  remove(section, index, was) {
    this.begin({ op: "remove", section, index, was });
  }

  begin(change) {
    if (this.dirty) {
      this.focus();
      return;
    }
    this.open = { ...change, problem: null, busy: false };
    this.area = null;
    this.redraw();
  }

  close() {
    this.open = null;
    this.area = null;
  }

  discard() {
    const back = this.origin();
    this.close();
    this.redraw(back);
  }

  /** The button that the editor was opened with, to give the focus back to. */
  origin() {
    const { op, section, index } = this.open;
    return op === "add" ? `[data-add="${section}"]` : `[data-${op === "remove" ? "remove" : "edit"}="${section}${index}"]`;
  }

  focus() {
    if (this.open === null) return;
    (this.area ?? this.sure)?.focus();
  }

  node() {
    return this.open.op === "remove" ? this.question() : this.form();
  }

  question() {
    this.sure = button(t("note.remove_yes"), () => this.commit(), { class: "small danger", disabled: this.open.busy });
    const keep = button(t("note.keep"), () => this.discard(), { class: "small" });
    const node = make("div", { class: "editor ask", aria: { role: "group", label: t("note.remove_sure") } }, make("span", {}, t("note.remove_sure")), this.sure, keep, this.problem());
    node.addEventListener("keydown", (event) => event.key === "Escape" && this.discard());
    return node;
  }

  form() {
    const { section, was } = this.open;
    this.area ??= make("textarea", { value: was, rows: 2, maxLength: LONGEST, spellcheck: true, autocomplete: "off", on: { keydown: (event) => this.key(event) } });
    this.area.setAttribute("aria-label", t("note.text_of", { section: t(`note.section.${section}`) }));
    this.area.readOnly = this.open.busy;
    const save = button(t(this.open.busy ? "note.saving" : "note.save"), () => this.commit(), { class: "small primary", disabled: this.open.busy });
    const discard = button(t("note.discard"), () => this.discard(), { class: "small", disabled: this.open.busy });
    return make("div", { class: "editor" }, this.area, this.problem(), make("div", { class: "buttons" }, save, discard));
  }

  problem() {
    const { problem } = this.open;
    return problem ? make("p", { class: "problem", aria: { role: "alert" } }, problem()) : null;
  }

  /** Enter saves, Escape throws away; Enter that only ends a Chinese input method's word does neither. */
  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void this.commit();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.discard();
    }
  }

  async commit() {
    const { op, section, index, was } = this.open;
    const text = op === "remove" ? undefined : this.area.value.replace(/\s+/g, " ").trim();
    if (this.open.busy) return;
    if (text === "") return this.fail(() => t("note.empty_text"));
    if (text !== undefined && Array.from(text).length > LONGEST) return this.fail(() => t("note.too_long"));
    if (op === "replace" && text === was) return this.discard();
    this.open.busy = true;
    this.redraw();
    try {
      const newer = await this.save(op === "add" ? { op, section, text } : op === "remove" ? { op, section, index } : { op, section, index, text });
      if (newer) return this.rebase(newer);
    } catch (error) {
      const code = error.code ?? "unknown";
      return this.fail(() => t("note.save_failed", { why: t(`error.${code}`) === `error.${code}` ? t("error.unknown", { code }) : t(`error.${code}`) }));
    }
    const done = { add: "note.added", replace: "note.changed", remove: "note.removed" }[op];
    this.close();
    announce(t(done));
    this.redraw(op === "remove" ? `[data-add="${section}"]` : op === "add" ? `[data-add="${section}"]` : `[data-edit="${section}${index}"]`);
  }

  /** The note has changed under the editor: find the line again by its text; a line that is gone becomes a new one. */
  rebase(note) {
    const { op, section, was } = this.open;
    if (op === "remove") {
      this.open.busy = false;
      const at = this.locate(note, section, was);
      if (at < 0) this.close();
      else Object.assign(this.open, { index: at, problem: () => t("note.conflict_remove") });
      this.redraw();
      return;
    }
    const at = op === "replace" ? this.locate(note, section, was) : -1;
    if (op === "replace") Object.assign(this.open, at < 0 ? { op: "add", was: "" } : { index: at });
    this.fail(() => t("note.conflict"));
  }

  locate(note, section, text) {
    const sentences = note.sections.find(({ code }) => code === section)?.sentences ?? [];
    return sentences.findIndex((sentence) => sentence.text === text);
  }

  fail(problem) {
    Object.assign(this.open, { problem, busy: false });
    this.redraw();
  }
}
