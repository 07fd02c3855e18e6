// Asks the server now and then which run it is. A server that was started again knows nothing of
// this page: its buttons would do nothing, so the page offers to be loaded again.

import { mounted } from "../component.js";
import { find } from "../dom.js";

/** @import { Component } from "../component.js" */
/** @import { RestartData } from "./payload.js" */

const EVERY_MS = 5000;

/**
 * The run that the server names; null while it does not respond.
 *
 * @param {RestartData} data
 * @returns {Promise<string | null>}
 */
async function askRun({ url, header }) {
  try {
    const response = await fetch(url, { cache: "no-store" });
    return response.headers.get(header);
  } catch {
    return null;
  }
}

/**
 * Whether another run of the server responds than the one that made the page.
 *
 * A server that does not respond, or does not say which run it is, changes nothing.
 *
 * @param {RestartData} data
 * @returns {Promise<boolean>}
 */
export async function isOutdated(data) {
  const run = await askRun(data);
  return run !== null && run !== data.run;
}

/** @param {HTMLElement} root */
function makeWatch(root) {
  const section = find(root, ".restart");
  /** @type {RestartData | null} */
  let data = null;

  async function look() {
    const asked = data;
    if (!asked || document.hidden) return;
    const outdated = await isOutdated(asked);
    if (outdated && asked.run === data?.run) section.hidden = false;
  }

  find(root, ".reload").addEventListener("click", () => location.reload());
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look); // a phone that was locked looks at once
  return {
    /** @param {Component<RestartData>} component */
    update(component) {
      if (component.data.run !== data?.run) section.hidden = true;
      data = component.data;
    },
    destroy() {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    },
  };
}

export default mounted(makeWatch);
