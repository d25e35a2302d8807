// What went wrong on the pages of accounts, in the page's language.
import { has, t } from "./i18n.js";

/** The words of a refusal's code. */
export function inWords(code) {
  const known = [`error.${code}`, `visit.wrong.${code}`].find(has);
  return known ? t(known) : t("error.unknown", { code });
}
