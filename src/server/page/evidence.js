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

/**
 * Where each timed word stands in its segment's text: `{start, end, start_ms, end_ms}`, in characters. Words are as they were said
 * and the text may have numbers in digits: a word that is not in the text stands for what lies between its neighbours that are.
 */
function placed(segment) {
  const text = Array.from(segment.text);
  const words = (segment.words ?? []).filter(({ start_ms, end_ms }) => Number.isFinite(start_ms) && Number.isFinite(end_ms));
  const letters = words.flatMap(({ text: word }, index) => Array.from(word.trim(), (letter) => ({ letter, index })));
  const places = words.map(() => null);
  for (const [at, place] of common(letters.map(({ letter }) => letter), text)) {
    const { index } = letters[at];
    places[index] = { start: places[index]?.start ?? place, end: place + 1 };
  }
  return words.flatMap(({ start_ms, end_ms }, index) => {
    const start = places[index]?.start ?? places.slice(0, index).findLast(Boolean)?.end ?? 0;
    const end = places[index]?.end ?? places.slice(index + 1).find(Boolean)?.start ?? text.length;
    return start < end ? [{ start, end, start_ms, end_ms }] : [];
  });
}

/** The longest common subsequence of two lists: pairs of places. */
function common(left, right) {
  const best = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      best[i][j] = left[i] === right[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (left[i] === right[j]) pairs.push([i++, j++]);
    else if (best[i + 1][j] >= best[i][j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
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
