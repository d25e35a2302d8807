// Asks before what cannot be undone.
import { $, ask } from "./dom.js";
import { t } from "./i18n.js";

/** True when the user said yes. `keys` name the texts: title, text, yes, no. */
export function confirm(keys, values = {}) {
  const dialog = $("confirm");
  for (const part of ["title", "text", "yes", "no"]) $(`confirm-${part}`).textContent = t(keys[part], values);
  const answered = ask(dialog, () => dialog.returnValue === "yes");
  // What does no harm has the focus.
  $("confirm-no").focus();
  return answered;
}

export const ERASING = { title: "cancel.title", text: "cancel.text", yes: "cancel.yes", no: "cancel.no" };

$("confirm-yes").addEventListener("click", () => $("confirm").close("yes"));
$("confirm-no").addEventListener("click", () => $("confirm").close("no"));
