// The note: its lines, what they rest on, and what led to no line. Editing a line is `note-editor.js`, all else that is done to it
// `desk.js`.
import { $, button, make } from "./dom.js";
import { quote } from "./evidence.js";
import { clock, onLanguage, t, tongue, when } from "./i18n.js";
import { NoteEditor } from "./note-editor.js";
import { chips, question } from "./sign.js";

const SECTIONS = ["S", "O", "A", "P"];
// Why words led to nothing, where more is known than that they are clinical.
const REASONS = {
  "implausible value, not written": "uncovered.implausible",
  "a number without its unit, not written as a dose": "uncovered.unit",
  "home reading, not written beside this visit's": "uncovered.home",
  "a target or a bound, not written as measured": "uncovered.target",
  "not understood as a blood pressure, not written": "uncovered.pressure",
  "standing blood pressure, not written beside the one at rest": "uncovered.standing",
};

export class NoteView {
  /**
   * `segments` are the transcript's, by id. `onSelect(evidence, show)` is called for a line that was clicked, `onPoint(evidence)` for
   * one that is hovered or has the focus; `onEdit(edit, version)` saves a change and throws what went wrong; `desk()` gives the
   * desk, `version()` that of the note that is shown.
   */
  constructor({ segments, onSelect, onPoint, onEdit, desk, version }) {
    this.segments = segments;
    this.onSelect = onSelect;
    this.onPoint = onPoint;
    this.atDesk = desk;
    this.editor = new NoteEditor({ save: onEdit, redraw: (focus) => this.draw(focus), version });
    this.desk = null;
    this.clear();
    $("note").addEventListener("keydown", (event) => this.key(event));
    onLanguage(() => this.draw());
  }

  clear() {
    this.note = null;
    this.desk = null;
    this.editable = false;
    this.finished = false;
    this.selected = null;
    this.seen = null;
    this.editor.close();
    this.draw();
  }

  /** `desk` says what is marked and open, and whether the note is signed; it comes a moment after the note. */
  show(note, { finished = false, desk = null } = {}) {
    this.note = note;
    this.desk = desk;
    this.finished = finished;
    this.editable = finished && desk?.stage !== "signed";
    this.editor.follow(note);
    this.draw(this.focused());
  }

  /** What has the focus, to give it back when the lines are drawn anew. */
  focused() {
    const line = document.activeElement?.closest("#note .note-line");
    return line && !this.editor.open ? this.selector(line.closest(".note-section").dataset.section, Number(line.dataset.index)) : null;
  }

  selector(code, index) {
    const last = Math.max(0, this.sentences(code).length - 1);
    return `[data-section="${code}"] .note-line[data-index="${Math.min(index, last)}"] .note-text`;
  }

  /** Gives the focus to a line. */
  focusLine(code, index) {
    $("note").querySelector(this.selector(code, index))?.focus();
  }

  /** Whether a text was begun and is not saved. */
  get dirty() {
    return this.editor.dirty;
  }

  /** Once what is being saved is answered: whether a text is left that is not. It gets the focus. */
  async unsaved() {
    await this.editor.saving;
    if (this.dirty) this.editor.focus();
    return this.dirty;
  }

  sentences(code) {
    return this.note?.sections.find((section) => section.code === code)?.sentences ?? [];
  }

  draw(focus = null) {
    const count = SECTIONS.reduce((sum, code) => sum + this.sentences(code).length, 0);
    const fresh = new Set();
    $("note").replaceChildren(
      ...SECTIONS.map((code) => this.section(code, fresh)).filter(Boolean),
    );
    this.seen = fresh;
    $("note-count").textContent = count > 0 ? String(count) : "";
    $("note-empty").hidden = count > 0;
    $("note-empty").textContent = t(this.finished ? "note.none_finished" : "note.none");
    this.uncovered();
    const target = focus && $("note").querySelector(focus);
    if (target) target.focus();
    else this.editor.focus();
  }

