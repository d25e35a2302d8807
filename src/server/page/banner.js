// Who is before the clinician: name and number, sex, age and allergies, on record, edit, sign and letters. Draws what the server gives as
// `banner` (of a recording or a visit) and decides nothing.
import { $, make } from "./dom.js";
import { t, tongue, when } from "./i18n.js";
import { numberText } from "./numbers.js";

/** `65 y`; months for who is younger than two. */
export function ageText(age) {
  if (!age) return null;
  if (age.years < 2) return t("visit.months", { n: age.years * 12 + age.months });
  return t("visit.years", { n: age.years });
}

export function nameOf(patient) {
  return [patient.chinese_name, patient.name].filter(Boolean).join(" ");
}

/** The number that tells the patient from another of the same name, with who issued it where it is not this organisation's own; the date of birth where there is none. */
function second(patient) {
  const [number] = patient.identifiers;
  if (number) return fact(t(`visit.kind.${number.kind}`), numberText(number));
  if (patient.born) return fact(t("visit.born"), patient.born);
  return make("span", { class: "fact lacking" }, t("visit.no_number"));
}

function fact(name, value) {
  return make("span", { class: "fact" }, make("span", { class: "what" }, name), " ", make("b", {}, value));
}

/** What all who are merged are allergic to; not known where one was never asked and no other has any. */
function allAllergies({ allergies: own, merged = [] }) {
  const lists = [own, ...merged.map((each) => each.allergies)];
  const named = [...new Set(lists.flatMap((list) => list ?? []))];
  return named.length > 0 || lists.every((list) => list != null) ? named : null;
}

function allergies(known) {
  if (known === null || known === undefined) return make("span", { class: "fact lacking" }, t("visit.allergies_unknown"));
  if (known.length === 0) return make("span", { class: "fact" }, t("visit.allergies_none"));
  const list = known.flatMap((each, at) => [at > 0 ? ", " : "", make("span", { lang: tongue(each) }, each)]);
  return make("span", { class: "fact allergic" }, make("b", {}, t("visit.allergies")), " ", ...list);
}

/**
 * The banner of `{patient, encounter}`; `null` is a recording of nobody. `actions` are buttons, `small` leaves the visit out.
 */
export function bannerNode(banner, { actions = [], small = false } = {}) {
  const foot = actions.length > 0 ? make("div", { class: "banner-actions" }, ...actions) : null;
  if (!banner) {
    const label = t("visit.nobody");
    return make("div", { class: "banner nobody", aria: { role: "group", label } }, make("div", { class: "who" }, make("b", { class: "name" }, label)), foot);
  }
  const { patient, encounter } = banner;
  const sexAndAge = [patient.sex && t(`visit.sex.${patient.sex}`), ageText(patient.age)].filter(Boolean).join(" · ");
  const name = [
    patient.chinese_name && make("span", { lang: "zh-Hant-HK" }, patient.chinese_name),
    make("span", { lang: tongue(patient.name) }, patient.name),
  ];
  const born = patient.identifiers.length > 0 && patient.born ? fact(t("visit.born"), patient.born) : null;
  const facts = make(
    "div",
    { class: "facts" },
    second(patient),
    born,
    make("span", { class: sexAndAge ? "fact" : "fact lacking" }, sexAndAge || t("visit.no_sex_age")),
    allergies(allAllergies(patient)),
    ...(patient.merged ?? []).map((each) => fact(t("visit.merged"), [nameOf(each), ...each.identifiers.slice(0, 1).map(numberText)].filter(Boolean).join(" · "))),
    small || !encounter ? null : make("span", { class: "fact" }, t("visit.at", { when: when(encounter.at), clinician: encounter.clinician })),
    encounter?.refused ? make("span", { class: "tag wait" }, t("visit.refused")) : null,
  );
  const who = make("div", { class: "who" }, make("b", { class: "name" }, ...name.filter(Boolean)), facts);
  return make("div", { class: "banner", aria: { role: "group", label: t("visit.banner") } }, who, foot);
}

/** Puts the banner of who is concerned into a dialog, which hides the one behind it. */
export function showBanner(id, banner) {
  $(id).replaceChildren(bannerNode(banner, { small: true }));
}
