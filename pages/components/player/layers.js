// The layers of the drawing over the picture, which buttons show and hide.

import { drawBar } from "./bar.js";
import { drawBox, drawSkeleton } from "./drawing.js";

/** @import { PlayerKeypoints } from "./payload.js" */
/** @import { Sheet } from "./pen.js" */

/**
 * @param {Sheet} sheet
 * @param {PlayerKeypoints} pose
 * @param {Record<string, boolean>} layers that are shown
 * @param {number} frame
 */
export function drawLayers(sheet, pose, layers, frame) {
  if (layers.box) drawBox(sheet, pose.boxes[frame]);
  if (layers.bar) drawBar(sheet, pose.bar, pose.times, frame);
  if (layers.raw) drawSkeleton({ ...sheet, line: sheet.line * 0.5 }, pose, "raw", frame);
  if (layers.clean) drawSkeleton(sheet, pose, "clean", frame);
}

/**
 * Hide the button of the bar where there is none.
 *
 * @param {HTMLElement} section
 * @param {PlayerKeypoints} pose
 */
export function offerLayers(section, pose) {
  for (const button of section.querySelectorAll("[data-layer=bar]")) {
    button.toggleAttribute("hidden", !pose.bar);
  }
}
