// Asks the server now and then which run it is. A server that was started again knows nothing of
// this page: its buttons would do nothing, so the page offers to be loaded again.

import { mounted } from "../component.js";
import { find } from "../dom.js";

/** @import { Component } from "../component.js" */
/** @import { RestartData } from "./payload.js" */

const EVERY_MS = 5000;

/**
 * Says whether another run of the server responds than at first.
 *
 * A server that does not respond, or does not say which run it is, changes nothing.
 */
export class RunWatch {
  /** @type {string | null} */
  #first = null;

  /**
   * @param {string | null} run what the server has just called its run; null where it did not
   * @returns {boolean}
   */
  isAnother(run) {
    if (!run) return false;
    this.#first ??= run;
    return run !== this.#first;
  }
}

/**
 * The run that the server names; null while it does not respond.
 *
 * @param {RestartData} data
 * @returns {Promise<string | null>}
 */
export async function askRun({ url, header }) {
  try {
    const response = await fetch(url, { cache: "no-store" });
    return response.headers.get(header);
  } catch {
    return null;
  }
}

/** @param {HTMLElement} root */
function makeWatch(root) {
  const section = find(root, ".restart");
  const watch = new RunWatch();
  /** @type {RestartData | null} */
  let data = null;

  async function look() {
    if (data && !document.hidden && watch.isAnother(await askRun(data))) section.hidden = false;
  }

  find(root, ".reload").addEventListener("click", () => location.reload());
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look); // a phone that was locked looks at once
  return {
    /** @param {Component<RestartData>} component */
    update(component) {
      const isFirst = data === null;
      data = component.data;
      if (isFirst) look();
    },
    destroy() {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    },
  };
}

export default mounted(makeWatch);
