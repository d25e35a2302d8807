// The numbers that a patient is known by: their kinds, and who issued one that is not the organisation's own.

export const KINDS = ["hkid", "passport", "hospital", "clinic", "other"];
/** The kinds that an institution issues: two of them may issue the same number. */
const ISSUED = ["hospital", "clinic", "other"];

/** `12345 (QMH)`; without an issuer it is the organisation's own, or a state's. */
export function numberText({ value, issuer }) {
  return issuer ? `${value} (${issuer})` : value;
}

/** What a form says of a number; an issuer only of a kind that has one. */
export function givenNumber(kind, value, issuer) {
  const named = ISSUED.includes(kind) ? issuer.trim() : "";
  return { kind, value, issuer: named || null };
}

/** Shows the field for the issuer while a kind is chosen that has one. */
export function showIssuer(select, field) {
  const look = () => (field.hidden = !ISSUED.includes(select.value));
  select.addEventListener("change", look);
  look();
}
