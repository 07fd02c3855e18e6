// Shows in large letters what to do or how many repetitions were counted, and says it when somebody
// has switched the voice on: it is off at first, since gyms are shared.

import { mounted } from "../component.js";
import { find } from "../dom.js";

/** @import { Component } from "../component.js" */
/** @import { SignData } from "./payload.js" */

const AGAIN_MS = 8000; // the same advice is repeated after so long

/** Decides what is shown and what is said. */
export class Announcer {
  #from = 0;
  #count = 0;
  #said = "";
  #saidAt = -Infinity;

  /** Count from 0 from now on. */
  restart() {
    this.#from = this.#count;
  }

  /**
   * What is shown, and what is to be said now; "" for nothing.
   *
   * @param {SignData} data
   * @param {number} now ms by a clock that rises
   * @returns {{ shown: string, said: string }}
   */
  next({ advice, count }, now) {
    if (count < this.#count) this.#from = 0; // another stream
    const isNew = count > this.#count;
    this.#count = count;
    const done = count - this.#from;
    if (isNew) return { shown: String(done), said: String(done) };
    if (!advice) {
      this.#said = "";
      return { shown: done ? String(done) : "Good", said: "" };
    }
    const isDue = advice !== this.#said || now - this.#saidAt >= AGAIN_MS;
    if (isDue) [this.#said, this.#saidAt] = [advice, now];
    return { shown: shortened(advice), said: isDue ? advice : "" };
  }
}

/**
 * The part of an advice that fits on a sign: before a colon is what is wrong, behind it what helps.
 *
 * @param {string} advice
 * @returns {string}
 */
export function shortened(advice) {
  const [first, second] = advice.split(": ");
  const helps = /^(step|come|more)/i.test(first) || !second ? first : second;
  const short = helps.split(",")[0];
  return short.charAt(0).toUpperCase() + short.slice(1);
}

/** @param {HTMLElement} root */
function makeSign(root) {
  const said = find(root, ".said");
  const voice = find(root, ".voice", HTMLButtonElement);
  const announcer = new Announcer();
  let isOn = false;

  /** @param {string} words */
  function say(words) {
    if (!isOn || !words) return;
    speechSynthesis.cancel(); // the newest counts
    const speech = new SpeechSynthesisUtterance(words);
    speech.lang = "en";
    speechSynthesis.speak(speech);
  }

  voice.hidden = !("speechSynthesis" in window);
  voice.addEventListener("click", () => {
    isOn = !isOn;
    voice.textContent = isOn ? "Voice: on" : "Voice: off";
    voice.setAttribute("aria-pressed", String(isOn));
    say("Voice on"); // phones let a page speak only after it did so at a touch
    if (!isOn) speechSynthesis.cancel();
  });
  find(root, ".again").addEventListener("click", () => {
    announcer.restart();
    said.textContent = "0";
  });
  return {
    /** @param {Component<SignData>} component */
    update(component) {
      const next = announcer.next(component.data, performance.now());
      said.textContent = next.shown;
      say(next.said);
    },
    destroy() {
      if (isOn) speechSynthesis.cancel();
    },
  };
}

export default mounted(makeSign);
