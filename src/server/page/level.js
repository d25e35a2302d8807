// The bar that shows how loud the microphone is, in decibels under full scale.
const FLOOR_DB = -60;
const SILENT_DB = -75;
const SILENT_AFTER_MS = 4000;
const FALL_DB = 3;

export class Level {
  /** `onSilence(bool)` is told when nothing at all has come for a while, and when something comes again. */
  constructor(meter, onSilence = () => {}) {
    this.meter = meter;
    this.bar = meter.querySelector("i");
    this.onSilence = onSilence;
    this.reset();
  }

  reset() {
    this.db = FLOOR_DB;
    this.heardAt = performance.now();
    this.silent = false;
    this.draw();
  }

  /** `peak` is the largest sample since the last call, 0 to 1. */
  show(peak) {
    const db = 20 * Math.log10(Math.max(peak, 1e-6));
    this.db = Math.max(FLOOR_DB, db, this.db - FALL_DB);
    const now = performance.now();
    if (db > SILENT_DB) this.heardAt = now;
    const silent = now - this.heardAt > SILENT_AFTER_MS;
    if (silent !== this.silent) {
      this.silent = silent;
      this.onSilence(silent);
    }
    this.draw();
  }

  draw() {
    const share = Math.min(1, 1 - this.db / FLOOR_DB);
    this.bar.style.transform = `scaleX(${share.toFixed(3)})`;
    this.meter.classList.toggle("loud", this.db > -1);
    this.meter.setAttribute("aria-valuenow", String(Math.round(this.db)));
  }
}
