// Answers that come late: the server does at once what it is asked, and the page hears of it when the check says so.
export class Late {
  static async of(page) {
    const late = new Late();
    late.held = [];
    late.client = await page.createCDPSession();
    late.client.on("Fetch.requestPaused", ({ requestId, request }) => void late.paused(requestId, request));
    await late.client.send("Fetch.enable", { patterns: [{ urlPattern: "*/v1/*", requestStage: "Response" }] });
    return late;
  }

  async paused(requestId, { method, url }) {
    const go = () => this.client.send("Fetch.continueRequest", { requestId });
    const at = this.held.findIndex((one) => one.method === method && one.where.test(new URL(url).pathname));
    // A page that went away waits for nothing.
    if (at < 0) await go().catch(() => {});
    else this.held.splice(at, 1)[0].answered(go);
  }

  /** Holds the next answer of such a request back. `came` waits until the server has given it, `go` lets the page have it. */
  hold(method, where) {
    const held = { method, where };
    const answer = new Promise((done) => (held.answered = done));
    this.held.push(held);
    return { came: () => answer, go: async () => (await answer)() };
  }

  stop() {
    return this.client.detach();
  }
}
