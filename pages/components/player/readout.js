// Says in words and figures what the frame on the screen shows.

import { find, made } from "../dom.js";

/** @import { PlayerKeypoints, Series } from "./payload.js" */

export class Readout {
  /**
   * @param {HTMLElement} section the player
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLInputElement} scrubber
   */
  constructor(section, canvas, scrubber) {
    this.section = section;
    this.canvas = canvas;
    this.scrubber = scrubber;
    this.clock = find(section, ".clock", HTMLOutputElement);
    this.values = find(section, ".values");
  }

  /**
   * @param {PlayerKeypoints} pose
   * @param {number} frame
   */
  show(pose, frame) {
    const { times, names, score, sure } = pose;
    const place = `frame ${frame + 1} of ${times.length}`;
    const seconds = times[frame].toFixed(2);
    this.clock.value = `${seconds} s · ${place}`;
    this.section.dataset.frame = String(frame);
    this.scrubber.setAttribute("aria-valuetext", `${place}, ${seconds} seconds`);
    const seen = score[frame].filter((one) => one >= sure).length;
    const joints = `${seen} of ${names.length} joints seen clearly.`;
    this.canvas.setAttribute("aria-label", `The clip at ${seconds} seconds, ${place}; ${joints}`);
    this.showValues(wordsAt(pose.series, frame));
  }

  /** @param {Record<string, string>} sides which colour is which side of the body */
  showSides(sides) {
    find(this.section, ".legend").replaceChildren(
      ...Object.entries(sides).map(([side, colour]) => {
        const mark = made("span", "", side);
        mark.style.setProperty("--colour", colour);
        return mark;
      }),
    );
  }

  /** @param {string[]} words */
  showValues(words) {
    const text = words.join();
    if (this.values.dataset.words === text) return;
    this.values.dataset.words = text;
    this.values.replaceChildren(...words.map((one) => made("span", "", one)));
  }
}

/**
 * The quantities that are known at a frame, each with its value.
 *
 * @param {Series[]} series
 * @param {number} frame
 * @returns {string[]}
 */
export function wordsAt(series, frame) {
  return series
    .filter(({ values }) => values[frame] !== null && values[frame] !== undefined)
    .map(({ title, unit, values }) => `${title} ${values[frame]}${unit}`);
}