  section(code, fresh) {
    const sentences = this.sentences(code);
    if (sentences.length === 0 && !this.editable) return null;
    const name = t(`note.section.${code}`);
    const list = make("ul", {}, ...sentences.map((sentence, index) => this.line(code, sentence, index, fresh)));
    const foot = !this.editable
      ? null
      : this.editor.adds(code)
        ? this.editor.node()
        : button(t("note.add"), () => this.editor.add(code), { class: "add", data: { add: code }, disabled: this.editor.busy, aria: { label: t("note.add_to", { section: name }) } });
    const title = make("h3", { id: `section-${code}` }, make("abbr", { aria: { hidden: "true" } }, code), name);
    return make("section", { class: "note-section", data: { section: code }, aria: { labelledby: `section-${code}` } }, title, list, foot);
  }

  line(code, sentence, index, fresh) {
    const key = `${code}\n${sentence.text}`;
    fresh.add(key);
    if (this.editor.replaces(code, index)) return make("li", { class: "note-line", data: { index } }, this.editor.node());
    const selected = this.selected === key;
    const said = (sentence.evidence ?? []).length > 0;
    const text = make("button", {
      type: "button",
      class: "note-text",
      lang: tongue(sentence.text),
      aria: { pressed: String(selected), label: t(said ? "note.line" : "note.line_typed", { text: sentence.text }) },
      on: { click: () => this.select(key, sentence), focus: () => this.onPoint(sentence.evidence ?? [], true) },
    }, sentence.text);
    const isNew = this.seen !== null && !this.seen.has(key) && !this.finished;
    const desk = this.desk?.lines.find((line) => line.section === code && line.index === index);
    const kind = sentence.origin === "typed" ? (said ? " picked" : " typed") : "";
    const node = make("li", { class: `note-line${kind}${selected ? " selected" : ""}${isNew ? " fresh" : ""}`, data: { index } });
    const marks = chips((desk?.marks ?? []).filter((mark) => mark !== "doubt"));
    node.append(make("div", { class: "row" }, text, ...marks, this.tools(code, sentence, index, desk)));
    node.addEventListener("pointerenter", () => this.onPoint(sentence.evidence ?? [], false));
    node.addEventListener("pointerleave", () => this.onPoint(this.selectedEvidence(), false));
    node.append(...this.badges(sentence), ...(desk?.findings ?? []).map((finding) => this.suggestion(finding, { section: code, index })).filter(Boolean));
    if (selected && said) node.append(this.quotes(sentence.evidence));
    if (this.editor.removes(code, index)) node.append(this.editor.node());
    return node;
  }

  selectedEvidence() {
    for (const code of SECTIONS) {
      const found = this.sentences(code).find(({ text }) => this.selected === `${code}\n${text}`);
      if (found) return found.evidence ?? [];
    }
    return [];
  }

  doubt({ kind, index }) {
    return this.desk?.open.find(({ finding }) => finding.kind === kind && finding.index === index) ?? null;
  }

  /** What is in doubt, to be accepted or dropped with one key. */
  suggestion(finding, place) {
    const doubt = this.doubt(finding);
    if (doubt === null || !this.editable) return null;
    const asked = question(doubt);
    const desk = this.atDesk();
    return make("div", { class: "suggestion", aria: { role: "group", label: asked } },
      make("span", { class: "question" }, asked),
      button(t("doubt.accept"), () => desk.accept(finding), { class: "small", data: { accept: "" }, aria: { keyshortcuts: "A" } }),
      button(t("doubt.drop"), () => desk.drop(finding), { class: "small", data: { drop: "" }, aria: { keyshortcuts: "D" } }),
      button(t("doubt.other"), () => desk.recode([finding], place), { class: "small", aria: { keyshortcuts: "C" } }));
  }

