// What the recorder shows in each state: controls, camera or recording, words.

import { find } from "../dom.js";

/**
 * How far it is.
 *
 * @typedef {"opening" | "failed" | "ready" | "armed" | "countdown" | "recording" | "review" | "sending"} State
 */

/** @type {Partial<Record<State, string>>} */
const HINTS = {
  ready:
    "Hands-free: walk to your place and stand still. It counts down, records, and stops when you " +
    "stand still again.",
  armed: "Walk to your place and stand still.",
  review: "One whole repetition, head to feet? Then use it.",
};

export class Display {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.section = find(root, ".recorder");
    this.preview = find(root, ".preview", HTMLVideoElement);
    this.review = find(root, ".review", HTMLVideoElement);
    this.cameras = find(root, ".cameras", HTMLSelectElement);
    this.word = find(root, ".word");
    this.clock = find(root, ".clock");
    this.hint = find(root, ".hint");
    this.retry = find(root, ".retry");
  }

  /**
   * @param {State} state
   * @param {string} word in large letters over the picture
   */
  show(state, word) {
    this.section.dataset.state = state;
    for (const control of this.section.querySelectorAll("[data-in]")) {
      const { dataset } = /** @type {HTMLElement} */ (control);
      control.toggleAttribute("hidden", !dataset.in?.split(" ").includes(state));
    }
    this.cameras.hidden ||= this.cameras.options.length < 2;
    const isReviewing = state === "review" || state === "sending";
    this.review.hidden = !isReviewing;
    this.preview.hidden = isReviewing || state === "failed";
    this.clock.hidden = state !== "recording";
    this.retry.hidden = state !== "failed";
    this.hint.textContent = HINTS[state] ?? "";
    this.say(word);
  }

  /** @param {string} word */
  say(word) {
    this.word.textContent = word;
    this.word.classList.toggle("number", /^\d+$/.test(word));
  }
}
