// What goes between the recorder and the page, as `payload.py` says it: types and nothing else.

export {};

/**
 * How long and how large a recording may be, and the countdown of one not hands-free, s.
 *
 * @typedef {object} RecorderData
 * @property {number} max_seconds
 * @property {number} max_bytes
 * @property {number} delay_s
 */

/**
 * A video as base64, and from when to when something moved in it, s; null where unknown.
 *
 * @typedef {object} Recording
 * @property {string} video
 * @property {[number, number] | null} motion
 */

/**
 * Triggers of the recorder by name.
 *
 * @typedef {object} RecorderTriggers
 * @property {Recording} recording
 */
