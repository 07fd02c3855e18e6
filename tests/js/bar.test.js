import assert from "node:assert/strict";
import { test } from "node:test";

import { ghostsAt } from "../../pages/components/player/bar.js";

/** @returns {import("../../pages/components/player/payload.js").BarPath} */
function bar() {
  // two lifts: 10 px up from x 0, then 20 px up from x 5; the camera has moved by 100 at the end
  const still = [
    [0, 0],
    [0, -5],
    [0, -10],
    [5, 0],
    [5, -10],
    [5, -20],
  ];
  const at = still.map(([x, y], i) => [i < 4 ? x : x + 100, y]);
  const rest = { r: [], speed: [], seen: [] };
  return {
    still,
    at,
    lifts: [
      [0, 2],
      [3, 5],
    ],
    ...rest,
  };
}

test("before the first lift is over there is no ghost", () => {
  assert.deepEqual(ghostsAt(bar(), 1), []);
});

test("a ghost begins where the current lift does", () => {
  assert.deepEqual(ghostsAt(bar(), 3), [
    [
      [5, 0],
      [5, -5],
      [5, -10],
    ],
  ]);
});

test("a ghost goes with the camera", () => {
  assert.deepEqual(ghostsAt(bar(), 4), [
    [
      [105, 0],
      [105, -5],
      [105, -10],
    ],
  ]);
});

test("a lift whose start is not known has no ghost, nor has a frame without a bar", () => {
  const hidden = bar();
  hidden.still[0] = null;
  assert.deepEqual(ghostsAt(hidden, 4), [[]]);
  hidden.at[4] = null;
  assert.deepEqual(ghostsAt(hidden, 4), []);
});
