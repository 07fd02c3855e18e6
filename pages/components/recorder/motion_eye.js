// Sees whether something moves in a video, and for how long nothing has, from differences between
// small grey pictures.

import { made } from "../dom.js";

const GREY = { width: 64, height: 36 }; // size of the pictures that are compared
const CHANGE = 18; // of 255: a grey pixel that changed by more has moved
const MOVING = 0.008; // a picture of which this share has moved is one with motion

export class MotionEye {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    const canvas = Object.assign(made("canvas"), GREY);
    this.pen = canvas.getContext("2d", { willReadFrequently: true });
    /** @type {Uint8Array | null} */
    this.before = null;
    this.stillSince = performance.now();
  }

  reset() {
    this.before = null;
    this.stillSince = performance.now();
  }

  get stillMs() {
    return performance.now() - this.stillSince;
  }

  /** @returns {boolean | null} true when something moved since the last look; null for the first */
  look() {
    if (!this.pen) return null;
    const { width, height } = GREY;
    this.pen.drawImage(this.video, 0, 0, width, height);
    const grey = greyOf(this.pen.getImageData(0, 0, width, height).data);
    const { before } = this;
    this.before = grey;
    if (!before) return null;
    const isMoving = hasMoved(before, grey);
    if (isMoving) this.stillSince = performance.now();
    return isMoving;
  }
}

/**
 * The grey pixels of a picture, 0 to 255; green counts twice.
 *
 * @param {ArrayLike<number>} data red, green, blue and alpha of each pixel
 * @returns {Uint8Array}
 */
export function greyOf(data) {
  const grey = new Uint8Array(data.length / 4);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = (data[4 * i] + 2 * data[4 * i + 1] + data[4 * i + 2]) >> 2;
  }
  return grey;
}

/**
 * Is there motion between two grey pictures?
 *
 * @param {Uint8Array} before
 * @param {Uint8Array} after
 */
export function hasMoved(before, after) {
  const changed = after.filter((value, i) => Math.abs(value - before[i]) > CHANGE).length;
  return changed > MOVING * after.length;
}
