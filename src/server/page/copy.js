// The note, or one section of it, as plain text for the hospital's own record system.
import { $, button, make } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { announce, notice } from "./notices.js";

const SECTIONS = ["S", "O", "A", "P"];

/** The lines of a note, `S:` and so on before each section's; of one section alone without its letter. */
export function plainText(note, code = null) {
  const sections = (note?.sections ?? []).filter((section) => section.sentences.length > 0 && (code === null || section.code === code));
  const lines = ({ sentences }) => sentences.map(({ text }) => text);
  if (code !== null) return sections.flatMap(lines).join("\n");
  return sections.map((section) => [`${section.code}:`, ...lines(section)].join("\n")).join("\n\n");
}

/** The menu of what can be copied, and its key. `current()` gives the note that is shown, or null. */
export class Copies {
  constructor(current) {
    this.current = current;
    this.menu = $("copies");
    addEventListener("click", (event) => {
      if (!this.menu.contains(event.target)) this.menu.open = false;
    });
    this.menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.menu.open) return;
      event.stopPropagation();
      this.menu.open = false;
      this.menu.querySelector("summary").focus();
    });
    addEventListener("keydown", (event) => this.key(event));
    onLanguage(() => this.draw());
    this.draw();
  }

  draw() {
    const entry = (code) => {
      const name = code === null ? t("copy.note") : t(`note.section.${code}`);
      const key = code === null ? make("kbd", {}, "Alt+C") : null;
      const node = button(null, () => this.copy(code), { class: "entry", data: { copy: code ?? "note" } });
      node.append(name, ...(key ? [key] : []));
      return make("li", {}, node);
    };
    $("copies-list").replaceChildren(entry(null), ...SECTIONS.map(entry));
  }

  /** Alt+C copies the note; with Shift, the section that has the focus. */
  key(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyC" || this.menu.hidden) return;
    const code = event.shiftKey ? document.activeElement?.closest("[data-section]")?.dataset.section : null;
    if (code === undefined) return;
    event.preventDefault();
    void this.copy(code);
  }

  async copy(code) {
    const inside = this.menu.contains(document.activeElement);
    this.menu.open = false;
    if (inside) this.menu.querySelector("summary").focus();
    const text = plainText(this.current(), code);
    if (text === "") {
      notice("copy", "bad", "copy.empty");
      return;
    }
    try {
      await navigator.clipboard.writeText(text);
      notice("copy", "good", "copy.done");
      announce(t("copy.done"));
    } catch {
      notice("copy", "bad", "copy.failed");
    }
  }
}
