// From the spans of a note to words and to times. Spans count Unicode scalar values, which JavaScript strings do not: a rare
// character of Hong Kong takes two of their units. Nothing here touches the page.

/** A stretch of sound begins this much before its first word and ends this much after its last: word times are that exact. */
const MARGIN_MS = 250;
/** Stretches this near to each other are played as one. */
const JOIN_MS = 1500;

/** The text of a segment in pieces, `{text, marked}`, those within a span marked. */
export function pieces(text, spans) {
  const characters = Array.from(text);
  const marked = characters.map((_, at) => spans.some(({ start, end }) => at >= start && at < end));
  const out = [];
  characters.forEach((character, at) => {
    const last = out.at(-1);
    if (last && last.marked === marked[at]) last.text += character;
    else out.push({ text: character, marked: marked[at] });
  });
  return out;
}

/** The words of one span. */
export function quote(segment, { start, end }) {
  return Array.from(segment.text).slice(start, end).join("");
}

/** Where each timed word stands in its segment's text: `{start, end, start_ms, end_ms}`, in characters. */
function placed(segment) {
  const text = Array.from(segment.text);
  const out = [];
  let from = 0;
  for (const word of segment.words ?? []) {
    const letters = Array.from(word.text.trim());
    const at = find(text, letters, from);
    if (at < 0 || letters.length === 0 || !Number.isFinite(word.start_ms) || !Number.isFinite(word.end_ms)) continue;
    from = at + letters.length;
    out.push({ start: at, end: from, start_ms: word.start_ms, end_ms: word.end_ms });
  }
  return out;
}

function find(text, letters, from) {
  for (let at = from; at + letters.length <= text.length; at += 1) {
    if (letters.every((letter, i) => text[at + i] === letter)) return at;
  }
  return -1;
}

/** When the words of a span were said; null when the segment has no times (typed text). */
export function timeOf(segment, span) {
  const words = placed(segment).filter(({ start, end }) => start < span.end && end > span.start);
  const bounds = words.length > 0 ? words : [segment];
  const start = Math.min(...bounds.map(({ start_ms }) => start_ms));
  const end = Math.max(...bounds.map(({ end_ms }) => end_ms));
  if (!Number.isFinite(start) || !Number.isFinite(end)) return null;
  return { start_ms: Math.max(0, Math.floor(start) - MARGIN_MS), end_ms: Math.ceil(end) + MARGIN_MS };
}

/** What has to be played to hear all of the evidence, in order, near stretches as one. */
export function stretches(evidence, segments) {
  const all = evidence
    .map((span) => [segments.get(span.segment), span])
    .filter(([segment]) => segment)
    .map(([segment, span]) => timeOf(segment, span))
    .filter(Boolean)
    .sort((a, b) => a.start_ms - b.start_ms);
  const out = [];
  for (const next of all) {
    const last = out.at(-1);
    if (last && next.start_ms - last.end_ms < JOIN_MS) last.end_ms = Math.max(last.end_ms, next.end_ms);
    else out.push({ ...next });
  }
  return out;
}
