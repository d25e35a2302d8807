// A stretch of network between browser and server that can be cut. The server answers only to the address that it serves, so the heads of
// requests get its port in place of ours; both have five digits, and no length changes.
import net from "node:net";

import { freePort } from "./server.mjs";

export class Proxy {
  constructor(server) {
    this.server = server;
    this.cut = false;
    this.pairs = new Set();
  }

  async start() {
    this.port = await freePort();
    this.listener = net.createServer((near) => this.join(near));
    await new Promise((done) => this.listener.listen(this.port, "127.0.0.1", done));
  }

  get address() {
    return `http://127.0.0.1:${this.port}`;
  }

  join(near) {
    if (this.cut) {
      near.resetAndDestroy();
      return;
    }
    const far = net.connect(this.server.port, "127.0.0.1");
    const pair = [near, far];
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.on("data", (bytes) => far.write(this.readdress(bytes)));
    far.on("data", (bytes) => near.write(bytes));
  }

  /** Only heads name our address; sound is left as it is. */
  readdress(bytes) {
    const start = bytes.subarray(0, 8).toString("latin1");
    if (!/^(GET|POST|DELETE|HEAD) /.test(start)) return bytes;
    const text = bytes.toString("latin1");
    return Buffer.from(text.replaceAll(`127.0.0.1:${this.port}`, `127.0.0.1:${this.server.port}`), "latin1");
  }

  /** Breaks every connection and refuses new ones. */
  interrupt() {
    this.cut = true;
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  mend() {
    this.cut = false;
  }

  stop() {
    this.cut = true;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
    this.listener.close();
  }
}
