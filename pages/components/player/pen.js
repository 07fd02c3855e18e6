// What everything that is drawn over a picture has in common: the sheet, its colours, outlines.

export const INK = "rgba(16, 16, 16, 0.85)"; // as in draw/overlay.py
export const PAPER = "#F5F5F5";

/**
 * A canvas to draw on: `at` gives the place of a point of the picture, and `line` is the width of a
 * limb, both in px of the canvas.
 *
 * @typedef {object} Sheet
 * @property {CanvasRenderingContext2D} pen
 * @property {(point: number[]) => [number, number]} at
 * @property {number} line
 */

/**
 * Stroke the current path with a dark outline.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {number} line
 */
export function strokeOutlined(pen, line) {
  const { strokeStyle, lineWidth } = pen;
  pen.strokeStyle = INK;
  pen.lineWidth = lineWidth + Math.max(2, (2 * line) / 3);
  pen.stroke();
  pen.strokeStyle = strokeStyle;
  pen.lineWidth = lineWidth;
  pen.stroke();
}
