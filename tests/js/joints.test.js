import assert from "node:assert/strict";
import { test } from "node:test";

import { mendedSpans, nearest } from "../../pages/components/reviewer/joints.js";

test("the nearest joint within reach is grabbed, and none that is missing", () => {
  const xy = [0, 0, null, null, 10, 0];
  assert.equal(nearest(xy, 1, 1, 5), 0);
  assert.equal(nearest(xy, 8, 1, 5), 2);
  assert.equal(nearest(xy, 5, 40, 5), null);
  assert.equal(nearest([null, null], 0, 0, 100), null);
});

test("frames that a person changed are spans of the clip", () => {
  const points = {
    times: [0, 1, 2, 3, 4],
    source: [
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 0],
      [0, 4],
    ],
  };
  assert.deepEqual(mendedSpans(points, 0), [[1, 3]]);
  assert.deepEqual(mendedSpans(points, 1), [[4, 4]]);
  assert.deepEqual(mendedSpans(points, -1), [
    [1, 3],
    [4, 4],
  ]);
  assert.deepEqual(mendedSpans({ times: [0], source: [[0]] }, 0), []);
});
