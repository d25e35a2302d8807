// Terms that the clinician gave a code before and that are said or typed again: suggested beside the note, taken with one click.
import * as api from "./api.js";
import { $, button, make } from "./dom.js";
import { t, tongue } from "./i18n.js";

let asked = null;

/** Another recording is shown: what is on its way for the one before is not. */
export function forgetSuggestions() {
  asked = null;
  $("learned").hidden = true;
  $("learned").querySelector("ul").replaceChildren();
}

/** Lists them for the version of the note that is shown; `edit(change, version)` changes the note, and resolves to whether it did. */
export async function suggestLearned({ id, version, state }, edit) {
  const box = $("learned");
  const key = `${id} ${version}`;
  if (state === "finished" && asked === key) return;
  // What was suggested before names findings of another version, or of another note.
  forgetSuggestions();
  if (state !== "finished") return;
  asked = key;
  try {
    const { version: of, suggestions } = await api.suggestions(id);
    if (asked !== key) return;
    box.hidden = suggestions.length === 0;
    box.querySelector("ul").replaceChildren(...suggestions.map((one) => item(one, (change) => edit(change, of))));
  } catch {
    // A suggestion that cannot be fetched is missed by nobody; the next version asks again.
    if (asked === key) asked = null;
  }
}

function item({ words, concept, edit: change }, edit) {
  const meant = concept.en ?? concept.name;
  const take = async () => {
    const of = asked;
    $("learned").hidden = true;
    // Of the version that was made, others are asked for.
    if (!(await edit(change)) && asked === of) $("learned").hidden = false;
  };
  return make("li", {}, make("q", { lang: tongue(words) }, words), " → ", button(t("learned.take", { meant }), () => void take(), { class: "small" }));
}
