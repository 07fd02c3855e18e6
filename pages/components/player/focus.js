// Draws what a cue is about: the thigh and its level, the lean of the trunk, the path of the hands
// and the middle of the foot, the width of the knees, the angle of a joint.

import { INK, PAPER, strokeOutlined } from "./pen.js";

/** @import { Sheet } from "./pen.js" */
/** @import { PlayerKeypoints } from "./payload.js" */

const MARK = "#F0E442"; // Okabe & Ito's yellow: no side of the body has it
const TRAIL_FRAMES = 120;

/** Keypoints of COCO by part: left, right. */
const PARTS = {
  shoulder: [5, 6],
  elbow: [7, 8],
  wrist: [9, 10],
  hip: [11, 12],
  knee: [13, 14],
  ankle: [15, 16],
};

/** The two neighbours between which a joint's angle lies. */
const ENDS = /** @type {const} */ ({
  elbow: ["shoulder", "wrist"],
  hip: ["shoulder", "knee"],
  knee: ["hip", "ankle"],
});

/** @typedef {keyof typeof PARTS} Part */
/** @typedef {number[] | null} Place */

/**
 * Draw what `focus` names over a frame; nothing for a name that is not known.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 * @param {string} focus
 */
export function drawFocus(sheet, pose, frame, focus) {
  const draw = DRAWINGS[focus];
  if (draw) draw(sheet, pose, frame);
}

/** @type {Record<string, (sheet: Sheet, pose: PlayerKeypoints, frame: number) => void>} */
const DRAWINGS = {
  thigh: drawThigh,
  trunk: drawTrunk,
  hands: drawHands,
  knees: drawKnees,
  elbow: (sheet, pose, frame) => drawAngle(sheet, pose, frame, "elbow"),
  hip: (sheet, pose, frame) => drawAngle(sheet, pose, frame, "hip"),
  knee: (sheet, pose, frame) => drawAngle(sheet, pose, frame, "knee"),
};

/**
 * The side that the camera sees better: 0 left, 1 right.
 *
 * @param {PlayerKeypoints} pose
 * @returns {number}
 */
export function nearSide({ score }) {
  const sums = [0, 0];
  for (const one of score) {
    for (const pair of Object.values(PARTS)) pair.forEach((k, side) => (sums[side] += one[k]));
  }
  return Number(sums[1] > sums[0]);
}

/**
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 * @param {Part} part
 * @param {number} side
 * @returns {Place}
 */
function place(pose, frame, part, side) {
  return pose.clean[frame]?.[PARTS[part][side]] ?? null;
}

/**
 * The middle of both sides of a part, or the one that is known.
 *
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 * @param {Part} part
 * @returns {Place}
 */
export function middle(pose, frame, part) {
  const known = [0, 1].map((side) => place(pose, frame, part, side)).filter((one) => one !== null);
  if (known.length < 2) return known[0] ?? null;
  const [a, b] = /** @type {number[][]} */ (known);
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/**
 * @param {Sheet} sheet
 * @param {number[][]} points
 * @param {number} width
 * @param {string} colour
 * @param {number[]} [dash]
 */
function stroke({ pen, at, line }, points, width, colour, dash = []) {
  pen.setLineDash(dash.map((one) => one * line));
  pen.strokeStyle = colour;
  pen.lineWidth = width * line;
  pen.beginPath();
  points.forEach((point, number) => (number ? pen.lineTo(...at(point)) : pen.moveTo(...at(point))));
  strokeOutlined(pen, line);
  pen.setLineDash([]);
}

/**
 * @param {Sheet} sheet
 * @param {number[]} point
 * @param {string} text
 */
function write({ pen, at, line }, point, text) {
  const [x, y] = at(point);
  pen.font = `600 ${Math.max(12, 6 * line)}px sans-serif`;
  pen.lineWidth = line;
  pen.lineJoin = "round";
  pen.strokeStyle = INK;
  pen.fillStyle = PAPER;
  pen.strokeText(text, x + 3 * line, y - 2 * line);
  pen.fillText(text, x + 3 * line, y - 2 * line);
}

/**
 * The near thigh, and the level through its knee.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 */
function drawThigh(sheet, pose, frame) {
  const side = nearSide(pose);
  const [hip, knee] = [place(pose, frame, "hip", side), place(pose, frame, "knee", side)];
  if (!hip || !knee) return;
  const reach = 1.4 * Math.hypot(hip[0] - knee[0], hip[1] - knee[1]);
  const level = (/** @type {number} */ x) => [x, knee[1]];
  stroke(sheet, [level(knee[0] - reach), level(knee[0] + reach)], 0.5, PAPER, [3, 3]);
  stroke(sheet, [hip, knee], 1, MARK);
}

/**
 * The trunk, the vertical through the hips, and the angle between them.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 */
function drawTrunk(sheet, pose, frame) {
  const [hips, shoulders] = [middle(pose, frame, "hip"), middle(pose, frame, "shoulder")];
  if (!hips || !shoulders) return;
  const [x, y] = [shoulders[0] - hips[0], shoulders[1] - hips[1]];
  const length = Math.hypot(x, y);
  stroke(sheet, [hips, [hips[0], hips[1] - length]], 0.5, PAPER, [3, 3]);
  stroke(sheet, [hips, shoulders], 1, MARK);
  const lean = (Math.atan2(Math.abs(x), -y) * 180) / Math.PI;
  write(sheet, shoulders, `${Math.round(lean)}°`);
}

/**
 * The way of the hands so far, and the vertical through the middle of the foot.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 */
function drawHands(sheet, pose, frame) {
  const way = [];
  for (let one = Math.max(0, frame - TRAIL_FRAMES); one <= frame; one++) {
    const hands = middle(pose, one, "wrist");
    if (hands) way.push(hands);
  }
  const feet = middle(pose, frame, "ankle");
  if (feet) stroke(sheet, [feet, [feet[0], 0]], 0.5, PAPER, [3, 3]);
  if (way.length > 1) stroke(sheet, way, 0.8, MARK);
}

/**
 * The lines between both knees and between both ankles.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 */
function drawKnees(sheet, pose, frame) {
  for (const part of /** @type {const} */ (["knee", "ankle"])) {
    const [left, right] = [place(pose, frame, part, 0), place(pose, frame, part, 1)];
    if (!left || !right) continue;
    if (part === "knee") stroke(sheet, [left, right], 1, MARK);
    else stroke(sheet, [left, right], 0.5, PAPER, [3, 3]);
  }
}

/**
 * The two limbs at the near joint, and the angle between them.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {number} frame
 * @param {keyof typeof ENDS} joint
 */
function drawAngle(sheet, pose, frame, joint) {
  const side = nearSide(pose);
  const tip = place(pose, frame, joint, side);
  const [one, other] = ENDS[joint].map((part) => place(pose, frame, part, side));
  if (!tip || !one || !other) return;
  stroke(sheet, [one, tip, other], 1, MARK);
  write(sheet, tip, `${Math.round(angleAt(tip, one, other))}°`);
}

/**
 * The angle at `tip` between the ways to two other points, in degrees from 0 to 180.
 *
 * @param {number[]} tip
 * @param {number[]} one
 * @param {number[]} other
 * @returns {number}
 */
export function angleAt(tip, one, other) {
  const [ax, ay, bx, by] = [one[0] - tip[0], one[1] - tip[1], other[0] - tip[0], other[1] - tip[1]];
  return (Math.abs(Math.atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180) / Math.PI;
}
