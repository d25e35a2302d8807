// One line of the note being written, changed or removed. What was typed is kept until the server has it or the user throws it away.
// Other lines may be changed meanwhile: a change names the version in which its line was seen, and the editor follows its line.
import { button, make } from "./dom.js";
import { t } from "./i18n.js";
import { announce } from "./notices.js";

const LONGEST = 2000;

export class NoteEditor {
  /**
   * `save(edit, version, called)` stores a change of what was seen in that version: it resolves to null, or to the newer note when the
   * change came too late; one that is called the same is stored once. `version()` is that of the note that is shown.
   */
  constructor({ save, redraw, version }) {
    this.save = save;
    this.redraw = redraw;
    this.version = version;
    this.open = null;
    this.area = null;
    /** Done when what was saved last is answered. */
    this.saving = Promise.resolve();
  }

  get busy() {
    return this.open?.busy ?? false;
  }

  get dirty() {
    return this.open !== null && this.open.op !== "remove" && this.area !== null && this.area.value !== this.open.was;
  }

  adds = (section) => this.open?.op === "add" && this.open.section === section;
  replaces = (section, index) => this.open?.op === "replace" && this.open.section === section && this.open.at === index;
  removes = (section, index) => this.open?.op === "remove" && this.open.section === section && this.open.at === index;

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
    // What is being saved is followed to its end: it may come back with a problem.
    if (this.dirty || this.busy) {
      this.focus();
      return;
    }
    this.open = { ...change, at: change.index, version: this.version(), problem: null, busy: false, sent: null };
    this.area = null;
    this.redraw();
  }

  close() {
    this.open = null;
    this.area = null;
  }

  discard() {
    if (this.busy) return;
    const back = this.origin();
    this.close();
    this.redraw(back);
  }

  /** The button that the editor was opened with, to give the focus back to. */
  origin() {
    const { op, section, at: index } = this.open;
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
    const keep = button(t("note.keep"), () => this.discard(), { class: "small", disabled: this.open.busy });
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
      this.commit();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.discard();
    }
  }

  commit() {
    const { open } = this;
    if (open === null || open.busy) return;
    const { op, was } = open;
    const text = op === "remove" ? undefined : this.area.value.replace(/\s+/g, " ").trim();
    if (text === "") this.fail(() => t("note.empty_text"));
    else if (text !== undefined && Array.from(text).length > LONGEST) this.fail(() => t("note.too_long"));
    else if (op === "replace" && text === was) this.discard();
    else this.saving = this.send(open, text);
  }

  /** What is saved is what was open then, whatever is open when it is answered. */
  async send(open, text) {
    const { op, section, index, version } = open;
    // The same once more, after an answer that was lost, is stored once.
    if (open.sent === null || open.sent.text !== text) open.sent = { text, called: crypto.randomUUID() };
    open.busy = true;
    this.redraw();
    try {
      const edit = op === "add" ? { op, section, text } : op === "remove" ? { op, section, index } : { op, section, index, text };
      const newer = await this.save(edit, version, open.sent.called);
      if (this.open !== open) return;
      if (newer) {
        this.rebase(newer);
        return;
      }
    } catch (error) {
      const code = error.code ?? "unknown";
      if (this.open === open) this.fail(() => t("note.save_failed", { why: t(`error.${code}`) === `error.${code}` ? t("error.unknown", { code }) : t(`error.${code}`) }));
      return;
    }
    const done = { add: "note.added", replace: "note.changed", remove: "note.removed" }[op];
    const back = op === "replace" ? this.origin() : `[data-add="${section}"]`;
    this.close();
    announce(t(done));
    this.redraw(back);
  }

  /** Another version is shown: the editor stays at its line. A line that is gone becomes a new one. Draws nothing. */
  follow(note) {
    if (this.open === null || this.open.op === "add") return;
    const at = this.locate(note);
    if (at >= 0) this.open.at = at;
    else if (!this.busy && !this.stands(note)) this.lose();
  }

  /** Whether the line that was sent, and whose answer was lost, is in the note. */
  stands(note) {
    const { op, section, sent } = this.open;
    const sentences = note?.sections.find(({ code }) => code === section)?.sentences ?? [];
    return op === "replace" && sent !== null && sentences.some((sentence) => sentence.text === sent.text);
  }

  /** The server took a change for too old: find the line again by its text. */
  rebase(note) {
    const { op } = this.open;
    const at = op === "add" ? -1 : this.locate(note);
    this.open.busy = false;
    if (at >= 0) Object.assign(this.open, { index: at, at, version: this.version(), sent: null, problem: () => t(op === "remove" ? "note.conflict_remove" : "note.conflict") });
    else this.lose();
    this.redraw();
  }

  /** The line is gone: what was typed for it is a new line, and there is nothing to remove. */
  lose() {
    if (this.open.op === "remove") this.close();
    else Object.assign(this.open, { op: "add", was: "", version: this.version(), sent: null, problem: () => t("note.conflict") });
  }

  locate(note) {
    const { section, at, was } = this.open;
    const sentences = note?.sections.find(({ code }) => code === section)?.sentences ?? [];
    return sentences[at]?.text === was ? at : sentences.findIndex((sentence) => sentence.text === was);
  }

  fail(problem) {
    Object.assign(this.open, { problem, busy: false });
    this.redraw();
  }
}
