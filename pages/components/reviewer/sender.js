// When messages go to the page: at once after a decision, again while there is no reply, and a little
// later when only another item is on the screen.

import { AGAIN_MS } from "./outbox.js";

/** @import { Component } from "../component.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { ReviewerData, ReviewerState } from "./payload.js" */

/** @typedef {Component<ReviewerData, ReviewerState>} Given */

const TOLD_MS = 50; // where the reviewer is can wait: a key that follows within this time tells it too

export class Sender {
  /**
   * @param {Outbox} outbox
   * @param {() => string | null | undefined} here the item on the screen
   */
  constructor(outbox, here) {
    this.outbox = outbox;
    this.here = here;
    /** @type {Given | null} the latest call, through which messages go */
    this.component = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.placing = undefined;
    this.beat = setInterval(() => this.sendAgain(), AGAIN_MS);
  }

  close() {
    clearInterval(this.beat);
  }

  /** @param {string | null} [at] an item to come to the screen, in place of the one on it */
  send(at = this.here()) {
    clearTimeout(this.placing);
    this.component?.setStateValue("work", this.outbox.message(at));
  }

  sendAgain() {
    if (this.outbox.isLate()) this.send();
  }

  // The page learns where the reviewer is, so that it can get the next clips ready.
  tellPlace() {
    const isTold = () => this.component?.data.current === this.here();
    if (isTold()) return;
    clearTimeout(this.placing);
    this.placing = setTimeout(() => isTold() || this.send(), TOLD_MS);
  }
}
