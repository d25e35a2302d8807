// Words of the transcript that are made a line of the note: dragged onto a section, or chosen in a dialog by keyboard.
import { $, ask } from "./dom.js";
import { tongue } from "./i18n.js";

const SECTIONS = ["S", "O", "A", "P"];

/** How many characters a stretch of a JavaScript string has. */
const count = (text) => Array.from(text).length;

/** The span of the transcript that is selected, or null. A selection over several lines counts in the first. */
export function selectedSpan(selection = getSelection()) {
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  const node = range.startContainer;
  const said = (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest(".lines .said");
  if (!said) return null;
  const before = document.createRange();
  before.selectNodeContents(said);
  before.setEnd(range.startContainer, range.startOffset);
  const within = range.cloneRange();
  if (!said.contains(range.endContainer)) within.setEnd(said, said.childNodes.length);
  // Who speaks is shown before the words and is none of them.
  const label = count(said.querySelector(".speaker")?.textContent ?? "");
  const start = Math.max(0, count(before.toString()) - label);
  const end = Math.max(0, count(before.toString()) + count(within.toString()) - label);
  return start < end ? { segment: Number(said.closest("li").dataset.segment), start, end } : null;
}

/** Lets a selection of the transcript be dropped on the sections of the note. `drop(section, span)` is called. */
export function acceptPhrases(transcript, note, drop) {
  let span = null;
  const section = (event) => (span === null ? null : event.target.closest?.(".note-section"));
  const clear = () => note.querySelectorAll(".drop-here").forEach((node) => node.classList.remove("drop-here"));
  transcript.addEventListener("dragstart", (event) => {
    span = selectedSpan();
    if (span === null) return;
    event.dataTransfer.effectAllowed = "copy";
    document.body.classList.add("dragging-phrase");
  });
  transcript.addEventListener("dragend", () => {
    span = null;
    clear();
    document.body.classList.remove("dragging-phrase");
  });
  note.addEventListener("dragover", (event) => {
    const target = section(event);
    clear();
    if (!target) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    target.classList.add("drop-here");
  });
  note.addEventListener("dragleave", (event) => event.relatedTarget && !note.contains(event.relatedTarget) && clear());
  note.addEventListener("drop", (event) => {
    const target = section(event);
    if (!target) return;
    event.preventDefault();
    const dropped = span;
    span = null;
    clear();
    document.body.classList.remove("dragging-phrase");
    drop(target.dataset.section, dropped);
  });
}

const dialog = $("phrase");
const words = $("phrase-words");

/** Asks which words of a segment, and for which section. Resolves to `{section, span}` or null. */
export function choosePhrase(segment, span = null) {
  const characters = Array.from(segment.text);
  const units = (at) => characters.slice(0, at).join("").length;
  words.value = segment.text;
  words.lang = tongue(segment.text);
  const answered = ask(dialog, () => {
    const section = dialog.returnValue;
    const [start, end] = [words.selectionStart, words.selectionEnd].map((at) => count(segment.text.slice(0, at)));
    return SECTIONS.includes(section) && start < end ? { section, span: { segment: segment.id, start, end } } : null;
  });
  words.focus();
  words.setSelectionRange(units(span?.start ?? 0), units(span?.end ?? characters.length));
  return answered;
}

for (const code of SECTIONS) $(`phrase-${code}`).addEventListener("click", () => dialog.close(code));
words.addEventListener("keydown", (event) => {
  const code = event.key.toUpperCase();
  if (event.ctrlKey || event.metaKey || event.altKey || !SECTIONS.includes(code)) return;
  event.preventDefault();
  dialog.close(code);
});
$("phrase-close").addEventListener("click", () => dialog.close(""));
