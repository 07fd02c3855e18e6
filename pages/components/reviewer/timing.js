// A card's frames and the ends of its repetition, as arithmetic.

import { clamped } from "../dom.js";
import { frameAt } from "../frames.js";

/** @import { KnownCard } from "./navigation.js" */
/** @import { Bound } from "./keys.js" */

const SHORTEST_S = 0.1; // a repetition is not shorter
const USUAL_FPS = 30;

/** @typedef {Pick<KnownCard, "start" | "end" | "duration" | "fps" | "trace">} Timed */

/**
 * How long a frame is on screen, s, where nothing better is known.
 *
 * @param {Timed} card
 */
export function gapOf(card) {
  return 1 / (card.fps || USUAL_FPS);
}

/**
 * When each frame is put on the screen, s: as its trajectories say, or evenly.
 *
 * @param {Timed} card
 * @returns {number[]}
 */
export function timesOf(card) {
  if (card.trace) return card.trace.times;
  const count = Math.max(1, Math.round(card.duration / gapOf(card)));
  return Array.from({ length: count }, (_, i) => i * gapOf(card));
}

/**
 * The frame on the screen at a moment.
 *
 * @param {Timed} card
 * @param {number} time s
 */
export function frameOf(card, time) {
  return frameAt(timesOf(card), time + 1e-4);
}

/**
 * Where an end of the repetition comes to lie when it is moved to a moment: at the beginning of a
 * frame, or at the clip's own end, and on its side of the other end.
 *
 * @param {Timed} card
 * @param {Bound} bound
 * @param {number} time s
 * @returns {number} s
 */
export function movedTo(card, bound, time) {
  const snapped = timesOf(card)[frameOf(card, time)];
  if (bound === "start") return Math.max(0, Math.min(snapped, card.end - SHORTEST_S));
  const wished = time >= card.duration ? time : snapped;
  return Math.min(card.duration, Math.max(wished, card.start + SHORTEST_S));
}

/**
 * The moment that lies some frames before or behind an end of the repetition; behind the last frame
 * comes the end of the clip.
 *
 * @param {Timed} card
 * @param {Bound} bound
 * @param {number} frames
 * @returns {number} s
 */
export function nudgedTo(card, bound, frames) {
  const times = timesOf(card);
  const from = frameOf(card, card[bound]);
  const to = clamped(from + frames, 0, times.length - 1);
  return frames > 0 && to === from ? card.duration : times[to];
}
