// One of both clips: its film, its skeleton, and the way to a frame.

import { find } from "../dom.js";
import { drawSkeleton, emptySheet } from "../player/drawing.js";
import { Seeker } from "../player/seeker.js";

/** @import { PlayerKeypoints } from "../player/payload.js" */
/** @import { Half as HalfData } from "./payload.js" */

export class Half {
  /**
   * @param {HTMLElement} place
   * @param {{ onReady: () => void, onProblem: () => void, signal: AbortSignal }} around
   */
  constructor(place, around) {
    this.place = place;
    this.around = around;
    this.stage = find(place, ".stage");
    this.video = find(place, "video", HTMLVideoElement);
    this.canvas = find(place, "canvas", HTMLCanvasElement);
    this.caption = find(place, "figcaption");
    this.bones = true;
    this.url = this.poses = "";
    /** @type {PlayerKeypoints | null} */
    this.pose = null;
    this.seeker = new Seeker(this.video, {
      times: () => this.pose?.times ?? null,
      onAim: () => {},
      onShow: () => this.draw(),
      onRest: () => {},
      signal: around.signal,
    });
    this.video.addEventListener("canplay", around.onReady, { signal: around.signal });
    this.video.addEventListener("error", around.onProblem, { signal: around.signal });
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.stage);
  }

  get isReady() {
    return this.pose !== null && this.video.readyState >= 2;
  }

  destroy() {
    this.resizes.disconnect();
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** @param {HalfData} data */
  update(data) {
    this.caption.textContent = data.name;
    this.stage.style.setProperty("--ratio", String(data.ratio));
    if (data.video !== this.url) {
      this.url = data.video;
      this.video.src = data.video;
    }
    if (data.poses !== this.poses) this.load(data.poses);
  }

  /** @param {string} url */
  async load(url) {
    this.poses = url;
    this.pose = null;
    try {
      const answer = await fetch(url, { signal: this.around.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const pose = await answer.json();
      if (url !== this.poses) return;
      this.pose = pose;
      this.around.onReady();
    } catch {
      if (!this.around.signal.aborted) this.around.onProblem();
    }
  }

  /** @param {number} frame */
  show(frame) {
    this.seeker.goTo(frame);
  }

  draw() {
    const sheet = emptySheet(this.canvas, this.stage, this.pose?.width ?? 0);
    this.place.dataset.frame = String(this.seeker.frame);
    if (sheet && this.pose && this.bones)
      drawSkeleton(sheet, this.pose, "clean", this.seeker.frame);
  }
}
