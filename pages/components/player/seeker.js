// Which frame is on the screen, and the way to another one. While a seek is under way only the last
// wish is remembered.

import { clamped, listener } from "../dom.js";
import { afterPicture, frameAt, middleOf, tellsPictures } from "../frames.js";

/**
 * What the seeker asks and tells.
 *
 * @typedef {object} Surroundings
 * @property {() => number[] | null} times of the frames, s; null before they are known
 * @property {(frame: number) => void} onAim tells which frame is about to be shown
 * @property {(frame: number) => void} onShow tells which frame is on the screen
 * @property {() => void} onRest tells that no seek is under way any more
 * @property {AbortSignal} signal ends everything
 */

export class Seeker {
  /**
   * @param {HTMLVideoElement} video
   * @param {Surroundings} surroundings
   */
  constructor(video, surroundings) {
    this.video = video;
    this.around = surroundings;
    this.frame = 0; // what is on the screen
    /** @type {number | null} where a seek is to end */
    this.wanted = null;
    /** @type {number | null} where the seek under way ends */
    this.aimed = null;
    const on = listener(surroundings.signal);
    on(video, "loadedmetadata", () => this.goTo(this.aim));
    on(video, "seeked", () => this.goOn());
    this.watchFrames();
  }

  /** The frame that is or will be on the screen. */
  get aim() {
    return this.wanted ?? this.frame;
  }

  /** @param {number} frame to be shown, or the nearest that there is */
  goTo(frame) {
    const times = this.around.times();
    if (!times) {
      this.wanted = frame;
      return;
    }
    this.wanted = clamped(frame, 0, times.length - 1);
    this.around.onAim(this.wanted);
    if (!this.video.seeking && this.video.readyState >= 1) this.seek(this.wanted, times);
  }

  /**
   * @param {number} frame
   * @param {number[]} times s
   */
  seek(frame, times) {
    this.aimed = frame;
    const [before, last] = times.slice(-2);
    const middle = middleOf(times, frame, last === undefined ? 0 : last - before);
    const time = clamped(middle, 0, this.video.duration - 1e-4);
    if (Math.abs(this.video.currentTime - time) < 1e-6) this.goOn();
    else this.video.currentTime = time;
  }

  // A seek has ended: go on to a newer wish, or come to rest.
  goOn() {
    const times = this.around.times();
    if (!times || this.wanted === null) return;
    if (this.wanted !== this.aimed) {
      this.seek(this.wanted, times);
      return;
    }
    this.show(this.wanted);
    this.wanted = null;
    this.around.onRest();
  }

  /** @param {number} frame */
  show(frame) {
    this.frame = frame;
    this.around.onShow(frame);
  }

  // The browser says which frame it has put on the screen, by its own time stamp. One that does not
  // is asked for the time again and again, which is exact enough while the clip plays.
  watchFrames() {
    const { video } = this;
    const isExact = tellsPictures(video);
    const look = (/** @type {number} */ time) => {
      if (this.around.signal.aborted) return;
      if (isExact ? this.wanted === null : !video.paused) {
        this.show(frameAt(this.around.times() ?? [], time + 1e-4));
      }
      afterPicture(video, look);
    };
    afterPicture(video, look);
  }
}
