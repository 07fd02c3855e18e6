import assert from "node:assert/strict";
import { test } from "node:test";

import { CameraProblem, closeCamera, inWords } from "../../pages/components/live/live_camera.js";

test("every refusal of a camera has a title and a way on", () => {
  const titles = {
    NotAllowedError: /blocked/,
    SecurityError: /blocked/,
    NotFoundError: /No camera was found/,
    OverconstrainedError: /No camera was found/,
    NotReadableError: /gives no picture/,
    AbortError: /gives no picture/,
    StrangeError: /could not be opened/,
  };
  for (const [name, title] of Object.entries(titles)) {
    const problem = inWords({ name });
    assert.ok(problem instanceof CameraProblem);
    assert.match(problem.message, title, name);
    assert.match(problem.advice, /page Analyze\.$/, name);
  }
});

test("an unknown problem is named as the browser names it", () => {
  assert.match(inWords({ name: "StrangeError" }).advice, /The browser says StrangeError\./);
});

test("closing a camera stops all of its tracks; without one nothing happens", () => {
  let stopped = 0;
  const stream = { getTracks: () => [{ stop: () => stopped++ }, { stop: () => stopped++ }] };
  closeCamera(/** @type {MediaStream} */ (/** @type {unknown} */ (stream)));
  closeCamera(null);
  assert.equal(stopped, 2);
});
