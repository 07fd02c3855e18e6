// Plays a short stretch of the clip again and again, slowly, until somebody does something else.

import { find, listener } from "../dom.js";

export const SLOWLY = 0.25;

export class Loop {
  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLElement} note says which seconds are played
   * @param {AbortSignal} signal
   */
  constructor(video, note, signal) {
    this.video = video;
    this.note = note;
    /** @type {[number, number] | null} */
    this.span = null;
    this.rate = 1;
    const on = listener(signal);
    on(video, "timeupdate", () => this.turnBack());
    on(video, "ended", () => this.turnBack(true));
  }

  /** @param {[number, number]} span from and to, s */
  start(span) {
    if (!this.span) this.rate = this.video.playbackRate;
    this.span = span;
    this.video.playbackRate = SLOWLY;
    this.video.currentTime = span[0];
    this.video.play().catch(() => this.stop());
    const seconds = span.map((one) => one.toFixed(1)).join(" to ");
    find(this.note, "span").textContent = `Again and again, slowly: ${seconds} s`;
    this.note.hidden = false;
  }

  stop() {
    if (!this.span) return;
    this.span = null;
    this.video.playbackRate = this.rate;
    this.note.hidden = true;
  }

  /** @param {boolean} [isOver] the clip has ended within the stretch */
  turnBack(isOver = false) {
    if (!this.span || (!isOver && this.video.currentTime < this.span[1])) return;
    this.video.currentTime = this.span[0];
    if (this.video.paused) this.video.play().catch(() => this.stop());
  }
}
