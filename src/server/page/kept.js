// How long sound is kept, in words: what the server was told to do, and what it has done.
import { t, when } from "./i18n.js";

let hours = null;

/** What the server said of itself. */
export function keepsSoundFor(stated) {
  hours = stated;
}

/** For how long sound is kept, before there is any. */
export const soundRule = () => (hours === null ? "" : t(hours === 0 ? "sound.rule_none" : "sound.rule", { n: hours }));

/** What is known of the sound of a recording that the server holds. */
export function soundOf(sound) {
  if (!sound) return "";
  if (sound.erased_at) return t("sound.erased", { when: when(sound.erased_at) });
  if (sound.on_hold) return t("sound.on_hold");
  return sound.kept_until ? t("sound.until", { when: when(sound.kept_until) }) : soundRule();
}
