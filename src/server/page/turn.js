// Whose turn it is. What is waited for may be overtaken meanwhile: by another press, another view, another question. A turn is taken
// before the wait and asked after it.

export class Turns {
  constructor() {
    this.latest = 0;
  }

  /** Takes a turn, which ends all before it; what is given back says whether it is still the latest. */
  take() {
    this.end();
    return this.running();
  }

  /** The turn that runs already, and goes on. */
  running() {
    const mine = this.latest;
    return () => this.latest === mine;
  }

  end() {
    this.latest += 1;
  }
}

/** What the page shows next, and for whom: taken by whatever was asked for last. */
export const view = new Turns();
