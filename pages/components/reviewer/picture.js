// The picture: plays the clip on the screen in a loop, steps and seeks by frames.

import { clamped, find, listener } from "../dom.js";
import { afterPicture, middleOf } from "../frames.js";
import { frameOf, gapOf, timesOf } from "./timing.js";
import { Pool } from "./video_pool.js";

/** @import { KnownCard } from "./navigation.js" */
/** @import { PooledVideo } from "./video_pool.js" */

/**
 * What the picture asks and tells.
 *
 * @typedef {object} Surroundings
 * @property {() => KnownCard | undefined} card on the screen
 * @property {() => boolean} isHeld whether the pointer drags on the timeline
 * @property {(time: number) => void} onTime tells which moment is shown, s
 * @property {AbortSignal} signal ends everything
 */

export class Picture {
  /**
   * @param {HTMLElement} section
   * @param {Surroundings} surroundings
   */
  constructor(section, surroundings) {
    this.section = section;
    this.around = surroundings;
    this.on = listener(surroundings.signal);
    this.message = find(section, ".message");
    this.playButton = find(section, ".play");
    this.wholeButton = find(section, ".whole");
    this.pool = new Pool(find(section, ".videos"), (video) => this.wire(video));
    this.speed = 1;
    this.whole = false;
    /** @type {number | null} where a seek is to end, s */
    this.wanted = null;
  }

  get video() {
    return this.pool.shown;
  }

  /** @param {PooledVideo} video */
  wire(video) {
    this.on(video, "seeked", () => this.goOnTo(video));
    this.on(video, "loadeddata", () => {
      video.ready = true; // it stays so: seeking, too, is a moment without data
      this.showMessage();
    });
    this.on(video, "error", () => this.showMessage());
    this.on(video, "play", () => this.showPlaying());
    this.on(video, "pause", () => this.showPlaying());
  }

  // -- what is shown ----------------------------------------------------------------------------

  /**
   * Put a clip on the screen and play it; null for none.
   *
   * @param {KnownCard | null} card
   */
  show(card) {
    this.pool.show(card);
    if (!card || !this.video) return;
    this.play();
    this.follow(this.video);
    this.markWhenPainted(this.video, card.id);
  }

  /**
   * For measuring: `data-shown` is the clip whose picture is on the screen.
   *
   * @param {PooledVideo} video
   * @param {string} id
   */
  markWhenPainted(video, id) {
    const mark = () =>
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (this.around.card()?.id === id) this.section.dataset.shown = id;
        }),
      );
    const { signal } = this.around;
    if (video.readyState >= 2 && !video.seeking) mark();
    else video.addEventListener("seeked", mark, { once: true, signal });
  }

  showMessage() {
    const card = this.around.card();
    if (!card || !this.video) return;
    const text = messageOf(card, this.video);
    this.message.textContent = text;
    this.message.hidden = !text;
  }

  showPlaying() {
    const yes = Boolean(this.video && !this.video.paused);
    this.section.classList.toggle("playing", yes);
    this.playButton.setAttribute("aria-label", yes ? "Pause" : "Play");
  }

  // -- playing ----------------------------------------------------------------------------------

  play() {
    const { video } = this;
    if (!video) return;
    this.wanted = null;
    video.playbackRate = this.speed;
    video.play().catch(() => this.showPlaying());
    this.showMessage();
  }

  playOrPause() {
    if (!this.video) return;
    if (this.video.paused) this.play();
    else this.video.pause();
  }

  /** @param {number} value */
  setSpeed(value) {
    this.speed = value;
    if (this.video) this.video.playbackRate = value;
  }

  toggleWhole() {
    this.whole = !this.whole;
    this.wholeButton.setAttribute("aria-pressed", String(this.whole));
  }

  /**
   * Follow the pictures of a clip as long as it is loaded.
   *
   * @param {PooledVideo} video
   */
  follow(video) {
    if (video.watched) return;
    video.watched = true;
    const tick = (/** @type {number} */ time) => {
      if (this.around.signal.aborted || video.gone) return;
      if (video === this.video) this.tick(video, time);
      afterPicture(video, tick);
    };
    afterPicture(video, tick);
  }

  /**
   * A picture has been put on the screen: show its time, and go back to the start at the end.
   *
   * @param {PooledVideo} video
   * @param {number} time s
   */
  tick(video, time) {
    const card = this.around.card();
    if (card && !video.paused && !video.seeking && !this.around.isHeld()) {
      const [start, end] = this.whole ? [0, Infinity] : [card.start, card.end];
      if (time > end - gapOf(card) / 2 || time < start - 0.1) video.currentTime = start;
    }
    this.around.onTime(video.paused ? this.here() : time); // a picture from before a seek may be late
  }

  // -- which frame ------------------------------------------------------------------------------

  /**
   * Show a frame, or the nearest that there is.
   *
   * @param {number} frame
   */
  goToFrame(frame) {
    const card = this.around.card();
    if (!card || !this.video) return;
    const times = timesOf(card);
    this.video.pause();
    this.goTo(this.video, middleOf(times, clamped(frame, 0, times.length - 1), gapOf(card)));
  }

  /**
   * Show the frame of a moment.
   *
   * @param {number} time s
   */
  goToTime(time) {
    const card = this.around.card();
    if (card) this.goToFrame(frameOf(card, time));
  }

  /**
   * @param {PooledVideo} video
   * @param {number} time s
   */
  goTo(video, time) {
    const end = Number.isFinite(video.duration) ? video.duration - 1e-3 : time;
    this.wanted = clamped(time, 0, end);
    this.around.onTime(this.wanted);
    if (!video.seeking) video.currentTime = this.wanted;
  }

  /**
   * A seek has ended: go on to a newer wish.
   *
   * @param {PooledVideo} video
   */
  goOnTo(video) {
    if (video !== this.video || this.wanted === null) return;
    if (Math.abs(video.currentTime - this.wanted) > 1e-3) video.currentTime = this.wanted;
    else this.wanted = null;
  }

  /** The moment on the screen or about to be, s. */
  here() {
    return this.wanted ?? this.video?.currentTime ?? 0;
  }

  /** @param {number} frames */
  step(frames) {
    const card = this.around.card();
    if (card) this.goToFrame(frameOf(card, this.here()) + frames);
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.goToTime(this.here() + seconds);
  }
}

/**
 * What is said in place of a picture; "" when there is one.
 *
 * @param {KnownCard} card
 * @param {PooledVideo} video
 */
function messageOf(card, video) {
  if (card.failed) return `The keypoints could not be found. ${card.failed}`;
  if (!card.video) return "No picture yet: the keypoints of this clip have not been extracted.";
  if (video.error) return "This browser cannot play the clip.";
  return video.ready ? "" : "Loading the clip …";
}
