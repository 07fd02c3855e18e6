// Decisions on their way to the page: numbered, sent again and again until they are answered, and
// kept by the browser's tab meanwhile. Only a reply makes a decision "saved".

import { keepIn, recallFrom } from "./tab.js";

/** @import { Decision, Reply, ReviewerData, Work } from "./payload.js" */
/** @import { PointCorrection, SpanCorrection } from "./payload.js" */
/** @import { Memory } from "./tab.js" */

export const AGAIN_MS = 4000; // after so long without a reply a message is sent again

/** @type {Record<string, string>} */
export const DONE = {
  accepted: "Accepted",
  rejected: "Rejected",
  skipped: "Skipped",
  pending: "Set back",
  disputed: "Disputed",
};

const LOGGED = 4;
const KEPT = "gymform-review"; // what is unanswered, kept by the tab

/**
 * @template One
 * @typedef {One extends Decision ? Omit<One, "seq"> : never} Unnumbered
 */

/** @typedef {Unnumbered<Decision>} NewDecision a decision that has no number yet */

/**
 * A line of the log: decision `seq` (0 for news of others) about an item, and how far it is;
 * `more` replaces the words for that.
 *
 * @typedef {object} LogEntry
 * @property {number} seq
 * @property {string | null} item
 * @property {string} text
 * @property {string} state "saving", "saved", "conflict" or "refused"
 * @property {string} [more]
 */

/**
 * Where a message goes, and whose decisions it holds.
 *
 * @typedef {Pick<ReviewerData, "desk" | "tour" | "reviewer" | "dataset">} Address
 */

export class Outbox {
  /**
   * @param {string} client a name for this widget that no other has
   * @param {() => Memory} memory the tab's; it may throw
   * @param {() => number} clock ms
   */
  constructor(client, memory, clock) {
    this.client = client;
    this.memory = memory;
    this.clock = clock;
    this.seq = 0;
    this.sentAt = -Infinity;
    /** @type {Address | null} */
    this.address = null;
    /** @type {Decision[]} */
    this.waiting = [];
    /** @type {LogEntry[]} */
    this.log = [];
    /** @type {string[]} */
    this.oldNews = [];
  }

  /**
   * Take the address that the page has told. Another server process than before is not sent an
   * undo again, which might take back a second decision.
   *
   * @param {Address} address
   * @returns {boolean} whether something waits that has to go to another process now
   */
  addressTo(address) {
    const before = this.address;
    const { desk, tour, reviewer, dataset } = address;
    this.address = { desk, tour, reviewer, dataset };
    if (!before || before.desk === desk || !this.waiting.length) return false;
    const lost = this.waiting.filter((decision) => !canBeRepeated(decision));
    this.waiting = this.waiting.filter(canBeRepeated);
    for (const { seq } of lost) this.note(seq, "refused", "not done: the connection was lost");
    return true;
  }

  /**
   * Number a decision, keep it until it is answered, and log it under `text`.
   *
   * @param {NewDecision} decision
   * @param {string} text
   */
  push(decision, text) {
    const numbered = /** @type {Decision} */ ({ ...decision, seq: ++this.seq });
    this.waiting.push(numbered);
    this.keep();
    this.write({ seq: numbered.seq, item: numbered.item, text, state: "saving" });
  }

  /**
   * The decision that a reply is about, which waits no longer; null when it is not one of ours.
   *
   * @param {Reply} reply
   * @returns {Decision | null}
   */
  hear({ client, seq, state, text }) {
    const decision = this.waiting.find((one) => one.seq === seq);
    if (client !== this.client || !decision) return null;
    this.waiting = this.waiting.filter((one) => one !== decision);
    this.keep();
    this.note(seq, state, text);
    return decision;
  }

  /**
   * Is a decision about the item on its way?
   *
   * @param {string} item
   */
  holds(item) {
    return this.waiting.some((decision) => decision.item === item);
  }

