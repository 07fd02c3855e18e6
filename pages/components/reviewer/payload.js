// What goes between the review widget and the page, as `payload.py` says it: types and nothing else.

export {};

/**
 * An item with the addresses of its picture, trajectories and keypoints, null where there are none.
 * `start`, `end` and `duration` are s, `corrections` how many its keypoints have, `repetitions` the [from, to] of all items of the clip, `ratio` width
 * over height; `quality` in [0, 1] and its `level` are null before the keypoints are known;
 * `failed` says why they could not be found, "" otherwise.
 *
 * @typedef {object} Card
 * @property {string} id
 * @property {string} clip
 * @property {string} name
 * @property {number} part
 * @property {number} parts
 * @property {string} exercise
 * @property {string} group
 * @property {number} start
 * @property {number} end
 * @property {number} duration
 * @property {number} fps
 * @property {number} ratio
 * @property {string} verdict
 * @property {string[]} reasons
 * @property {string} comment
 * @property {string} reviewer
 * @property {number} revision
 * @property {number | null} quality
 * @property {"good" | "fair" | "poor" | null} level
 * @property {string[]} problems
 * @property {string[]} notes
 * @property {string} failed
 * @property {[number, number][]} repetitions
 * @property {string[]} history
 * @property {number} corrections
 * @property {string | null} video
 * @property {string | null} traces
 * @property {string | null} points
 */

/**
 * What became of decision `seq` of the widget `client`: `state` is "saved", "conflict" or
 * "refused", and `text` says why it failed. After a conflict `revision` is the item's own.
 *
 * @typedef {object} Reply
 * @property {string} client
 * @property {number} seq
 * @property {string} state
 * @property {string | null} item_id
 * @property {string} text
 * @property {number} revision
 */

/**
 * All that the widget shows, in every run of the page. `desk` names the server process and `tour`
 * the filter: another one than before begins again.
 *
 * @typedef {object} ReviewerData
 * @property {string} desk
 * @property {number} tour
 * @property {string} dataset
 * @property {string} reviewer
 * @property {Card[]} cards
 * @property {string | null} current
 * @property {string[]} coming
 * @property {number} left
 * @property {Record<string, number>} counts
 * @property {Reply[]} answers
 * @property {string[]} news
 * @property {string[]} reasons
 * @property {string[]} exercises
 */

/**
 * An item is accepted, rejected or skipped.
 *
 * @typedef {object} VerdictDecision
 * @property {"verdict"} kind
 * @property {number} seq
 * @property {string} item
 * @property {number} revision
 * @property {string} verdict
 * @property {string[]} reasons
 * @property {string} comment
 */

/**
 * An item shows another exercise.
 *
 * @typedef {object} RelabelDecision
 * @property {"relabel"} kind
 * @property {number} seq
 * @property {string} item
 * @property {number} revision
 * @property {string} exercise
 */

/**
 * An item's repetition begins and ends elsewhere.
 *
 * @typedef {object} TrimDecision
 * @property {"trim"} kind
 * @property {number} seq
 * @property {string} item
 * @property {number} revision
 * @property {number} start_s
 * @property {number} end_s
 */

/**
 * A keypoint is at `x`, `y` px of the upright frame at `time_s`.
 *
 * @typedef {object} PointCorrection
 * @property {"point"} kind
 * @property {number} time_s
 * @property {string} keypoint
 * @property {number} x
 * @property {number} y
 */

/**
 * Left and right are exchanged in a span of seconds, or keypoints are hidden there.
 *
 * @typedef {object} SpanCorrection
 * @property {"exchange" | "hidden"} kind
 * @property {number} start_s
 * @property {number} end_s
 * @property {string[]} keypoints
 */

/**
 * Keypoints of the item's clip are corrected.
 *
 * @typedef {object} CorrectDecision
 * @property {"correct"} kind
 * @property {number} seq
 * @property {string} item
 * @property {PointCorrection | SpanCorrection} correction
 */

/**
 * The reviewer's latest correction of the item's clip is taken back.
 *
 * @typedef {object} UncorrectDecision
 * @property {"uncorrect"} kind
 * @property {number} seq
 * @property {string} item
 */

/**
 * The reviewer's latest decision is taken back, whichever it was.
 *
 * @typedef {object} UndoDecision
 * @property {"undo"} kind
 * @property {number} seq
 * @property {null} item
 */

/**
 * @typedef {CorrectDecision | UncorrectDecision} KeypointDecision
 */

/**
 * @typedef {VerdictDecision | RelabelDecision | TrimDecision | KeypointDecision | UndoDecision} Decision
 */

/**
 * What a reviewer did, as the widget `client` tells it: the decisions that were not answered yet,
 * in their order; `at` is the item on the screen, null before the first and "" when all is done;
 * `beat`, ms since 1970, makes each message another one.
 *
 * @typedef {object} Work
 * @property {string} desk
 * @property {number} tour
 * @property {string} client
 * @property {string | null} at
 * @property {Decision[]} decisions
 * @property {number} beat
 */

/**
 * States of the widget by name.
 *
 * @typedef {object} ReviewerState
 * @property {Work} work
 */

/**
 * Three joints over time, as the address in a card's `traces` gives them: s, px, px/s and scores.
 * `times` are those of every frame, `at` those of the values; `series` maps each quantity to one
 * list of numbers a joint, null where nothing is known.
 *
 * @typedef {object} Traces
 * @property {number[]} times
 * @property {number[]} at
 * @property {string[]} joints
 * @property {string} colour
 * @property {Record<string, (number | null)[][]>} series
 */

/**
 * All keypoints of every frame, as the address in a card's `points` gives them: px of the upright
 * frame of `size`. `xy` has x and y of each keypoint for each frame, null where missing; `source` is
 * 0 where the network found it, and another number where a person changed it.
 *
 * @typedef {object} Points
 * @property {[number, number]} size
 * @property {number[]} times
 * @property {(number | null)[][]} xy
 * @property {number[][]} source
 * @property {string[]} names
 * @property {[number, number][]} edges
 * @property {string[]} colours
 */
