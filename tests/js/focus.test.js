import assert from "node:assert/strict";
import { test } from "node:test";

import { angleAt, middle, nearSide } from "../../pages/components/player/focus.js";
import { wordsAt } from "../../pages/components/player/readout.js";

/**
 * @param {(number[] | null)[]} points
 * @param {number[]} score
 */
function seen(points, score) {
  const pose = { clean: [points], score: [score] };
  return /** @type {import("../../pages/components/player/payload.js").PlayerKeypoints} */ (
    /** @type {unknown} */ (pose)
  );
}

test("the angle between two limbs", () => {
  assert.equal(Math.round(angleAt([0, 0], [1, 0], [0, 1])), 90);
  assert.equal(Math.round(angleAt([0, 0], [1, 0], [-1, 0])), 180);
  assert.equal(Math.round(angleAt([5, 5], [6, 6], [8, 8])), 0);
});

test("the side that is seen better is the near one", () => {
  const points = Array.from({ length: 17 }, () => [0, 0]);
  const score = Array.from({ length: 17 }, (_, k) => (k % 2 ? 0.2 : 0.9)); // even: right
  assert.equal(nearSide(seen(points, score)), 1);
  assert.equal(
    nearSide(
      seen(
        points,
        score.map((one) => 1.1 - one),
      ),
    ),
    0,
  );
});

test("the middle of a pair is the one that is known where the other is missing", () => {
  /** @type {(number[] | null)[]} */
  const points = Array.from({ length: 17 }, () => null);
  points[11] = [10, 20];
  assert.deepEqual(middle(seen(points, []), 0, "hip"), [10, 20]);
  points[12] = [20, 40];
  assert.deepEqual(middle(seen(points, []), 0, "hip"), [15, 30]);
  assert.equal(middle(seen(points, []), 0, "knee"), null);
});

test("only what is known at a frame is said", () => {
  const series = [
    { title: "Knee", unit: "°", values: [90, null] },
    { title: "Trunk", unit: "°", values: [0, 12] },
  ];
  assert.deepEqual(wordsAt(series, 0), ["Knee 90°", "Trunk 0°"]);
  assert.deepEqual(wordsAt(series, 1), ["Trunk 12°"]);
  assert.deepEqual(wordsAt(series, 2), []);
});
