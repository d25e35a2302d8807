// Administration: people and their roles, invitations, devices.
import * as api from "./accounts-api.js";
import { $, button, make } from "./dom.js";
import { t, when } from "./i18n.js";

const KINDS = ["doctor", "nurse", "registrar", "administrator", "privacy_officer", "auditor"];

/** The day in Hong Kong of a time, or nothing. */
const lastDay = (at) => (at ? new Date(Date.parse(at) + 8 * 3600000).toISOString().slice(0, 10) : "");

export class Admin {
  /** `attempt(run)` runs something and shows what went wrong. */
  constructor(attempt) {
    this.attempt = attempt;
    this.all = null;
    $("invite-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.invite();
    });
    $("letterhead-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.change(() => api.setLetterhead({ address: $("letterhead-address").value, phone: $("letterhead-phone").value }));
    });
    $("staff-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    $("staff-leave").addEventListener("click", () => ($("staff-form").hidden = true));
    $("device-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.enrol();
    });
  }

  async show() {
    const [{ roles, invitations }, devices, letterhead, delivery] = await Promise.all([api.people(), api.devices(), api.letterhead(), api.delivery()]);
    this.all = { roles, invitations, devices, delivery };
    for (const part of ["address", "phone"]) $(`letterhead-${part}`).value = letterhead[part] ?? "";
    this.draw();
    $("admin").hidden = false;
  }

  draw() {
    if (this.all === null) return;
    const kept = $("invite-kind").value;
    $("invite-kind").replaceChildren(...KINDS.map((kind) => make("option", { value: kind }, t(`role.${kind}`))));
    if (kept) $("invite-kind").value = kept;
    $("people").replaceChildren(...this.all.roles.map((one) => this.person(one)));
    $("invitations").replaceChildren(...this.all.invitations.map((one) => this.invitation(one)));
    const { waiting, refused, failed } = this.all.delivery ?? { waiting: 0, refused: 0, failed: 0 };
    $("delivery").hidden = waiting + failed === 0;
    $("delivery").className = refused + failed > 0 ? "strip bad" : "hint";
    $("delivery").textContent = t("admin.delivery", { waiting, refused, failed });
    $("devices").replaceChildren(...this.all.devices.map((one) => this.device(one)));
  }

  change(run) {
    return this.attempt(async () => {
      await run();
      await this.show();
    });
  }

  person(one) {
    const { role, person, name, kind, department, held, starts_at, ends_at, passkeys, bindings } = one;
    const later = Date.parse(starts_at) > Date.now();
    const facts = [t(`role.${kind}`), department, later ? t("admin.from", { when: when(starts_at) }) : null, ends_at ? t(held || later ? "admin.until" : "admin.ended", { when: when(ends_at) }) : null, t("admin.passkeys", { n: passkeys }), bindings ? t("admin.bindings", { n: bindings }) : null];
    const row = make("li", { data: { role } }, make("span", {}, name, make("small", { class: "hint" }, facts.filter(Boolean).join(" · "))));
    if (held || later) {
      row.append(
        button(t("admin.change"), () => this.edit(one), { class: "small" }),
        button(t("admin.end"), () => this.change(() => api.endRole(role)), { class: "small danger" }),
      );
    }
    if (held) {
      row.append(
        button(t("admin.lost"), () => this.attempt(async () => row.append(this.lost(person, await api.credentialsOf(person)))), { class: "small" }),
        button(t("admin.recover"), () => this.attempt(async () => this.link(await api.recover(person))), { class: "small" }),
      );
    }
    return row;
  }

  /** What lets somebody in, of which one may be lost. */
  lost(person, { passkeys, bindings }) {
    const row = ({ id, label, issuer, created_at }) => make("li", { data: { credential: id } }, make("span", {}, label ?? issuer, make("small", { class: "hint" }, when(created_at))),
      button(t("admin.stop_credential"), () => this.change(() => api.stopCredential(person, id)), { class: "small danger" }));
    return make("ul", { class: "rows" }, ...[...passkeys, ...bindings].map(row));
  }

  invitation({ id, name, kind, ends_at }) {
    const facts = [kind ? t(`role.${kind}`) : t("admin.recovery"), t("admin.until", { when: when(ends_at) })].join(" · ");
    return make("li", {}, make("span", {}, name ?? "", make("small", { class: "hint" }, facts)), button(t("admin.uninvite"), () => this.change(() => api.uninvite(id)), { class: "small" }));
  }

  device({ id, name, room, scope, ends_at, good }) {
    const facts = [t(`admin.scope.${scope}`), room, t(good ? "admin.until" : "admin.ended", { when: when(ends_at) })].filter(Boolean).join(" · ");
    return make("li", {}, make("span", {}, name, make("small", { class: "hint" }, facts)), button(t("admin.revoke"), () => this.change(() => api.revokeDevice(id)), { class: "small danger" }));
  }

  /** Opens the form of somebody's particulars. */
  edit(one) {
    this.edited = one;
    const values = { name: one.name, phone: one.phone ?? "", email: one.email ?? "", department: one.department ?? "", start: lastDay(one.starts_at), end: lastDay(one.ends_at) };
    for (const [part, value] of Object.entries(values)) $(`staff-${part}`).value = value;
    $("staff-form").hidden = false;
    $("staff-name").focus();
  }

  save() {
    const value = (part) => $(`staff-${part}`).value.trim() || null;
    const { role, person, name, phone, email, starts_at, ends_at } = this.edited;
    const card = { name: value("name"), phone: value("phone"), email: value("email") };
    // A role ends with its last day, at midnight in Hong Kong; an end in the middle of a day stays as it is while the day does.
    const end = value("end") === (lastDay(ends_at) || null) ? ends_at ?? null : value("end") && `${value("end")}T23:59:59+08:00`;
    const start = value("start") === lastDay(starts_at) ? null : value("start") && `${value("start")}T00:00:00+08:00`;
    return this.change(async () => {
      if (card.name !== name || card.phone !== (phone ?? null) || card.email !== (email ?? null)) await api.changeCard(person, card);
      await api.changeRole(role, { department: value("department"), starts_at: start, ends_at: end });
      $("staff-form").hidden = true;
    });
  }

  /** A link or a token is told once: it stands there until the page is left. */
  link({ link, token }, text = "admin.link") {
    $("link-text").textContent = t(text);
    $("link-value").textContent = link ?? token;
    $("link").hidden = false;
    $("link").scrollIntoView({ block: "nearest" });
  }

  invite() {
    return this.change(async () => {
      this.link(await api.invite({ name: $("invite-name").value, kind: $("invite-kind").value, department: $("invite-department").value || null, starts_at: $("invite-start").value ? `${$("invite-start").value}T00:00:00+08:00` : null }));
      for (const part of ["name", "department", "start"]) $(`invite-${part}`).value = "";
    });
  }

  enrol() {
    const device = { name: $("device-name").value, scope: $("device-scope").value, room: $("device-room").value, days: Number($("device-days").value) };
    return this.change(async () => {
      this.link({ token: (await api.enrolDevice(device)).token }, "admin.token");
      for (const part of ["name", "room"]) $(`device-${part}`).value = "";
    });
  }
}
