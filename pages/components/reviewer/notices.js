// What the reviewer has to be told, one notice after the other, with what can be done about it.

import { find, madeButton } from "../dom.js";

/** @import { Card, Decision, Reply } from "./payload.js" */
/** @import { NewDecision } from "./outbox.js" */

/**
 * Something to tell, about an item or not, with what one can do about it.
 *
 * @typedef {object} Notice
 * @property {string | null} item
 * @property {string} text
 * @property {[string, () => void][]} choices
 */

export class Notices {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.box = find(section, ".notice");
    this.what = find(this.box, ".what");
    this.answers = find(this.box, ".answers");
    /** @type {Notice[]} */
    this.waiting = [];
  }

  /** @param {Notice} notice shown when those before it are answered */
  tell(notice) {
    this.waiting.push(notice);
    this.show();
  }

  /**
   * What was to be told of an item does not matter any more.
   *
   * @param {string} item
   */
  drop(item) {
    this.waiting = this.waiting.filter((notice) => notice.item !== item);
    this.show();
  }

  show() {
    const [notice] = this.waiting;
    this.box.hidden = !notice;
    if (!notice) return;
    this.what.textContent = notice.text;
    const choose = (/** @type {() => void} */ action) => {
      this.waiting = this.waiting.filter((one) => one !== notice);
      this.show();
      action();
    };
    this.answers.replaceChildren(
      ...notice.choices.map(([text, action]) => madeButton("", text, () => choose(action))),
    );
  }
}

/**
 * Somebody else has decided about the item on the screen.
 *
 * @param {Card} card
 * @param {() => void} goOn
 * @returns {Notice}
 */
export function changed({ id, reviewer, verdict }, goOn) {
  const disputed = `${reviewer} disagree about this clip. What you decide is final.`;
  const decided = `${reviewer} has just ${verdict} this clip. What you decide replaces it.`;
  return {
    item: id,
    text: verdict === "disputed" ? disputed : decided,
    choices: [
      ["Go on to the next", goOn],
      ["Stay", () => {}],
    ],
  };
}

/**
 * A decision was not saved: why, and what can be done.
 *
 * @param {Decision} decision
 * @param {Reply} reply
 * @param {(item: string) => void} visit
 * @param {(decision: NewDecision) => void} push
 * @returns {Notice}
 */
export function notSaved(decision, { state, text, revision }, visit, push) {
  const refused = `Not saved. ${text}`;
  if (decision.kind === "undo" || decision.kind === "uncorrect") {
    return { item: null, text: refused, choices: [["Close", () => {}]] };
  }
  const { item } = decision;
  if (state === "conflict" && decision.kind !== "correct") {
    const choices = /** @type {[string, () => void][]} */ ([
      ["Look at it again", () => visit(item)],
      ["Keep theirs", () => {}],
      ["Use mine", () => push({ ...decision, revision })],
    ]);
    return { item, text, choices };
  }
  const choices = /** @type {[string, () => void][]} */ ([
    ["Try again", () => push(decision)],
    ["Close", () => {}],
  ]);
  return { item, text: refused, choices };
}