  isLate() {
    return this.waiting.length > 0 && this.clock() - this.sentAt > AGAIN_MS;
  }

  /**
   * A message with all that waits, to be sent now.
   *
   * @param {string | null | undefined} at the item on the screen; null at the end, undefined before the first
   * @returns {Work}
   */
  message(at) {
    if (!this.address) throw new Error("expected an address before the first message");
    this.sentAt = this.clock();
    return {
      desk: this.address.desk,
      tour: this.address.tour,
      client: this.client,
      at: at === undefined ? null : (at ?? ""),
      decisions: this.waiting,
      beat: Date.now(),
    };
  }

  // -- what the tab keeps -----------------------------------------------------------------------

  /**
   * What was unanswered when the page was left or built anew, to be pushed again: what was written
   * after all is recognised. An undo is not repeated, see {@link canBeRepeated}.
   *
   * @returns {Decision[]}
   */
  recall() {
    const kept = recallFrom(this.memory, KEPT);
    const { reviewer, dataset } = this.address ?? {};
    if (kept?.reviewer !== reviewer || kept?.dataset !== dataset) return [];
    return kept.outbox.filter(canBeRepeated);
  }

  // Where the tab keeps nothing, a reload asks before it leaves: see `beforeunload`.
  keep() {
    const { reviewer, dataset } = this.address ?? {};
    keepIn(this.memory, KEPT, { reviewer, dataset, outbox: this.waiting });
  }

  // -- the log ----------------------------------------------------------------------------------

  /** @param {LogEntry} entry */
  write(entry) {
    this.log = [...this.log, entry].slice(-LOGGED);
  }

  /**
   * Write down what became of a decision.
   *
   * @param {number} seq
   * @param {string} state
   * @param {string} text
   */
  note(seq, state, text) {
    const entry = this.log.find((one) => one.seq === seq);
    if (entry) Object.assign(entry, { state, more: state === "refused" ? text : "" });
  }

  /**
   * Write down what others did, each line once.
   *
   * @param {string[]} news
   * @returns {boolean} whether there was any
   */
  writeNews(news) {
    const fresh = news.filter((line) => !this.oldNews.includes(line));
    this.oldNews = news;
    for (const text of fresh) {
      this.write({ seq: 0, item: null, text, state: "saved", more: "just now" });
    }
    return fresh.length > 0;
  }
}

/**
 * May a decision be sent to another server process again? An undo might take back a second one, and
 * left and right exchanged twice are as before.
 *
 * @param {Decision} decision
 */
export function canBeRepeated(decision) {
  if (decision.kind === "correct") return decision.correction.kind !== "exchange";
  return decision.kind !== "undo" && decision.kind !== "uncorrect";
}

/**
 * A correction in a few words.
 *
 * @param {PointCorrection | SpanCorrection} correction
 */
function correctionInWords(correction) {
  if (correction.kind === "point") {
    return `${correction.keypoint.replaceAll("_", " ")} at ${correction.time_s.toFixed(2)} s`;
  }
  const { kind, start_s, end_s, keypoints } = correction;
  const what = kind === "exchange" ? "left and right exchanged" : `${keypoints.join(", ")} hidden`;
  return `${what.replaceAll("_", " ")}, ${start_s.toFixed(2)} – ${end_s.toFixed(2)} s`;
}

/**
 * A decision in a few words.
 *
 * @param {NewDecision} decision
 * @param {string} name of its clip
 */
export function describe(decision, name) {
  switch (decision.kind) {
    case "undo":
      return "Undo";
    case "relabel":
      return `${name}: ${decision.exercise}`;
    case "correct":
      return `${name}: ${correctionInWords(decision.correction)}`;
    case "uncorrect":
      return `${name}: correction taken back`;
    case "trim":
      return `${name}: ${decision.start_s.toFixed(2)} – ${decision.end_s.toFixed(2)} s`;
    case "verdict":
      return `${DONE[decision.verdict]} ${name}`;
  }
}
