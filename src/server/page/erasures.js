// The privacy officer's card: what is kept of a patient, what forbids that it is erased, and erasing it for a reason. The patient is found by a
// number, or by what the log calls them. Either stands in bodies, never in addresses, and no word of a record is shown.
import * as api from "./accounts-api.js";
import { $, ask, button, make } from "./dom.js";
import { t, when } from "./i18n.js";
import { KINDS, givenNumber, showIssuer } from "./numbers.js";
import { inWords } from "./problem.js";

const REASONS = ["term_over", "patient_asked", "mistake", "ordered"];

/** A number without what people write differently; a pseudonym has no other form. */
const bare = (kind, value) => (kind === "pseudonym" ? value : value.toUpperCase().replace(/[^\p{L}\p{N}]/gu, ""));

/** How a request says whom it means. */
const knownBy = (kind, value, issuer) => (kind === "pseudonym" ? { pseudonym: value } : { number: givenNumber(kind, value, issuer) });

/** A signature's time, where it can be read. */
const signedAt = (at) => (at === null ? "?" : when(at));

export class ErasureCard {
  /** `attempt(run)` runs something and shows what went wrong. */
  constructor(attempt) {
    this.attempt = attempt;
    this.found = null;
    this.erased = null;
    showIssuer($("erasure-kind"), $("erasure-issuer-field"));
    $("erasure-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.look();
    });
    $("erasure-all").addEventListener("click", () => void this.ask(null));
    $("erasure-ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.erase();
    });
    $("erasure-ask-no").addEventListener("click", () => $("erasure-ask").close(""));
  }

  /** Shows the card empty: what another session found, or erased, is nobody else's to see. */
  show() {
    this.clear();
    this.ready = true;
    this.draw();
    $("erasures").hidden = false;
  }

  /** Forgets what was found, asked and typed, when a session ends or begins. */
  clear() {
    [this.found, this.erased, this.one] = [null, null, null];
    if ($("erasure-ask").open) $("erasure-ask").close("");
    for (const part of ["value", "issuer", "reason", "again"]) $(`erasure-${part}`).value = "";
    $("erasure-problem").textContent = "";
    this.draw();
  }

  draw() {
    if (!this.ready) return;
    const options = (id, values, name) => {
      const kept = $(id).value;
      $(id).replaceChildren(...values.map((value) => make("option", { value }, name(value))));
      if (kept) $(id).value = kept;
    };
    options("erasure-kind", [...KINDS, "pseudonym"], (kind) => t(kind === "pseudonym" ? "erasure.pseudonym" : `visit.kind.${kind}`));
    options("erasure-reason", ["", ...REASONS], (reason) => t(reason ? `erasure.reason.${reason}` : "erasure.choose"));
    $("erasure-done").hidden = this.erased === null;
    $("erasure-done").textContent = this.erased === null ? "" : t("erasure.done", this.erased);
    $("erasure-found").hidden = this.found === null;
    if (this.found === null) return;
    const { pseudonym, recordings, on_hold: held, merged } = this.found;
    $("erasure-whose").textContent = t("erasure.whose", { pseudonym });
    $("erasure-counts").replaceChildren(...this.counts().map((line) => make("li", {}, line)));
    $("erasure-against").replaceChildren(...this.against().map((line) => make("li", {}, line)));
    $("erasure-recordings").replaceChildren(...recordings.map((one) => this.row(one)));
    $("erasure-each").hidden = recordings.length === 0;
    $("erasure-all").disabled = held || merged;
  }

  counts() {
    const { seen, recordings, first_visit: first, last_visit: last } = this.found;
    const sounds = recordings.filter(({ sound }) => sound).length;
    return [
      seen.visits > 0 ? t("erasure.visits", { n: seen.visits, from: when(first), to: when(last) }) : t("erasure.no_visits"),
      t("erasure.recordings", { n: seen.recordings, signed: seen.signed, sounds }),
      t("erasure.particulars"),
    ];
  }

  /** What goes before an erasing, and why. */
  against() {
    const { seen, recordings, holds, on_hold: held, merged, access_request: open } = this.found;
    const signed = recordings.map(({ signed_at: at }) => at).filter(Boolean).sort();
    const lines = holds.map(({ patient, reason, placed_by: who, placed_at: at }) => t(patient === null ? "erasure.hold_recording" : "erasure.hold", { reason, who, when: when(at) }));
    if (held && holds.length === 0) lines.push(inWords("on_hold"));
    if (merged) lines.push(inWords("merged"));
    if (open !== null) lines.push(t("erasure.access_request", { received: when(open.received), due: when(open.due) }));
    if (seen.signed > 0) lines.push(t("erasure.term", { n: seen.signed, when: signedAt(signed.at(-1) ?? null) }));
    return lines.length > 0 ? lines : [t("erasure.nothing_against")];
  }

  row(one) {
    const { id, created_at: at, signed, signed_at: last, sound, on_hold: held } = one;
    const facts = [signed ? t("erasure.signed", { when: signedAt(last) }) : t("erasure.draft"), sound ? t("erasure.sound") : null, held ? t("erasure.held") : null];
    const row = make("li", { data: { erasable: id } }, make("span", {}, when(at), make("small", { class: "hint" }, facts.filter(Boolean).join(" · "))));
    if (signed) row.append(button(t("erasure.one"), () => void this.ask(one), { class: "small danger", disabled: held || this.found.merged, aria: { label: `${t("erasure.one")} ${when(at)}` } }));
    return row;
  }

  look() {
    const [kind, value, issuer] = ["kind", "value", "issuer"].map((part) => $(`erasure-${part}`).value.trim());
    [this.found, this.erased] = [null, null];
    this.draw();
    return this.attempt(async () => {
      const found = await api.lookToErase(knownBy(kind, value, issuer));
      this.found = { ...found, kind, value, issuer };
      this.draw();
      $("erasure-whose").focus();
    });
  }

  /** Asks for the reason and, once more, the number; `one` is a recording, or null where it is everything. */
  ask(one) {
    const { seen, pseudonym } = this.found;
    this.one = one;
    $("erasure-ask-title").textContent = t(one ? "erasure.ask_one" : "erasure.ask_all");
    $("erasure-ask-text").textContent = one
      ? t("erasure.text_one", { when: when(one.created_at), signed: signedAt(one.signed_at), pseudonym })
      : t("erasure.text_all", { ...seen, pseudonym });
    $("erasure-problem").textContent = "";
    for (const part of ["reason", "again"]) $(`erasure-${part}`).value = "";
    void ask($("erasure-ask"), () => null);
    $("erasure-reason").focus();
  }

  async erase() {
    const { patient, kind, value, issuer, seen } = this.found;
    const again = $("erasure-again").value.trim();
    const wrong = (text, field) => {
      $("erasure-problem").textContent = text;
      field?.focus();
    };
    if (bare(kind, again) !== bare(kind, value)) return wrong(t("erasure.not_same"), $("erasure-again"));
    $("erasure-ask-yes").disabled = true;
    try {
      const decision = { patient, known_by: knownBy(kind, again, issuer), recording: this.one?.id ?? null, reason: $("erasure-reason").value, seen };
      this.erased = await api.eraseForReason(decision);
      [this.found, $("erasure-value").value, $("erasure-issuer").value] = [null, "", ""];
      $("erasure-ask").close();
      this.draw();
      $("erasure-done").focus();
    } catch (error) {
      // Whose session has ended sees the sign-in, and no dialog over it.
      if (error.code === "not_signed_in") return void this.attempt(() => Promise.reject(error));
      wrong(inWords(error.code ?? error.name));
    } finally {
      $("erasure-ask-yes").disabled = false;
    }
  }
}