  /** One key for what is done most, while a line has the focus. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest("textarea, input, .editor")) return;
    const node = event.target.closest(".note-line");
    if (!node) return;
    const code = node.closest(".note-section").dataset.section;
    const index = Number(node.dataset.index);
    const sentence = this.sentences(code)[index];
    if (!sentence) return;
    const line = this.desk?.lines.find((line) => line.section === code && line.index === index);
    const findings = line?.findings ?? [];
    const doubtful = findings.find((finding) => this.doubt(finding) !== null);
    const desk = this.atDesk();
    const edits = !this.editable ? {} : {
      a: () => doubtful && desk.accept(doubtful),
      d: () => doubtful && desk.drop(doubtful),
      c: () => line && desk.recode(doubtful ? [doubtful] : findings, doubtful ? { section: code, index } : line),
      e: () => this.editor.replace(code, index, sentence.text),
      x: () => this.editor.remove(code, index, sentence.text),
      n: () => this.editor.add(code),
    };
    const keys = { ...edits, p: () => this.select(`${code}\n${sentence.text}`, sentence), arrowdown: () => this.step(node, 1), arrowup: () => this.step(node, -1) };
    const act = keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    void act();
  }

  step(node, by) {
    const lines = [...$("note").querySelectorAll(".note-text")];
    lines[lines.indexOf(node.querySelector(".note-text")) + by]?.focus();
  }

  tools(code, sentence, index, desk) {
    if (!this.editable) return null;
    const { text } = sentence;
    return make(
      "span",
      { class: "line-tools" },
      desk?.findings.length > 0 || desk?.term ? button(t("note.code"), () => this.atDesk().recode(desk.findings, desk), { data: { code: `${code}${index}` }, aria: { label: t("note.code_line", { text }) } }) : null,
      button(t("note.edit"), () => this.editor.replace(code, index, text), { data: { edit: `${code}${index}` }, disabled: this.editor.busy, aria: { label: t("note.edit_line", { text }) } }),
      button(t("note.remove"), () => this.editor.remove(code, index, text), { data: { remove: `${code}${index}` }, disabled: this.editor.busy, aria: { label: t("note.remove_line", { text }) } }),
    );
  }

  /** That a person wrote or changed the line: who, when, and what stood there before. */
  badges({ origin, by, at, edited, evidence }) {
    const out = [];
    const added = (this.desk?.signed ?? []).slice(1).some((signed) => signed.by === by && signed.at === at);
    const how = added ? "note.addendum_by" : evidence?.length > 0 ? "note.picked_by" : "note.typed_by";
    if (origin === "typed") out.push(make("p", { class: "badge" }, t(how, { by, when: when(at, { brief: true }) })));
    if (edited) {
      const head = t("note.edited_by", { by: edited.by, when: when(edited.at, { brief: true }) });
      out.push(make("details", { class: "badge" }, make("summary", {}, head), make("p", {}, t("note.was", { was: edited.was }))));
    }
    return out;
  }

  /** The words that a line rests on, for the phone, where the transcript is on the other side. */
  quotes(evidence) {
    const spans = evidence.filter(({ segment }) => this.segments.has(segment));
    const items = spans.map((span) => {
      const segment = this.segments.get(span.segment);
      const time = Number.isFinite(segment.start_ms) ? make("span", { class: "time" }, clock(segment.start_ms)) : null;
      return make("li", {}, time, make("q", { lang: tongue(segment.text) }, quote(segment, span)));
    });
    const show = button(t("note.show_words"), () => this.onSelect(evidence, true), { class: "small show-words" });
    return make("div", { class: "quotes" }, make("ul", {}, ...items), show);
  }

  select(key, sentence) {
    this.selected = key;
    this.draw(`.note-line.selected .note-text`);
    this.onSelect(sentence.evidence ?? [], false);
  }

  uncovered() {
    const box = $("uncovered");
    const spans = (this.note?.uncovered ?? []).filter(({ segment }) => this.segments.has(segment));
    box.hidden = spans.length === 0;
    box.querySelector("ul").replaceChildren(...spans.map((span) => make("li", {}, this.loose(span))));
  }

  /** Words that led to nothing, as a button that shows and plays them. */
  loose(span) {
    const segment = this.segments.get(span.segment);
    const text = quote(segment, span);
    const pick = () => {
      this.selected = null;
      this.draw();
      this.onSelect([span], false);
    };
    const node = button(null, pick);
    node.append(make("span", { class: "time" }, clock(segment.start_ms ?? 0)), make("q", { lang: tongue(text) }, text));
    if (span.reason in REASONS) node.append(make("span", { class: "chip reason" }, t(REASONS[span.reason])));
    if (!this.editable || this.desk === null) return node;
    const line = button(t("uncovered.line"), () => this.atDesk().phrase(segment, span), { class: "small", aria: { label: t("uncovered.line_of", { text }) } });
    const dismiss = button(t("uncovered.dismiss"), () => this.atDesk().dismiss(span), { class: "small", data: { dismiss: "" }, aria: { label: t("uncovered.dismiss_of", { text }) } });
    return make("div", { class: "loose" }, node, line, dismiss);
  }
}
