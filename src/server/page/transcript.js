// The transcript: lines that stay, and the utterance that still grows.
import { $, button, make, scrollTo } from "./dom.js";
import { pieces } from "./evidence.js";
import { clock, has, onLanguage, t, tongue } from "./i18n.js";

const NEAR_END_PX = 80;
/** An utterance may begin this much before the last line's end. */
const OVERLAP_MS = 100;

export class TranscriptView {
  /** `play(segment)` is called for a line that was clicked, `pick(segment)` for one whose words are wanted in the note. */
  constructor({ play, pick }) {
    this.onPlay = play;
    this.onPick = pick;
    this.segments = new Map();
    this.nodes = new Map();
    this.marks = [];
    this.finished = false;
    this.following = true;
    this.top = 0;
    /** Where the last line ended, in milliseconds. */
    this.heardTo = 0;
    this.shown = { start: null, stable: "", tentative: "" };
    this.scroll = $("transcript-scroll");
    this.scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
    $("to-end").addEventListener("click", () => this.follow());
    onLanguage(() => this.redraw());
  }

  clear({ finished = false } = {}) {
    this.segments.clear();
    this.nodes.clear();
    this.marks = [];
    this.heardTo = 0;
    this.finished = finished;
    // New lines are read out as they come; a recording that is opened is not read out as a whole.
    $("log").setAttribute("aria-live", finished ? "off" : "polite");
    this.following = !finished;
    $("lines").replaceChildren();
    this.grow({ start: null, stable: "", tentative: "" });
    this.empty();
    this.scroll.scrollTop = 0;
    $("to-end").hidden = true;
  }

  /** Nothing more comes. */
  end() {
    this.finished = true;
    this.following = false;
    $("to-end").hidden = true;
    this.grow({ start: null, stable: "", tentative: "" });
  }

  /** A segment that stays. The same one may come again after a break. */
  add(segment) {
    if (this.shown.start !== null && segment.start_ms <= this.shown.start + 1 && segment.end_ms >= this.shown.start) {
      this.grow({ start: null, stable: "", tentative: "" });
    }
    this.heardTo = Math.max(this.heardTo, segment.end_ms ?? 0);
    const known = this.nodes.get(segment.id);
    this.segments.set(segment.id, segment);
    if (known) {
      this.write(segment);
      return;
    }
    const node = this.line(segment);
    this.nodes.set(segment.id, node);
    const after = [...$("lines").children].findLast((line) => Number(line.dataset.start) <= (segment.start_ms ?? 0));
    if (after) after.after(node);
    else $("lines").prepend(node);
    this.empty();
    this.keepUp();
  }

  line(segment) {
    const start = segment.start_ms ?? 0;
    const time = button(clock(start), () => this.onPlay(segment), { class: "time" });
    const said = make("span", { class: "said" });
    const pick = button("+", () => this.onPick(this.segments.get(segment.id)), { class: "pick" });
    const node = make("li", { data: { start, segment: segment.id } }, time, said, pick);
    // Selecting words with the mouse is no click on the line.
    said.addEventListener("click", () => String(getSelection()) === "" && this.onPlay(this.segments.get(segment.id)));
    this.nodes.set(segment.id, node);
    this.write(segment);
    return node;
  }

  /** Writes a line anew, with its marks. */
  write(segment) {
    const node = this.nodes.get(segment.id);
    const spans = this.marks.filter((span) => span.segment === segment.id);
    const parts = pieces(segment.text, spans).map(({ text, marked }) => (marked ? make("mark", {}, text) : text));
    node.querySelector(".said").lang = tongue(segment.text);
    const key = `transcript.speaker.${segment.speaker}`;
    const speaker = segment.speaker ? make("b", { class: "speaker" }, has(key) ? t(key) : segment.speaker) : null;
    node.querySelector(".said").replaceChildren(...(speaker ? [speaker, ...parts] : parts));
    node.querySelector(".time").setAttribute("aria-label", t("transcript.play", { clock: clock(segment.start_ms ?? 0) }));
    node.querySelector(".pick").setAttribute("aria-label", t("transcript.pick", { clock: clock(segment.start_ms ?? 0) }));
    node.querySelector(".pick").title = t("transcript.pick_hint");
    node.classList.toggle("marked", spans.length > 0);
  }

  /** The utterance being spoken. Stable text in view is never taken back, whatever comes, until its final. */
  partial({ start_ms, stable, tentative }) {
    const { start, stable: before } = this.shown;
    const nothing = stable === "" && tentative === "";
    // A server that came back after a fault may say again what is here already, or less of it.
    if (start !== null && (start_ms < start || (start_ms === start && !nothing && !stable.startsWith(before)))) return;
    if (start_ms + OVERLAP_MS < this.heardTo) return;
    this.grow({ start: start_ms, stable, tentative });
    this.keepUp();
  }

  grow(shown) {
    this.shown = shown;
    const node = $("growing");
    node.hidden = shown.stable === "" && shown.tentative === "";
    node.querySelector(".time").textContent = shown.start === null ? "" : clock(shown.start);
    node.lang = tongue(shown.stable + shown.tentative);
    node.querySelector(".stable").textContent = shown.stable;
    node.querySelector(".tentative").textContent = shown.tentative;
    this.empty();
  }

  mark(evidence, { reveal = true } = {}) {
    const touched = new Set([...this.marks, ...evidence].map(({ segment }) => segment));
    this.marks = evidence;
    for (const id of touched) if (this.nodes.has(id)) this.write(this.segments.get(id));
    const first = $("lines").querySelector("mark");
    if (first && reveal) {
      this.following = false;
      scrollTo(first);
    }
  }

  empty() {
    const none = this.segments.size === 0 && $("growing").hidden;
    $("transcript-empty").hidden = !none;
    if (none) $("transcript-empty").textContent = t(this.finished ? "transcript.none_finished" : "transcript.none");
  }

  redraw() {
    for (const segment of this.segments.values()) this.write(segment);
    this.empty();
  }

  /** Newest words stay in view, unless the reader has scrolled up. */
  keepUp() {
    if (this.following) this.scroll.scrollTop = this.scroll.scrollHeight;
    else $("to-end").hidden = this.finished;
  }

  follow() {
    this.following = true;
    this.mark([]);
    this.keepUp();
    $("to-end").hidden = true;
  }

  /** Going up lets go of the end, going down to it takes hold again. */
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    const nearEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (scrollTop < this.top) this.following &&= nearEnd;
    else if (scrollTop > this.top) this.following ||= nearEnd && !this.finished;
    this.top = scrollTop;
    if (this.following) $("to-end").hidden = true;
  }
}
