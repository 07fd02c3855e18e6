// Where the second picture belongs when it is laid over the first.

/** @import { Laid } from "./payload.js" */

/**
 * The CSS transform that puts a picture, shown at its own size in px from the corner of the pair,
 * over the first one.
 *
 * @param {Laid} fit
 * @param {number} shown px on the screen for each px of the first picture
 * @param {[number, number]} corner of the first picture on the screen, px
 * @returns {string}
 */
export function laidOver({ scale, mirrored, first, second }, shown, corner) {
  const size = scale * shown;
  const across = mirrored ? -size : size;
  const x = corner[0] + first[0] * shown - across * second[0];
  const y = corner[1] + first[1] * shown - size * second[1];
  return `matrix(${[across, 0, 0, size, x, y].map((one) => one.toFixed(4)).join(", ")})`;
}
