// What goes between the live view's scripts and the page, as `payload.py` says it: types and
// nothing else. The gate, which asks for the camera, gets no data; the starter tells nothing.

export {};

/**
 * Triggers of the gate by name: `ready` once the camera may be used.
 *
 * @typedef {object} GateTriggers
 * @property {boolean} ready
 */

/**
 * What is to be done, "" for nothing, and how many repetitions were counted.
 *
 * @typedef {object} SignData
 * @property {string} advice
 * @property {number} count
 */

/**
 * The text of the button that begins the stream.
 *
 * @typedef {object} StarterData
 * @property {string} label
 */
