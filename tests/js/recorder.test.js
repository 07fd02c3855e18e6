import assert from "node:assert/strict";
import { test } from "node:test";

import { greyOf, hasMoved } from "../../pages/components/recorder/motion_eye.js";
import { Take } from "../../pages/components/recorder/take.js";

test("hands-free it is over when a lifter who has moved stands still again", () => {
  const take = new Take(true);
  assert.ok(!take.isOver(9000), "nothing has moved yet");
  take.noteMotion(1000, 100);
  assert.ok(!take.isOver(9000), "that was a twitch");
  take.noteMotion(1500, 100);
  assert.ok(!take.isOver(2499));
  assert.ok(take.isOver(2500));
});

test("with a countdown it goes on until somebody stops it", () => {
  const take = new Take(false);
  take.noteMotion(1000, 100);
  take.noteMotion(5000, 100);
  assert.ok(!take.isOver(9000));
  assert.equal(take.motion, null);
});

test("the motion is told from the last look before it to the last one with it, in seconds", () => {
  const take = new Take(true);
  assert.equal(take.motion, null);
  take.noteMotion(1200, 100);
  take.noteMotion(3400, 100);
  assert.deepEqual(take.motion, [1.1, 3.4]);
});

test("motion from the very beginning begins at 0", () => {
  const take = new Take(true);
  take.noteMotion(40, 100);
  assert.deepEqual(take.motion, [0, 0.04]);
});

test("it is full before the bytes allowed are used up", () => {
  const take = new Take(false);
  take.add(new Blob(["x".repeat(92)]));
  assert.ok(!take.isFull(100));
  take.add(new Blob(["x"]));
  assert.ok(take.isFull(100));
  assert.equal(take.chunks.length, 2);
});

test("grey is a quarter red, half green, a quarter blue", () => {
  const pixels = [100, 0, 0, 255, 0, 100, 0, 255, 0, 0, 100, 255, 255, 255, 255, 255];
  assert.deepEqual([...greyOf(pixels)], [25, 50, 25, 255]);
});

test("noise is no motion, and neither are a few pixels", () => {
  const before = new Uint8Array(1000).fill(100);
  assert.ok(
    !hasMoved(
      before,
      before.map((value) => value + 18),
    ),
  );
  const some = (/** @type {number} */ n) => before.map((value, i) => value - (i < n ? 19 : 0));
  assert.ok(!hasMoved(before, some(8)));
  assert.ok(hasMoved(before, some(9)));
});
