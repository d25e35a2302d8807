// A loudspeaker that nobody hears: Firefox runs no sound at all on a machine without one, not even that of a microphone.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { until } from "./harness.mjs";

/** Starts one of our own; null where pulseaudio is not installed. `env` leads a program to it. */
export async function loudspeaker() {
  const folder = mkdtempSync(path.join(tmpdir(), "cantoscribe-pulse-"));
  const socket = path.join(folder, "native");
  const env = { HOME: folder, XDG_RUNTIME_DIR: folder };
  const modules = ["-L", "module-null-sink", "-L", `module-native-protocol-unix socket=${socket} auth-anonymous=1`];
  const options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", ...modules];
  const daemon = spawn("pulseaudio", options, { env: { ...process.env, ...env }, stdio: "ignore" });
  const stop = () => {
    daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  let missing = false;
  daemon.on("error", () => (missing = true));
  await until("the loudspeaker is there", () => missing || existsSync(socket), 10000);
  if (missing) {
    stop();
    return null;
  }
  return { env: { PULSE_SERVER: `unix:${socket}` }, stop };
}
