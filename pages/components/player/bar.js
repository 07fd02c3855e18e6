// Draws the plate of the bar and the path that it has come, coloured by its speed, over the paths of
// earlier repetitions.

import { INK, PAPER } from "./pen.js";

/** @import { BarPath } from "./payload.js" */
/** @import { Sheet } from "./pen.js" */

const LASTS_S = 3;
const MOST = 8; // repetitions before the current one
const GHOST = 0.6;
const SLOW = [0, 114, 178];
const FAST = [240, 228, 66];

/**
 * @param {Sheet} sheet
 * @param {BarPath | null} bar
 * @param {number[]} times s of the frames
 * @param {number} frame
 */
export function drawBar(sheet, bar, times, frame) {
  const [at, still] = [bar?.at[frame], bar?.still[frame]];
  if (!bar || !at || !still) return;
  const shift = [at[0] - still[0], at[1] - still[1]];
  drawGhosts(sheet, ghostsAt(bar, frame));
  drawPath(sheet, bar, times, frame, shift);
  drawRim(sheet, at, bar.r[frame]?.[0] ?? 0, bar.seen[frame]);
}

/**
 * The paths of repetitions that are over, shifted so that each begins where the one that began last
 * does: `ghosts_at` of gymform/draw/ghosts.py, for the browser.
 *
 * @param {BarPath} bar
 * @param {number} frame
 * @returns {(number[] | null)[][]} px
 */
export function ghostsAt({ at, still, lifts }, frame) {
  const begun = lifts.filter(([first]) => first <= frame).at(-1);
  const [start, here, place] = [begun && still[begun[0]], at[frame], still[frame]];
  if (!start || !here || !place) return [];
  return lifts
    .filter(([, last]) => last < frame)
    .slice(-MOST)
    .map(([first, last]) => {
      const from = still[first];
      if (!from) return [];
      const shift = [0, 1].map((i) => start[i] - from[i] + here[i] - place[i]);
      return still
        .slice(first, last + 1)
        .map((point) => point && [point[0] + shift[0], point[1] + shift[1]]);
    });
}

/**
 * @param {Sheet} sheet
 * @param {(number[] | null)[][]} paths
 */
function drawGhosts({ pen, at, line }, paths) {
  pen.globalAlpha = GHOST;
  for (const [colour, width] of /** @type {const} */ ([
    [INK, line / 2 + 2],
    [PAPER, line / 2],
  ])) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    for (const path of paths) {
      pen.beginPath();
      path.forEach((point, i) => {
        if (point) pen[path[i - 1] ? "lineTo" : "moveTo"](...at(point));
      });
      pen.stroke();
    }
  }
  pen.globalAlpha = 1;
}

/**
 * The path of the last seconds, fading; where the camera has moved, as seen from where it is now.
 *
 * @param {Sheet} sheet
 * @param {BarPath} bar
 * @param {number[]} times
 * @param {number} frame
 * @param {number[]} shift px from the path to its place in this frame
 */
function drawPath({ pen, at, line }, bar, times, frame, shift) {
  pen.lineCap = "round";
  pen.lineWidth = line;
  for (let i = frame; i > 0; i -= 1) {
    const left = 1 - (times[frame] - times[i]) / LASTS_S;
    if (left <= 0) break;
    const [from, to] = [bar.still[i - 1], bar.still[i]];
    if (!from || !to) continue;
    pen.globalAlpha = Math.sqrt(left);
    pen.strokeStyle = colourOf(bar.speed[i] ?? 0);
    pen.beginPath();
    pen.moveTo(...at([from[0] + shift[0], from[1] + shift[1]]));
    pen.lineTo(...at([to[0] + shift[0], to[1] + shift[1]]));
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

/**
 * The rim of the plate, dashed where it is not seen.
 *
 * @param {Sheet} sheet
 * @param {number[]} centre
 * @param {number} radius px
 * @param {boolean} seen
 */
function drawRim({ pen, at, line }, centre, radius, seen) {
  const [x, y] = at(centre);
  const [edge] = at([centre[0] + radius, centre[1]]);
  pen.setLineDash(seen ? [] : [3 * line, 3 * line]);
  for (const [colour, width] of /** @type {const} */ ([
    [INK, line],
    [PAPER, line / 2],
  ])) {
    pen.beginPath();
    pen.arc(x, y, Math.max(line, edge - x), 0, 2 * Math.PI);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
  }
  pen.setLineDash([]);
}

/**
 * @param {number} speed 0 to 1
 * @returns {string}
 */
function colourOf(speed) {
  return `rgb(${SLOW.map((from, i) => Math.round(from + speed * (FAST[i] - from))).join(" ")})`;
}
