import assert from "node:assert/strict";
import { test } from "node:test";

import {
  clamped,
  isField,
  isPlain,
  number,
  pathOf,
  percentOf,
} from "../../pages/components/dom.js";

test("a part in hundredths stays between 0 and 100", () => {
  assert.equal(percentOf(1, 4), 25);
  assert.equal(percentOf(-1, 4), 0);
  assert.equal(percentOf(9, 4), 100);
  assert.equal(percentOf(0, 0), 0);
  assert.equal(percentOf(1, 0), 100);
});

test("a value is kept between its bounds, the lower of which counts where they cross", () => {
  assert.equal(clamped(5, 0, 3), 3);
  assert.equal(clamped(-5, 0, 3), 0);
  assert.equal(clamped(2, 0, 3), 2);
  assert.equal(clamped(Infinity, 0, 3), 3);
  assert.equal(clamped(5, 0, -1), 0);
});

test("whole numbers are written with commas", () => {
  assert.equal(number(1234567), "1,234,567");
  assert.equal(number(0), "0");
});

test("a path begins anew after what is not known", () => {
  const x = (/** @type {number} */ at) => 10 * at;
  const y = (/** @type {number} */ value) => 100 - value;
  assert.equal(
    pathOf([1, 2, null, null, 4], [0, 1, 2, 3, 4], x, y),
    "M0.0 99.0L10.0 98.0M40.0 96.0",
  );
  assert.equal(pathOf([null, null], [0, 1], x, y), "");
});

/**
 * An element that matches some selectors, itself or by one around it.
 *
 * @param {string} tag
 * @returns {EventTarget}
 */
function makeElement(tag) {
  const parts = (/** @type {string} */ selectors) => selectors.split(", ");
  const matches = (/** @type {string} */ selectors) => parts(selectors).includes(tag);
  const element = { matches, closest: (/** @type {string} */ s) => (matches(s) ? element : null) };
  return /** @type {EventTarget} */ (/** @type {unknown} */ (element));
}

test("typing goes to text boxes and lists, not to buttons and ticks", () => {
  const fields = ["input", "textarea", "select", "[contenteditable=true]", "[role=combobox]"];
  for (const tag of [...fields, "[role=option]"])
    assert.equal(isField(makeElement(tag)), true, tag);
  for (const tag of ["button", "input[type=checkbox]", "div"]) {
    assert.equal(isField(makeElement(tag)), false, tag);
  }
  assert.equal(isField(null), false);
  assert.equal(isField(undefined), false);
  assert.equal(isField(new EventTarget()), false, "the window is no element");
});

test("with Ctrl, Alt or the Windows key a key is the browser's", () => {
  const none = { ctrlKey: false, metaKey: false, altKey: false };
  const press = (/** @type {object} */ keys) =>
    isPlain(/** @type {KeyboardEvent} */ ({ ...none, ...keys }));
  assert.ok(press({}));
  assert.ok(press({ shiftKey: true }));
  for (const key of ["ctrlKey", "metaKey", "altKey"]) assert.ok(!press({ [key]: true }), key);
});
