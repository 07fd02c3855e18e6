import assert from "node:assert/strict";
import { test } from "node:test";

import { frameAt, middleOf } from "../../pages/components/frames.js";

const TIMES = [0, 0.1, 0.4, 1];

test("the frame at a moment is the last one whose time has come", () => {
  assert.deepEqual(
    [-1, 0, 0.09, 0.1, 0.39, 0.4, 0.99, 1, 50].map((time) => frameAt(TIMES, time)),
    [0, 0, 0, 1, 1, 2, 2, 3, 3],
  );
  assert.equal(frameAt([0], 7), 0);
  assert.equal(frameAt([], 7), 0);
});

test("every frame is found by its own middle, however uneven the times", () => {
  const times = [0];
  for (let i = 1; i < 500; i++) times.push(times[i - 1] + [1 / 60, 1 / 30, 0.1][(i * i) % 3]);
  times.forEach((_, i) => assert.equal(frameAt(times, middleOf(times, i, 1 / 30)), i));
});

test("the last frame's middle lies half a gap behind its beginning", () => {
  assert.equal(middleOf(TIMES, 3, 0.5), 1.25);
  assert.equal(middleOf([2], 0, 0), 2);
});
