// Draws the skeleton, the bounding box and the choice of another person on a canvas.

import { INK, PAPER, strokeOutlined } from "./pen.js";

/** @import { DepthLine, PlayerKeypoints } from "./payload.js" */
/** @import { Sheet } from "./pen.js" */

const CREASE = "#CC79A7";

/**
 * The empty sheet over a picture; null while it has no size.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} stage that the canvas fills
 * @param {number} pictureWidth px
 * @returns {Sheet | null}
 */
export function emptySheet(canvas, stage, pictureWidth) {
  const sharp = window.devicePixelRatio || 1;
  const width = Math.round(stage.clientWidth * sharp);
  const height = Math.round(stage.clientHeight * sharp);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  if (!pen) return null;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (!width || !pictureWidth) return null;
  const scale = width / pictureWidth;
  return {
    pen,
    at: ([x, y]) => [(x + 0.5) * scale, (y + 0.5) * scale],
    line: Math.max(2, Math.hypot(width, height) / 270),
  };
}

/**
 * @param {Sheet} sheet
 * @param {number[] | null} box x0, y0, x1, y1 px; null for none
 */
export function drawBox({ pen, at, line }, box) {
  if (!box) return;
  const [left, top] = at(box);
  const [right, bottom] = at(box.slice(2));
  pen.lineWidth = Math.max(1, line / 3);
  pen.strokeStyle = INK;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.setLineDash([4 * line, 4 * line]);
  pen.strokeStyle = PAPER;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.setLineDash([]);
}

/**
 * How deep a squat is: a line at the height of the tops of the knees, and the hip crease.
 *
 * @param {Sheet} sheet
 * @param {DepthLine} depth
 */
function drawDepth({ pen, at, line }, { line: [left, right, level], crease }) {
  pen.strokeStyle = PAPER;
  pen.lineWidth = line / 2;
  pen.beginPath();
  pen.moveTo(...at([left, level]));
  pen.lineTo(...at([right, level]));
  strokeOutlined(pen, line);
  pen.beginPath();
  pen.arc(...at(crease), line + 1, 0, 2 * Math.PI);
  pen.strokeStyle = pen.fillStyle = CREASE;
  strokeOutlined(pen, line);
  pen.fill();
}

/**
 * What is being chosen: a person by a box or a point, or a plate by its centre and radius.
 *
 * @param {Sheet} sheet
 * @param {number[]} point x, y px
 * @param {number[] | null} box x, y, width, height px
 * @param {number} radius px; 0 for a person
 */
export function drawPick({ pen, at, line }, point, box, radius) {
  pen.strokeStyle = PAPER;
  pen.lineWidth = line;
  pen.beginPath();
  if (box) {
    const [x, y] = at(box);
    const [right, bottom] = at([box[0] + box[2], box[1] + box[3]]);
    pen.rect(x, y, right - x, bottom - y);
  } else {
    const [x, y] = at(point);
    const [rim] = at([point[0] + radius, point[1]]);
    pen.arc(x, y, radius ? rim - x : 5 * line, 0, 2 * Math.PI);
  }
  strokeOutlined(pen, line);
}

/**
 * Draw the skeleton of a frame, and over the cleaned one its depth. Outlines come first, then colours, so that no outline cuts through
 * a limb; what is unsure is thin and hollow.
 *
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {"clean" | "raw"} layer
 * @param {number} frame
 */
export function drawSkeleton(sheet, pose, layer, frame) {
  const score = pose.score[frame];
  // A cleaned point may fill a gap that the network left: drawn as unsure.
  const shown = (/** @type {number} */ k) => layer === "clean" || score[k] >= pose.least;
  const points = pose[layer][frame].map((point, k) => (shown(k) ? point : null));
  const sure = score.map((value) => value >= pose.sure);
  sheet.pen.lineCap = "round";
  for (const outline of [true, false]) {
    drawLimbs(sheet, pose.edges, points, sure, outline);
    drawJoints(sheet, pose.colours, points, sure, outline);
  }
  const depth = pose.depths.find(({ first, last }) => first <= frame && frame <= last);
  if (depth && layer === "clean") drawDepth(sheet, depth);
}

/**
 * @param {Sheet} sheet
 * @param {PlayerKeypoints["edges"]} edges
 * @param {(number[] | null)[]} points
 * @param {boolean[]} sure
 * @param {boolean} outline
 */
function drawLimbs({ pen, at, line }, edges, points, sure, outline) {
  const rim = Math.max(1, line / 3);
  for (const [a, b, colour] of edges) {
    const [from, to] = [points[a], points[b]];
    if (!from || !to) continue;
    const width = sure[a] && sure[b] ? line : Math.max(1, line / 3);
    pen.strokeStyle = outline ? INK : colour;
    pen.lineWidth = outline ? width + 2 * rim : width;
    pen.beginPath();
    pen.moveTo(...at(from));
    pen.lineTo(...at(to));
    pen.stroke();
  }
}

/**
 * @param {Sheet} sheet
 * @param {string[]} colours
 * @param {(number[] | null)[]} points
 * @param {boolean[]} sure
 * @param {boolean} outline
 */
function drawJoints({ pen, at, line }, colours, points, sure, outline) {
  const rim = Math.max(1, line / 3);
  const radius = line * 1.1 + 1;
  points.forEach((point, k) => {
    if (!point) return;
    pen.beginPath();
    pen.arc(...at(point), radius + (outline ? rim : 0), 0, 2 * Math.PI);
    pen.fillStyle = pen.strokeStyle = outline ? INK : colours[k];
    pen.lineWidth = rim + (outline ? 2 : 0);
    if (sure[k]) pen.fill();
    else pen.stroke();
  });
}
