// From item to item: which is on the screen, which come next, and which are decided already. It
// may be ahead of the page, which learns only afterwards what was decided.

/** @import { Card, Decision, ReviewerData, Traces } from "./payload.js" */

const AHEAD = 2; // clips loaded before they are asked for

/**
 * A card, with its trajectories once they are here.
 *
 * @typedef {Card & { trace?: Traces | null | undefined }} KnownCard
 */

export class Navigation {
  constructor() {
    /** @type {Map<string, KnownCard>} */
    this.cards = new Map();
    /** @type {string | null | undefined} null when all is done, undefined before the first */
    this.current = undefined;
    /** @type {string | null | undefined} what was on the screen before: it stays loaded, for undo */
    this.previous = undefined;
    /** @type {string[]} */
    this.coming = [];
    /** @type {Set<string>} items with a verdict on its way: they are passed over */
    this.decided = new Set();
    /** @type {string | null} the item to go back to as soon as its card is here */
    this.undone = null;
    /** @type {number | undefined} */
    this.tour = undefined;
  }

  /** @returns {KnownCard | undefined} the card of the item on the screen */
  get card() {
    return this.current ? this.cards.get(this.current) : undefined;
  }

  /**
   * Another filter or data set begins again, from its first item on.
   *
   * @param {number} tour
   * @returns {boolean} whether it is another one
   */
  begin(tour) {
    if (tour === this.tour) return false;
    this.tour = tour;
    this.current = undefined;
    this.coming = [];
    this.decided.clear();
    this.cards.clear();
    return true;
  }

  /**
   * Take what the page says about an item, unless a decision about it is on its way, which counts
   * until it is answered. The card is kept, and changed while somebody trims or relabels.
   *
   * @param {KnownCard} card
   * @param {boolean} waiting
   * @param {string} reviewer who looks at it here
   * @returns {boolean} whether somebody else has just decided about the item on the screen
   */
  learn(card, waiting, reviewer) {
    const known = this.cards.get(card.id);
    if (known && waiting) return false;
    card.trace = known && isOfSameKeypoints(known, card) ? known.trace : undefined;
    this.cards.set(card.id, card);
    if (!known || card.id !== this.current || known.revision === card.revision) return false;
    return Boolean(card.reviewer) && card.reviewer !== reviewer && card.verdict !== known.verdict;
  }

  /**
   * Take the page's order: what comes after the item on the screen, without what is decided.
   *
   * @param {Pick<ReviewerData, "current" | "coming">} data
   */
  queue({ current, coming }) {
    const all = current ? [current, ...coming] : coming;
    const place = this.current ? all.indexOf(this.current) : -1;
    const rest = all.slice(place + 1);
    this.coming = rest.filter((id) => id !== this.current && !this.decided.has(id));
  }

  /**
   * A decision was answered, whatever the answer.
   *
   * @param {Decision} decision
   */
  answered(decision) {
    if (decision.kind === "verdict") this.decided.delete(decision.item);
  }

  /** @returns {string | null} the item that comes next, taken out of the queue; null at the end */
  next() {
    return this.coming.shift() ?? null;
  }

  /**
   * Where to go by itself, now that the page has said what there is.
   *
   * @returns {string | null | undefined} an item, null for the end, undefined to stay
   */
  due() {
    const id = this.undone;
    if (id && this.cards.has(id)) {
      this.undone = null;
      this.putOff(id);
      return id;
    }
    const ended = this.current === null && this.coming.length > 0;
    return this.current === undefined || ended ? this.next() : undefined;
  }

  /**
   * The item on the screen comes again after `id`, to which one goes back.
   *
   * @param {string} id
   */
  putOff(id) {
    if (this.current && this.current !== id) this.coming.unshift(this.current);
  }

  /**
   * Bring an item to the screen, or null for the end.
   *
   * @param {string | null} id
   * @returns {boolean} false when its card is not here yet: then nothing is on the screen
   */
  goTo(id) {
    if (this.current && this.current !== id) this.previous = this.current;
    this.coming = this.coming.filter((one) => one !== id);
    const known = id === null || this.cards.has(id);
    this.current = known ? id : undefined;
    return known;
  }

  /** @returns {KnownCard[]} the next items, to be loaded ahead */
  soon() {
    return this.coming.slice(0, AHEAD).flatMap((id) => this.cards.get(id) ?? []);
  }

  /** @returns {string[]} the items whose clips stay loaded */
  near() {
    const here = [this.previous, this.current].flatMap((id) => id ?? []);
    return [...here, ...this.soon().map(({ id }) => id)];
  }
}

/**
 * Do two cards of an item show the same keypoints? Corrected ones have another address.
 *
 * @param {KnownCard} before
 * @param {KnownCard} now
 */
function isOfSameKeypoints(before, now) {
  return !now.traces || now.traces === before.traces;
}
