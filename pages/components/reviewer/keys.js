// What the keys mean: at the desk, while it is asked why, and in the text boxes.

const SEEK_S = 0.5;

/** @typedef {"start" | "end"} Bound an end of the repetition */

/**
 * What a reviewer can do with keys; buttons do the same.
 *
 * @typedef {object} Commands
 * @property {() => void} accept
 * @property {() => void} askWhy begins to reject
 * @property {() => void} skip
 * @property {() => void} undo
 * @property {(frames: number) => void} step
 * @property {(seconds: number) => void} seek
 * @property {() => void} playOrPause
 * @property {(bound: Bound) => void} showBound goes to the end of the repetition
 * @property {(bound: Bound) => void} setBound moves it to the frame on the screen
 * @property {(bound: Bound, frames: number) => void} nudge moves it by frames
 * @property {(reason: number) => void} toggleReason
 * @property {() => void} reject with the reasons chosen
 * @property {() => void} closeWhy
 * @property {() => void} leaveLabel
 * @property {() => void} restoreLabel
 * @property {() => void} relabel
 * @property {() => void} toggleWhole loops the whole clip, or the repetition again
 * @property {(speed: number) => void} setSpeed
 * @property {() => void} correct begins to correct keypoints, or ends it
 */

/**
 * What a key meets at the desk.
 *
 * @typedef {object} Place
 * @property {boolean} shift
 * @property {boolean} repeat whether it is held down
 * @property {boolean} onButton
 * @property {Bound | null} bound the handle that has the focus
 * @property {boolean} hasCard whether a clip is on the screen
 */

/** @typedef {(() => void) | null | undefined} Action null and undefined: the key is not ours */

/**
 * @param {string} key
 * @param {Place} place
 * @param {Commands} commands
 * @returns {Action}
 */
export function deskKey(key, place, commands) {
  if (key === "ArrowLeft") return arrow(-1, place, commands);
  if (key === "ArrowRight") return arrow(1, place, commands);
  if (place.repeat || (place.onButton && key === " ")) return null; // held down: no row of decisions
  const name = key.length === 1 ? key.toLowerCase() : key;
  return place.hasCard || name === "z" ? pressed(name, commands) : null;
}

/**
 * @param {number} way
 * @param {Place} place
 * @param {Commands} commands
 * @returns {Action}
 */
function arrow(way, { shift, bound }, commands) {
  if (bound) return () => commands.nudge(bound, way * (shift ? 5 : 1));
  return shift ? () => commands.seek(way * SEEK_S) : () => commands.step(way);
}

/**
 * @param {string} name
 * @param {Commands} commands
 * @returns {Action}
 */
function pressed(name, commands) {
  /** @type {Record<string, () => void>} */
  const actions = {
    a: commands.accept,
    x: commands.askWhy,
    s: commands.skip,
    z: commands.undo,
    c: commands.correct,
    " ": commands.playOrPause,
    "[": () => commands.setBound("start"),
    "]": () => commands.setBound("end"),
    Home: () => commands.showBound("start"),
    End: () => commands.showBound("end"),
  };
  return actions[name];
}

/**
 * While it is asked why, reasons are chosen by their number.
 *
 * @param {string} key
 * @param {number} reasons how many there are
 * @param {boolean} onButton
 * @param {Commands} commands
 * @returns {Action}
 */
export function whyKey(key, reasons, onButton, commands) {
  const number = Number(key);
  if (number >= 1 && number <= reasons) return () => commands.toggleReason(number - 1);
  if (key === "Escape") return commands.closeWhy;
  return key === "Enter" && !onButton ? commands.reject : null;
}

/**
 * In a text box of ours Enter and Escape mean something; everything else is text.
 *
 * @param {string} key
 * @param {"comment" | "label" | null} field
 * @param {Commands} commands
 * @returns {Action}
 */
export function fieldKey(key, field, commands) {
  const inComment = field === "comment";
  if (!field || (key !== "Enter" && key !== "Escape")) return null;
  if (key === "Enter") return inComment ? commands.reject : commands.leaveLabel;
  return inComment ? commands.closeWhy : commands.restoreLabel;
}
