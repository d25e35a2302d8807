// The note: its lines, what they rest on, and what led to no line. Editing a line is `note-editor.js`.
import { $, button, make } from "./dom.js";
import { quote } from "./evidence.js";
import { clock, onLanguage, t, tongue, when } from "./i18n.js";
import { NoteEditor } from "./note-editor.js";

const SECTIONS = ["S", "O", "A", "P"];

export class NoteView {
  /**
   * `segments` are the transcript's, by id. `onSelect(evidence, show)` is called for a line that was clicked; `onEdit(edit)` saves a
   * change and throws what went wrong.
   */
  constructor({ segments, onSelect, onEdit }) {
    this.segments = segments;
    this.onSelect = onSelect;
    this.editor = new NoteEditor({ save: onEdit, redraw: (focus) => this.draw(focus) });
    this.clear();
    onLanguage(() => this.draw());
  }

  clear() {
    this.note = null;
    this.editable = false;
    this.finished = false;
    this.selected = null;
    this.seen = null;
    this.editor.close();
    this.draw();
  }

  show(note, { finished = false } = {}) {
    this.note = note;
    this.editable = this.finished = finished;
    this.draw();
  }

  /** Whether a text was begun and is not saved. */
  get dirty() {
    return this.editor.dirty;
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
        : button(t("note.add"), () => this.editor.add(code), { class: "add", data: { add: code }, aria: { label: t("note.add_to", { section: name }) } });
    const title = make("h3", { id: `section-${code}` }, make("abbr", { aria: { hidden: "true" } }, code), name);
    return make("section", { class: "note-section", data: { section: code }, aria: { labelledby: `section-${code}` } }, title, list, foot);
  }

  line(code, sentence, index, fresh) {
    const key = `${code}\n${sentence.text}`;
    fresh.add(key);
    if (this.editor.replaces(code, index)) return make("li", { class: "note-line" }, this.editor.node());
    const selected = this.selected === key;
    const said = (sentence.evidence ?? []).length > 0;
    const text = button(sentence.text, () => this.select(key, sentence), {
      class: "note-text",
      lang: tongue(sentence.text),
      aria: { pressed: String(selected), label: t(said ? "note.line" : "note.line_typed", { text: sentence.text }) },
    });
    const isNew = this.seen !== null && !this.seen.has(key) && !this.finished;
    const node = make("li", { class: `note-line${selected ? " selected" : ""}${isNew ? " fresh" : ""}`, data: { index } }, make("div", { class: "row" }, text, this.tools(code, sentence, index)));
    node.append(...this.badges(sentence));
    if (selected && said) node.append(this.quotes(sentence.evidence));
    if (this.editor.removes(code, index)) node.append(this.editor.node());
    return node;
  }

  tools(code, sentence, index) {
    if (!this.editable) return null;
    const { text } = sentence;
    return make(
      "span",
      { class: "line-tools" },
      button(t("note.edit"), () => this.editor.replace(code, index, text), { data: { edit: `${code}${index}` }, aria: { label: t("note.edit_line", { text }) } }),
      button(t("note.remove"), () => this.editor.remove(code, index, text), { data: { remove: `${code}${index}` }, aria: { label: t("note.remove_line", { text }) } }),
    );
  }

  /** That a person wrote or changed the line: who, when, and what stood there before. */
  badges({ origin, by, at, edited }) {
    const out = [];
    if (origin === "typed") out.push(make("p", { class: "badge" }, t("note.typed_by", { by, when: when(at, { brief: true }) })));
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
    return node;
  }
}
