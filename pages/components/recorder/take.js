// One recording: its bytes, when it began, and from when to when something moved in it. Hands-free,
// it is over when somebody who has moved stands still again.

const STILL_TO_STOP_MS = 2500;
const LEAST_MOTION_MS = 600; // less is a twitch, not a repetition
const FULL = 0.92; // of the bytes allowed: time to stop, for the last slices are still to come

export class Take {
  /** @param {boolean} isFree whether it is hands-free */
  constructor(isFree) {
    this.isFree = isFree;
    /** @type {Blob[]} */
    this.chunks = [];
    this.bytes = 0;
    /** @type {number | null} ms, by the browser's clock */
    this.started = null;
    /** @type {{ first: number, last: number } | null} ms from the beginning */
    this.moved = null;
  }

  /** @param {Blob} chunk */
  add(chunk) {
    this.chunks.push(chunk);
    this.bytes += chunk.size;
  }

  /** @param {number} maxBytes */
  isFull(maxBytes) {
    return this.bytes > FULL * maxBytes;
  }

  /**
   * Something moved.
   *
   * @param {number} elapsed ms from the beginning
   * @param {number} since how long ago it was still, ms
   */
  noteMotion(elapsed, since) {
    this.moved ??= { first: Math.max(0, elapsed - since), last: elapsed };
    this.moved.last = elapsed;
  }

  /**
   * Is the repetition over, of a lifter who has been still for so long?
   *
   * @param {number} stillMs
   */
  isOver(stillMs) {
    if (!this.isFree || !this.moved) return false;
    const { first, last } = this.moved;
    return last - first >= LEAST_MOTION_MS && stillMs >= STILL_TO_STOP_MS;
  }

  /** @returns {[number, number] | null} the span to which the clip may be cut, s */
  get motion() {
    if (!this.isFree || !this.moved) return null;
    return [this.moved.first / 1000, this.moved.last / 1000];
  }
}
