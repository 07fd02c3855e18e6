// What the browser's tab keeps while a page is left or built anew, as long as it is open.

/** @typedef {Pick<Storage, "getItem" | "setItem">} Memory */

/**
 * @param {() => Memory} memory the tab's; it may throw
 * @param {string} key
 * @returns {any} what was last kept under `key`; null when there is nothing that can be read
 */
export function recallFrom(memory, key) {
  try {
    return JSON.parse(memory().getItem(key) ?? "null");
  } catch {
    return null; // a browser that keeps nothing
  }
}

/**
 * Keep `value` under `key`, where the browser does.
 *
 * @param {() => Memory} memory the tab's; it may throw
 * @param {string} key
 * @param {unknown} value
 */
export function keepIn(memory, key, value) {
  try {
    memory().setItem(key, JSON.stringify(value));
  } catch {
    // nothing is kept then
  }
}
