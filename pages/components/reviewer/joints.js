// The joints of a skeleton over a picture: fetched, drawn, and found under the pointer.

import { madeSvg } from "../dom.js";

/** @import { Points } from "./payload.js" */

/**
 * @param {string} address
 * @returns {Promise<Points | null>}
 */
export async function fetchPoints(address) {
  try {
    const response = await fetch(address);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/**
 * The joint nearest to a place, null when none is within `reach`.
 *
 * @param {(number | null)[]} xy of a frame
 * @param {number} x
 * @param {number} y
 * @param {number} reach
 */
export function nearest(xy, x, y, reach) {
  let best = null;
  let least = reach;
  for (let joint = 0; 2 * joint < xy.length; joint += 1) {
    const [px, py] = [xy[2 * joint], xy[2 * joint + 1]];
    if (px === null || py === null) continue;
    const distance = Math.hypot(px - x, py - y);
    if (distance < least) [best, least] = [joint, distance];
  }
  return best;
}

/**
 * The spans of frames, s, in which a person has changed a joint; every joint when it is -1.
 *
 * @param {Pick<Points, "source" | "times">} points
 * @param {number} joint
 * @returns {[number, number][]}
 */
export function mendedSpans({ source, times }, joint) {
  /** @type {[number, number][]} */
  const spans = [];
  let open = false;
  source.forEach((row, frame) => {
    const isMended = joint < 0 ? row.some(Boolean) : Boolean(row[joint]);
    const end = times[frame + 1] ?? times[frame];
    if (isMended && open) spans[spans.length - 1][1] = end;
    else if (isMended) spans.push([times[frame], end]);
    open = isMended;
  });
  return spans;
}

/**
 * @param {Points} points
 * @param {(number | null)[]} xy
 */
export function bones({ edges, colours }, xy) {
  return edges.flatMap(([a, b]) => {
    const ends = [xy[2 * a], xy[2 * a + 1], xy[2 * b], xy[2 * b + 1]];
    if (ends.includes(null)) return [];
    const [x1, y1, x2, y2] = ends.map(String);
    return madeSvg("line", { x1, y1, x2, y2, stroke: colours[b] });
  });
}

/**
 * @param {Points} points
 * @param {(number | null)[]} xy
 * @param {number} frame
 * @param {number} r
 * @param {number} chosen
 */
export function dots({ names, colours, source }, xy, frame, r, chosen) {
  return names.flatMap((name, joint) => {
    const [cx, cy] = [xy[2 * joint], xy[2 * joint + 1]];
    if (cx === null || cy === null) return [];
    const dot = madeSvg("circle", {
      cx: String(cx),
      cy: String(cy),
      r: String(joint === chosen ? 1.6 * r : r),
      fill: colours[joint],
      class: source[frame][joint] ? "mine" : "",
    });
    dot.dataset.joint = name;
    dot.append(Object.assign(madeSvg("title", {}), { textContent: name.replaceAll("_", " ") }));
    return dot;
  });
}
