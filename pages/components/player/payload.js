// What goes between the player and the page, as `payload.py` says it: types and nothing else.

export {};

/**
 * A frame to show; another `turn` than before asks for it again. With `loop` [from, to], s, that
 * stretch is played slowly again and again; `focus` is what is drawn over it, "" for nothing.
 *
 * @typedef {object} Seek
 * @property {number} frame
 * @property {number} turn
 * @property {[number, number] | null} loop
 * @property {string} focus
 */

/**
 * The addresses of clip and keypoints, and what to show of them. `repetitions` are [from, to], s;
 * `ratio` is width over height; `chart` the key of the chart over which a line runs with the
 * picture, "" for none.
 *
 * @typedef {object} PlayerData
 * @property {string} video
 * @property {string} poses
 * @property {Seek} seek
 * @property {[number, number][]} repetitions
 * @property {number} ratio
 * @property {string} chart
 */

/**
 * The frame at which the picture came to rest, at `turn`, ms since 1970.
 *
 * @typedef {object} FrameAtRest
 * @property {number} index
 * @property {number} turn
 */

/**
 * What to follow in the frame at a second, px: a person by a point x, y or a box x, y, width,
 * height, or a plate by its centre and radius x, y, r.
 *
 * @typedef {object} PickedPerson
 * @property {number} time_s
 * @property {[number, number] | null} point
 * @property {[number, number, number, number] | null} box
 * @property {[number, number, number] | null} plate
 */

/**
 * States of the player by name.
 *
 * @typedef {object} PlayerState
 * @property {FrameAtRest} frame
 */

/**
 * Triggers of the player by name.
 *
 * @typedef {object} PlayerTriggers
 * @property {PickedPerson} pick
 */

/**
 * How deep a squat is: `first` and `last` frame that show it; the `line` x0, x1 and y at the height
 * of the tops of the knees, and the place x, y of the hip `crease`, px.
 *
 * @typedef {object} DepthLine
 * @property {number} first
 * @property {number} last
 * @property {[number, number, number]} line
 * @property {[number, number]} crease
 */

/**
 * A quantity over time: its name, its unit, and T values, null where unknown.
 *
 * @typedef {object} Series
 * @property {string} title
 * @property {string} unit
 * @property {(number | null)[]} values
 */

/**
 * The plate of the bar: T centres `at` and radii `r` [px], null where unknown; its path `still` as
 * a camera that does not move sees it; its `speed`, 1 where it is fastest; where it is `seen`;
 * `lifts` are the first and last frame of each repetition's way up.
 *
 * @typedef {object} BarPath
 * @property {(number[] | null)[]} at
 * @property {(number[] | null)[]} r
 * @property {(number[] | null)[]} still
 * @property {(number | null)[]} speed
 * @property {boolean[]} seen
 * @property {[number, number][]} lifts
 */

/**
 * What is drawn, as the address in `poses` gives it; T frames, 17 keypoints, px of the upright
 * frame. `times` are T seconds; `edges` two keypoints and a colour; `raw` and `clean` T lists of 17
 * points [x, y], null where missing; `score` T lists of 17 numbers; `boxes` T boxes
 * [x0, y0, x1, y1] or null; `depths` a line for each squat whose depth is known; `series` angles
 * over time. Below `least` a
 * keypoint is not drawn, from `sure` on it is drawn bold.
 *
 * @typedef {object} PlayerKeypoints
 * @property {number} width
 * @property {number} height
 * @property {number[]} times
 * @property {string[]} names
 * @property {[number, number, string][]} edges
 * @property {Record<string, string>} sides
 * @property {string[]} colours
 * @property {(number[] | null)[][]} raw
 * @property {(number[] | null)[][]} clean
 * @property {number[][]} score
 * @property {number} least
 * @property {number} sure
 * @property {(number[] | null)[]} boxes
 * @property {DepthLine[]} depths
 * @property {Series[]} series
 * @property {BarPath | null} bar
 */
