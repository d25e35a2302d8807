// Small helpers to make elements. Data only ever becomes text, never markup.

export const $ = (id) => document.getElementById(id);

/** An element with its class, properties and children; strings become text. */
export function make(tag, { class: name, on = {}, data = {}, aria = {}, ...properties } = {}, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  Object.assign(node, properties);
  Object.assign(node.dataset, data);
  for (const [key, value] of Object.entries(aria)) node.setAttribute(key === "role" ? "role" : `aria-${key}`, value);
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A button; `text` may be null where its content is put in afterwards. */
export function button(text, action, more = {}) {
  return make("button", { type: "button", ...more, on: { click: action } }, text);
}

const asked = new Map();

/**
 * Opens a dialog and resolves to what `answer` reads once it is closed. The browser tells of the closing a moment later, when the dialog
 * may be open again for another question: what was asked before is then answered with null, and the new question is not.
 */
export function ask(dialog, answer) {
  asked.get(dialog)?.(null);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    const settle = (result) => {
      dialog.removeEventListener("close", told);
      asked.delete(dialog);
      done(result);
    };
    const told = () => dialog.open || settle(answer());
    asked.set(dialog, settle);
    dialog.addEventListener("close", told);
  });
}

/** Whether a dialog is open. */
export const isAsking = () => document.querySelector("dialog[open]") !== null;

/** Resolves once no dialog is open. */
export async function undisturbed() {
  for (let dialog = null; (dialog = document.querySelector("dialog[open]")) !== null; ) {
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  }
}

/** Closes every dialog, because what it is about is shown no more; what was asked is answered with null. */
export function closeDialogs() {
  for (const settle of [...asked.values()]) settle(null);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/** A calm way to the place, or at once for those who asked for less motion. */
export function scrollTo(node, block = "center") {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  node.scrollIntoView({ block, behavior: still ? "auto" : "smooth" });
}
