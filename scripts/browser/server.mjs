// The real binary as a server on a data folder of its own, and what a program asks of it.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, until } from "./harness.mjs";

/** A free port of five digits, so that another one of five can take its place in a request's head. */
export function freePort() {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.on("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => (port >= 10000 ? done(port) : freePort().then(done, fail)));
    });
  });
}

/** A request of a program's; a text is sent as it is. What is no JSON has no `body`. */
export async function ask(server, method, what, body) {
  const answer = await fetch(server.address + what, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  const said = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json");
  return { status: answer.status, said, body: json && said ? JSON.parse(said) : null };
}

/** Removes a folder in which a server that was told to end may still write that it did. */
export function remove(folder) {
  for (let tries = 0; existsSync(folder); tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (tries === 100) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

export class Server {
  constructor(binary, { trial = true, more = [] } = {}) {
    this.binary = binary;
    this.trial = trial;
    this.more = more;
    this.data = mkdtempSync(path.join(tmpdir(), "cantoscribe-browser-"));
    this.log = "";
  }

  async start() {
    this.port ??= await freePort();
    const options = ["serve", ...(this.trial ? ["--trial"] : []), "--addr", `127.0.0.1:${this.port}`, "--data", this.data, ...this.more];
    this.process = spawn(this.binary, options, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (text) => (this.log += text));
    this.process.on("exit", (code) => (this.code = code));
    await until("the server answers", async () => {
      expect(this.code === undefined, `the server ended with ${this.code}:\n${this.log}`);
      return fetch(`${this.address}/openapi.json`).then((answer) => answer.ok, () => false);
    });
  }

  get address() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where pages are that passkeys can be for. */
  get origin() {
    return `http://localhost:${this.port}`;
  }

  async json(what) {
    const answer = await fetch(this.address + what);
    expect(answer.ok, `${what} was answered with ${answer.status}`);
    return answer.json();
  }

  recording = (id) => this.json(`/v1/recordings/${id}`);

  /** Ends the server like a power cut. */
  async kill() {
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await gone;
    this.code = undefined;
  }

  /** Ends the server as a service manager does, and waits for it. */
  async end() {
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await gone;
    this.code = undefined;
  }

  stop() {
    if (this.process && this.process.exitCode === null) this.process.kill("SIGTERM");
    remove(this.data);
  }
}
