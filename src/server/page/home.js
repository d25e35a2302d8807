// The first view: the choice of a microphone and a language, the level, a file to drop. It starts nothing itself.
import { $, make } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { Level } from "./level.js";
import { allowed, devices, Microphone, onDevices } from "./microphone.js";
import { dismiss, notice } from "./notices.js";

const KEYS = { device: "cantoscribe.device", spoken: "cantoscribe.spoken" };

function kept(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch { /* not remembered */ }
}

export class Home {
  /**
   * `on.permit()` resolves to `{banner, still}`, the visit that may be recorded or null for nobody's, and whether that is still what is
   * wanted; or to null. `on.start({microphone, deviceId, language, banner})` gets the open microphone; `on.file(file)` what was chosen.
   */
  constructor(on) {
    this.on = on;
    this.microphone = null;
    this.pending = Promise.resolve();
    this.spoken = kept(KEYS.spoken) ?? "yue";
    this.languages = ["yue", "zh", "en", "auto"];
    this.level = new Level($("start-meter"), (silent) => this.hint(silent ? "start.level_silent" : "start.level_open"));
    $("check").addEventListener("click", () => (this.microphone ? this.rest() : this.check()));
    $("device").addEventListener("change", () => this.choose());
    $("start-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.start();
    });
    $("file").addEventListener("change", () => {
      const [file] = $("file").files;
      $("file").value = "";
      if (file) this.on.file(file);
    });
    onDevices(() => this.list());
    onLanguage(() => this.draw());
  }

  get deviceId() {
    return $("device").value;
  }

  /** The view is looked at: shows the level at once when the user has said yes before. */
  async enter() {
    this.here = true;
    await this.list();
    if (this.here && !this.microphone && (await allowed())) this.check({ quietly: true });
  }

  leave() {
    this.here = false;
    this.rest();
  }

  setLanguages(languages) {
    if (Array.isArray(languages) && languages.length > 0) this.languages = languages;
    this.draw();
  }

  draw() {
    if (!this.languages.includes(this.spoken)) [this.spoken] = this.languages;
    $("spoken").replaceChildren(...this.languages.map((tag) => this.choice(tag)));
    $("check").textContent = t(this.microphone ? "start.stop_check" : "start.check");
    this.hint(this.hintKey ?? "start.level_idle");
    void this.list();
  }

  choice(tag) {
    const input = make("input", { type: "radio", name: "spoken", value: tag, checked: tag === this.spoken });
    input.addEventListener("change", () => {
      this.spoken = tag;
      keep(KEYS.spoken, tag);
    });
    return make("label", {}, input, make("span", {}, t(`spoken.${tag}`)));
  }

  hint(key) {
    this.hintKey = key;
    $("level-hint").textContent = t(key);
  }

  async list() {
    const chosen = $("device").value || kept(KEYS.device) || "";
    const found = (await devices()).filter(({ deviceId }) => deviceId !== "" && deviceId !== "default");
    const options = found.map(({ deviceId, label }, at) => make("option", { value: deviceId }, label || t("start.device_n", { n: at + 1 })));
    $("device").replaceChildren(make("option", { value: "" }, t("start.default_device")), ...options);
    $("device").value = found.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
  }

  async choose() {
    keep(KEYS.device, this.deviceId);
    if (this.microphone) {
      this.rest();
      this.check();
    }
  }

  /** Opens the microphone for its level; nothing is sent or kept. */
  check({ quietly = false } = {}) {
    this.pending = this.pending.then(() => this.listen(quietly));
  }

  async listen(quietly) {
    if (!this.here || this.microphone) return;
    const microphone = await this.open(quietly);
    if (!microphone) return;
    if (!this.here) {
      microphone.close();
      return;
    }
    this.microphone = microphone;
    this.level.reset();
    this.hintKey = "start.level_open";
    this.draw();
  }

  async open(quietly = false) {
    try {
      const microphone = await Microphone.open(this.deviceId, {
        level: (peak) => this.level.show(peak),
        chunk: () => {},
        lost: () => this.rest(),
        muted: () => {},
        stopped: () => {},
      });
      dismiss("microphone");
      return microphone;
    } catch (error) {
      if (!quietly) notice("microphone", "bad", error.code ?? "mic.failed", { name: error.name });
      return null;
    }
  }

  async start() {
    if (this.starting) return;
    this.starting = true;
    // Asked before anything is opened to record with.
    const permit = await this.on.permit();
    if (permit === null) {
      this.starting = false;
      return;
    }
    $("start").setAttribute("aria-busy", "true");
    // A check that is just being opened is the microphone to record with.
    await this.pending;
    const microphone = this.microphone ?? (await this.open());
    this.starting = false;
    $("start").removeAttribute("aria-busy");
    if (!microphone) return;
    if (!permit.still()) {
      this.microphone = microphone;
      this.rest();
      notice("microphone", "bad", "start.overtaken");
      return;
    }
    this.microphone = null;
    this.on.start({ microphone, deviceId: this.deviceId, language: this.spoken, banner: permit.banner });
  }

  rest() {
    this.microphone?.close();
    this.microphone = null;
    this.level.reset();
    this.hintKey = "start.level_idle";
    this.draw();
  }
}
