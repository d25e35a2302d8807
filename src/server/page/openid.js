// Signing in at an issuer of OpenID Connect: its buttons, the way there, and what it sends the browser back with. What was begun is kept in this
// tab alone, sealed by the server: an answer that another browser asked for is worth nothing here.
import * as api from "./accounts-api.js";
import { ApiError } from "./api.js";
import { $, button, make } from "./dom.js";
import { language, t, when } from "./i18n.js";

const KEPT = "openid";
let issuers = [];

/** Asks which issuers there are. Without an answer there are passkeys. */
export async function load() {
  issuers = await api.issuers().catch(() => []);
}

const nameOf = ({ name, chinese_name: chinese }) => (language() === "zh" && chinese ? chinese : name);

/** Puts a button for each issuer into a place; `go` has the issuer. */
export function drawButtons(place, text, go) {
  $(place).replaceChildren(...issuers.map((issuer) => button(t(text, { name: nameOf(issuer) }), () => go(issuer.issuer), { class: "big", data: { issuer: issuer.issuer } })));
  $(place).hidden = issuers.length === 0;
}

/** Lists sign-ins at issuers; `remove` has the id of one, and is left out for the last way in. */
export function drawBindings(bindings, remove) {
  $("openid").hidden = issuers.length === 0 && bindings.length === 0;
  $("bindings").replaceChildren(...bindings.map(({ id, issuer, created_at, limited, stopped }) => {
    const known = issuers.find((one) => one.issuer === issuer);
    const facts = [known ? issuer : t("account.openid_gone"), when(created_at), limited ? t("account.limited") : null, stopped ? t("account.stopped") : null].filter(Boolean).join(" · ");
    const row = make("li", {}, make("span", {}, known ? nameOf(known) : issuer, make("small", { class: "hint" }, facts)));
    if (remove) row.append(button(t("account.remove"), () => remove(id), { class: "small danger" }));
    return row;
  }));
}

/** Leaves for an issuer's page. `purpose` is what to do with its answer. */
export function leave({ ceremony, url }, purpose) {
  sessionStorage.setItem(KEPT, JSON.stringify({ ceremony, purpose }));
  location.assign(url);
}

/** What an issuer sent the browser back with, once: `{purpose, read}`, of which `read` throws where it is a no; else null. */
export function back() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return null;
  // Neither the code nor the state stands in the history.
  history.replaceState(null, "", location.pathname);
  const { ceremony, purpose } = JSON.parse(sessionStorage.getItem(KEPT) ?? '{"ceremony":"","purpose":"sign_in"}');
  sessionStorage.removeItem(KEPT);
  const read = () => {
    if (answer.has("error")) throw new ApiError("openid_cancelled");
    return { ceremony, code: answer.get("code") ?? "", state: answer.get("state"), iss: answer.get("iss") };
  };
  return { purpose, read };
}
