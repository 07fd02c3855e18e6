import assert from "node:assert/strict";
import { test } from "node:test";

import { mounted } from "../../pages/components/component.js";

/** @import { Widget } from "../../pages/components/component.js" */

/** @typedef {{ parentElement: HTMLElement, data: string }} Given */

/** A default export whose widgets write down what happens to them, and places to put them. */
function makeComponent() {
  /** @type {string[]} */
  const events = [];
  let count = 0;
  /** @returns {Widget<Given>} */
  const make = () => {
    const name = `widget ${++count}`;
    events.push(`${name} made`);
    return {
      update: ({ data }) => void events.push(`${name} updated: ${data}`),
      destroy: () => void events.push(`${name} destroyed`),
    };
  };
  const start = mounted(make);
  const makeRoot = () => /** @type {HTMLElement} */ (/** @type {unknown} */ ({}));
  const call = (/** @type {HTMLElement} */ parentElement, /** @type {string} */ data) =>
    start({ parentElement, data });
  return { call, makeRoot, events };
}

test("an element keeps its widget from call to call", () => {
  const { call, makeRoot, events } = makeComponent();
  const root = makeRoot();
  call(root, "a");
  call(root, "b");
  assert.deepEqual(events, ["widget 1 made", "widget 1 updated: a", "widget 1 updated: b"]);
});

test("a late clean-up of an earlier call destroys nothing", () => {
  const { call, makeRoot, events } = makeComponent();
  const root = makeRoot();
  const early = call(root, "a");
  const late = call(root, "b");
  early();
  assert.ok(!events.includes("widget 1 destroyed"));
  late();
  assert.equal(events.at(-1), "widget 1 destroyed");
});

test("after its end an element gets a new widget", () => {
  const { call, makeRoot, events } = makeComponent();
  const root = makeRoot();
  call(root, "a")();
  call(root, "b");
  assert.deepEqual(events.slice(-2), ["widget 2 made", "widget 2 updated: b"]);
});

test("two elements have two widgets", () => {
  const { call, makeRoot, events } = makeComponent();
  call(makeRoot(), "a");
  call(makeRoot(), "b");
  assert.deepEqual(events.slice(-2), ["widget 2 made", "widget 2 updated: b"]);
});
