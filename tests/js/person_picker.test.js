import assert from "node:assert/strict";
import { test } from "node:test";

import { boxOf, distance, pixelAt } from "../../pages/components/player/person_picker.js";

test("the centre of the first pixel is 0, that of the last one less than there are", () => {
  assert.equal(pixelAt(0.5 / 640, 640), 0);
  assert.equal(pixelAt(639.5 / 640, 640), 639);
  assert.equal(pixelAt(0.5, 640), 319.5);
});

test("a plate is as large as the way from its centre to its rim", () => {
  assert.equal(distance([10, 20], [13, 24]), 5);
});

test("outside of the picture is its edge", () => {
  assert.equal(pixelAt(-0.2, 640), 0);
  assert.equal(pixelAt(1.2, 640), 639);
});

test("a box is the same from whichever corner it was dragged", () => {
  const box = [10, 20, 30, 40];
  assert.deepEqual(boxOf([10, 20], [40, 60], 5), box);
  assert.deepEqual(boxOf([40, 60], [10, 20], 5), box);
  assert.deepEqual(boxOf([40, 20], [10, 60], 5), box);
});

test("a drag that is short on either side is a click", () => {
  assert.equal(boxOf([10, 20], [12, 90], 5), null);
  assert.equal(boxOf([10, 20], [90, 22], 5), null);
  assert.equal(boxOf([10, 20], [15, 25], 5), null);
});
