// What the page tells the duo, as `payload.py` says it: types and nothing else.

export {};

/**
 * One of both clips: the addresses of film and keypoints, its name, width over height, its frames.
 *
 * @typedef {object} Half
 * @property {string} video
 * @property {string} poses
 * @property {string} name
 * @property {number} ratio
 * @property {number[]} frames
 */

/**
 * How the second picture lies over the first: scale, whether mirrored, and the point x, y of each
 * that lie on each other, px.
 *
 * @typedef {object} Laid
 * @property {number} scale
 * @property {boolean} mirrored
 * @property {[number, number]} first
 * @property {[number, number]} second
 */

/**
 * Two repetitions, sample by sample: `seconds` of the first, and `moments` with a name. `sample` is
 * shown whenever `turn` has changed.
 *
 * @typedef {object} DuoData
 * @property {Half} first
 * @property {Half} second
 * @property {Laid} fit
 * @property {number[]} seconds
 * @property {[string, number][]} moments
 * @property {number} sample
 * @property {number} turn
 */
