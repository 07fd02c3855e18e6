// Asks for the camera before anything is connected, so that a refusal has words and a way on. The
// trigger `ready` tells the page that the camera may be used.

import { mounted } from "../component.js";
import { find } from "../dom.js";
import { CameraProblem, closeCamera, inWords, openCamera, showProblem } from "./live_camera.js";

/** @import { Component } from "../component.js" */
/** @import { GateTriggers } from "./payload.js" */

/** @typedef {Component<{}, {}, GateTriggers>} Given */

const QUESTION_MS = 700; // after so long the browser is surely asking

export default mounted((root) => new Gate(root));

class Gate {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.button = find(root, ".open", HTMLButtonElement);
    this.asking = find(root, ".asking");
    /** @type {Given | null} */
    this.component = null;
    this.life = new AbortController();
    const { signal } = this.life;
    this.button.addEventListener("click", () => this.ask(), { signal });
  }

  /** @param {Given} component */
  update(component) {
    this.component = component;
  }

  destroy() {
    this.life.abort();
  }

  async ask() {
    showProblem(this.root, null);
    this.button.disabled = true;
    const wait = setTimeout(() => (this.asking.hidden = false), QUESTION_MS);
    try {
      closeCamera(await openCamera(true));
      this.component?.setTriggerValue("ready", true);
    } catch (error) {
      showProblem(this.root, error instanceof CameraProblem ? error : inWords(error));
      this.button.textContent = "Try again";
    }
    clearTimeout(wait);
    this.asking.hidden = true;
    this.button.disabled = false;
  }
}
