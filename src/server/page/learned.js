// Terms that the clinician gave a code before and that are said or typed again: suggested beside the note, taken with one click.
import * as api from "./api.js";
import { $, button, make } from "./dom.js";
import { t, tongue } from "./i18n.js";

let asked = null;

/** Lists them for the version of the note that is shown; `edit(change, version)` changes the note. */
export async function suggestLearned({ id, version, state }, edit) {
  const box = $("learned");
  const key = `${id} ${version}`;
  if (state !== "finished") {
    asked = null;
    box.hidden = true;
    box.querySelector("ul").replaceChildren();
    return;
  }
  if (asked === key) return;
  asked = key;
  // What was suggested before names findings of another version, or of another note.
  box.hidden = true;
  box.querySelector("ul").replaceChildren();
  try {
    const { version: of, suggestions } = await api.suggestions(id);
    if (asked !== key) return;
    box.hidden = suggestions.length === 0;
    box.querySelector("ul").replaceChildren(...suggestions.map((one) => item(one, (change) => edit(change, of))));
  } catch {
    // A suggestion that cannot be fetched is missed by nobody; the next version asks again.
    asked = null;
    box.hidden = true;
  }
}

function item({ words, concept, edit: change }, edit) {
  const meant = concept.en ?? concept.name;
  const take = async () => {
    box(false);
    await edit(change).catch(() => box(true));
  };
  const box = (shown) => {
    $("learned").hidden = !shown;
  };
  return make("li", {}, make("q", { lang: tongue(words) }, words), " → ", button(t("learned.take", { meant }), () => void take(), { class: "small" }));
}
