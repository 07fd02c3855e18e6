import assert from "node:assert/strict";
import { test } from "node:test";

import { laidOver } from "../../pages/components/duo/fit.js";

/**
 * Where a CSS matrix puts a point.
 *
 * @param {string} transform
 * @param {number[]} point
 */
function moved(transform, [x, y]) {
  const [a, b, c, d, e, f] = transform.slice(7, -1).split(", ").map(Number);
  return [a * x + c * y + e, b * x + d * y + f].map((one) => Math.round(one));
}

test("the feet of the second come to lie on those of the first", () => {
  for (const mirrored of [false, true]) {
    /** @type {import("../../pages/components/duo/payload.js").Laid} */
    const fit = { scale: 2, mirrored, first: [100, 300], second: [40, 120] };
    const transform = laidOver(fit, 0.5, [10, 20]);
    assert.deepEqual(moved(transform, [40, 120]), [60, 170]);
    // 10 px up in the second are 10 px on the screen: twice as large, half the size
    assert.deepEqual(moved(transform, [40, 110]), [60, 160]);
    assert.deepEqual(moved(transform, [50, 120]), [mirrored ? 50 : 70, 170]);
  }
});
