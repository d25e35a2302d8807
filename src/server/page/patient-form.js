// The particulars of a patient, to enter or to change. What was typed stays until the server has it.
import * as api from "./api.js";
import { button, make } from "./dom.js";
import { t } from "./i18n.js";
import { KINDS, givenNumber, showIssuer } from "./numbers.js";
import { explain } from "./recordings.js";

/** What went wrong with a field, in the page's language. */
export function explainField(error) {
  const param = error.body?.error?.param;
  const key = `visit.wrong.${error.code}`;
  if (!param || t(key) === key) return explain(error);
  const named = param === "identifiers.issuer" ? t("visit.issuer") : t(`visit.field.${param.split(/\./u)[0]}`);
  return t("visit.wrong", { field: named, why: t(key) });
}

export class PatientForm {
  /** `done(patient)` gets the patient as kept; `open(id)` is called for a patient who has a number already. */
  constructor({ patient = null, name = "", done, cancel, open = null }) {
    Object.assign(this, { patient, done, cancel, open });
    const given = patient ?? { name, chinese_name: null, identifiers: [], sex: null, born: null, allergies: null };
    this.name = input(given.name, { required: true, maxLength: 100 });
    this.chinese = input(given.chinese_name ?? "", { maxLength: 100, lang: "zh-Hant-HK" });
    this.born = input(given.born ?? "", { placeholder: "1961-03-02", inputMode: "numeric", maxLength: 10 });
    this.sex = select([["", t("visit.sex.unknown")], ["female", t("visit.sex.female")], ["male", t("visit.sex.male")]], given.sex ?? "");
    this.asked = select([["no", t("visit.allergies_unknown")], ["none", t("visit.allergies_none")], ["some", t("visit.allergies_some")]], asked(given.allergies));
    this.allergies = input((given.allergies ?? []).join(", "), { maxLength: 2000 });
    this.asked.addEventListener("change", () => this.toggle());
    this.numbers = make("div", { class: "numbers" });
    for (const number of given.identifiers.length > 0 ? given.identifiers : [{ kind: "hkid", value: "" }]) this.number(number);
    this.problem = make("p", { class: "problem", aria: { role: "alert" } });
    this.save = button(t(patient ? "visit.save" : "visit.enter"), null, { class: "primary", type: "submit" });
    this.toggle();
  }

  toggle() {
    this.allergyField ??= field("visit.field.allergies", this.allergies, "visit.allergies_hint");
    this.allergyField.hidden = this.asked.value !== "some";
  }

  number({ kind, value, issuer = null }) {
    const which = select(KINDS.map((each) => [each, t(`visit.kind.${each}`)]), kind);
    which.setAttribute("aria-label", t("visit.number_kind"));
    const text = input(value, { maxLength: 40 });
    text.setAttribute("aria-label", t("visit.number"));
    const by = input(issuer ?? "", { maxLength: 80, class: "issuer", placeholder: t("visit.issuer_hint") });
    by.setAttribute("aria-label", t("visit.issuer"));
    showIssuer(which, by);
    this.numbers.append(make("div", { class: "number" }, which, text, by));
  }

  node() {
    const more = button(t("visit.number_more"), () => {
      this.number({ kind: "clinic", value: "" });
      this.numbers.lastChild.querySelector("input").focus();
    }, { class: "small" });
    const form = make(
      "form",
      { class: "patient-form", noValidate: true },
      field("visit.field.name", this.name, "visit.name_hint"),
      field("visit.field.chinese_name", this.chinese),
      make("fieldset", { class: "field" }, make("legend", {}, t("visit.field.identifiers")), this.numbers, more),
      make("div", { class: "pair" }, field("visit.field.sex", this.sex), field("visit.field.born", this.born, "visit.born_hint")),
      field("visit.allergies_asked", this.asked),
      this.allergyField,
      this.problem,
      make("div", { class: "buttons" }, button(t("visit.cancel"), () => this.cancel()), this.save),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    return form;
  }

  particulars() {
    const identifiers = [...this.numbers.children]
      .map((row) => givenNumber(row.querySelector("select").value, row.querySelector("input").value.trim(), row.querySelector(".issuer").value))
      .filter(({ value }) => value !== "");
    const named = this.allergies.value.split(/[,，、;；\n]/u).map((each) => each.trim()).filter(Boolean);
    const allergies = { no: null, none: [], some: named.length > 0 ? named : null }[this.asked.value];
    return { name: this.name.value, chinese_name: this.chinese.value, identifiers, sex: this.sex.value, born: this.born.value, allergies };
  }

  async submit() {
    if (this.save.disabled) return;
    this.save.disabled = true;
    this.problem.replaceChildren();
    try {
      const { patient } = this;
      const given = this.particulars();
      this.done(patient ? await api.changePatient(patient.id, patient.version, given) : await api.createPatient(given));
    } catch (error) {
      this.problem.textContent = explainField(error);
      const other = error.code === "number_taken" && error.body?.patient;
      if (other && this.open) this.problem.append(" ", button(t("visit.open_other"), () => this.open(other), { class: "small" }));
      this.mark(error.body?.error?.param);
    } finally {
      this.save.disabled = false;
    }
  }

  /** The focus goes to what is wrong. */
  mark(param) {
    const inputs = { name: this.name, chinese_name: this.chinese, sex: this.sex, born: this.born, allergies: this.allergies };
    const issuer = param === "identifiers.issuer" && [...this.numbers.querySelectorAll(".issuer")].find(({ hidden, value }) => !hidden && value.trim() !== "");
    (inputs[param?.split(/\./u)[0]] ?? (issuer || this.numbers.querySelector("input"))).focus();
  }
}

function asked(allergies) {
  if (allergies === null) return "no";
  return allergies.length > 0 ? "some" : "none";
}

function input(value, more) {
  return make("input", { type: "text", value, autocomplete: "off", spellcheck: false, ...more });
}

function select(options, value) {
  const node = make("select", {}, ...options.map(([key, text]) => make("option", { value: key }, text)));
  node.value = value;
  return node;
}

function field(key, control, hint = null) {
  const label = make("label", {}, make("span", { class: "label" }, t(key)), control);
  return make("div", { class: "field" }, label, hint ? make("p", { class: "hint" }, t(hint)) : null);
}
