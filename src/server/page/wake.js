// Keeps the screen of a phone or tablet lit while the microphone is open: a device that sleeps hears nothing.
let lock = null;
let wanted = false;

export async function keepAwake(on) {
  wanted = on;
  if (on && lock === null && document.visibilityState === "visible") {
    try {
      lock = await navigator.wakeLock.request("screen");
      lock.addEventListener("release", () => {
        lock = null;
      });
      if (!wanted) await lock?.release();
    } catch { /* not offered here, or the battery is low */ }
  } else if (!on && lock !== null) {
    await lock.release();
  }
}

document.addEventListener("visibilitychange", () => wanted && void keepAwake(true));
