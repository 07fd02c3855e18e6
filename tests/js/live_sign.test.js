import assert from "node:assert/strict";
import { test } from "node:test";

import { Announcer, shortened } from "../../pages/components/live/live_sign.js";

const STEP = "Step into the picture";

test("each repetition is said once, when it is counted", () => {
  const announcer = new Announcer();
  assert.deepEqual(announcer.next({ advice: "", count: 0 }, 0), { shown: "Good", said: "" });
  assert.deepEqual(announcer.next({ advice: "", count: 1 }, 1), { shown: "1", said: "1" });
  assert.deepEqual(announcer.next({ advice: "", count: 1 }, 2), { shown: "1", said: "" });
  assert.deepEqual(announcer.next({ advice: STEP, count: 2 }, 3), { shown: "2", said: "2" });
});

test("advice is said when it is new, and again after a while", () => {
  const announcer = new Announcer();
  const said = (/** @type {string} */ advice, /** @type {number} */ now) =>
    announcer.next({ advice, count: 0 }, now).said;
  assert.equal(said(STEP, 0), STEP);
  assert.equal(said(STEP, 7999), "");
  assert.equal(said(STEP, 8000), STEP);
  assert.equal(said("", 8100), "");
  assert.equal(said(STEP, 8200), STEP); // it had been followed
});

test("the count starts over at a touch, and with another stream", () => {
  const announcer = new Announcer();
  announcer.next({ advice: "", count: 5 }, 0);
  announcer.restart();
  assert.equal(announcer.next({ advice: "", count: 5 }, 1).shown, "Good");
  assert.equal(announcer.next({ advice: "", count: 6 }, 2).said, "1");
  announcer.next({ advice: "", count: 0 }, 3);
  assert.equal(announcer.next({ advice: "", count: 1 }, 4).said, "1");
});

for (const [advice, sign] of [
  [STEP, STEP],
  ["The feet are cut off: step back, or tilt the camera down", "Step back"],
  ["Step back: raised arms need room above the head", "Step back"],
  ["Come closer, or move the camera nearer", "Come closer"],
  ["More light, please", "More light"],
  ["The camera is tilted: level it", "Level it"],
]) {
  test(`"${advice}" is shown as "${sign}"`, () => assert.equal(shortened(advice), sign));
}
