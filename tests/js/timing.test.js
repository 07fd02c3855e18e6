import assert from "node:assert/strict";
import { test } from "node:test";

import {
  frameOf,
  gapOf,
  movedTo,
  nudgedTo,
  timesOf,
} from "../../pages/components/reviewer/timing.js";

/** @param {object} [facts] */
const makeTimed = (facts = {}) => ({ start: 0.5, end: 2, duration: 3, fps: 30, ...facts });

/** Frames at uneven times, as the clip's own time stamps have them. */
const UNEVEN = { times: [0, 0.1, 0.4, 1, 1.5, 2.5], at: [], joints: [], colour: "", series: {} };

/**
 * @param {number} actual
 * @param {number} expected
 */
function assertNear(actual, expected) {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);
}

test("frames lie evenly until their own times are known", () => {
  const times = timesOf(makeTimed());
  assert.equal(times.length, 90);
  assertNear(times[89], 89 / 30);
  assert.deepEqual(timesOf(makeTimed({ trace: UNEVEN })), UNEVEN.times);
});

test("a clip without a frame rate or a length has frames all the same", () => {
  assertNear(gapOf(makeTimed({ fps: 0 })), 1 / 30);
  assert.equal(timesOf(makeTimed({ fps: 0 })).length, 90);
  assert.deepEqual(timesOf(makeTimed({ duration: 0 })), [0]);
});

test("a frame is on the screen from its own time on", () => {
  const card = makeTimed({ trace: UNEVEN });
  assert.deepEqual(
    [-1, 0, 0.05, 0.1, 0.39, 0.4, 2.4, 9].map((time) => frameOf(card, time)),
    [0, 0, 0, 1, 1, 2, 4, 5],
  );
  assert.equal(frameOf(card, 0.39999), 2, "what differs by rounding alone is the frame itself");
});

test("an end that is moved comes to lie at the beginning of a frame", () => {
  const card = makeTimed({ trace: UNEVEN });
  assertNear(movedTo(card, "start", 1.2), 1);
  assertNear(movedTo(card, "end", 1.7), 1.5);
});

test("the ends do not pass each other", () => {
  const card = makeTimed();
  assertNear(movedTo(card, "start", 2.9), 1.9);
  assertNear(movedTo(card, "end", 0.1), 0.6);
});

test("the ends stay in the clip, the second may be the clip's own", () => {
  assert.equal(movedTo(makeTimed(), "start", -5), 0);
  assert.equal(movedTo(makeTimed(), "end", 3), 3);
  assert.equal(movedTo(makeTimed(), "end", 99), 3);
  assert.equal(movedTo(makeTimed({ end: 0.05 }), "start", 1), 0);
  assert.equal(movedTo(makeTimed({ start: 2.95 }), "end", 1), 3);
});

test("keys move an end by frames", () => {
  const card = makeTimed({ start: 0.4, end: 1.5, trace: UNEVEN });
  assert.equal(nudgedTo(card, "start", 1), 1);
  assert.equal(nudgedTo(card, "start", -1), 0.1);
  assert.equal(nudgedTo(card, "start", -5), 0);
  assert.equal(nudgedTo(card, "end", 1), 2.5);
  assert.equal(nudgedTo({ ...card, start: 0 }, "start", -1), 0);
});

test("behind the last frame comes the end of the clip", () => {
  const card = makeTimed({ end: 2.5, trace: UNEVEN });
  assert.equal(nudgedTo(card, "end", 1), 3);
  assert.equal(nudgedTo(card, "end", 5), 3);
  assert.equal(nudgedTo({ ...card, end: 3 }, "end", -1), 1.5);
});
