import assert from "node:assert/strict";
import { test } from "node:test";

import { deskKey, fieldKey, whyKey } from "../../pages/components/reviewer/keys.js";

/** @import { Action, Commands, Place } from "../../pages/components/reviewer/keys.js" */

/** @type {Place} */
const DESK = { shift: false, repeat: false, onButton: false, bound: null, hasCard: true };

/** Commands that write down how they were called. */
function makeCommands() {
  /** @type {unknown[][]} */
  const calls = [];
  const commands = /** @type {Commands} */ (
    new Proxy(
      {},
      {
        get:
          (_, name) =>
          (/** @type {unknown[]} */ ...told) =>
            calls.push([name, ...told]),
      },
    )
  );
  return { commands, calls };
}

/**
 * What a key at the desk does: the call as a list, or null.
 *
 * @param {string} key
 * @param {Partial<Place>} [place]
 */
function atDesk(key, place = {}) {
  const { commands, calls } = makeCommands();
  deskKey(key, { ...DESK, ...place }, commands)?.();
  return calls[0] ?? null;
}

test("four keys decide, in either case", () => {
  assert.deepEqual(atDesk("a"), ["accept"]);
  assert.deepEqual(atDesk("A"), ["accept"]);
  assert.deepEqual(atDesk("x"), ["askWhy"]);
  assert.deepEqual(atDesk("S"), ["skip"]);
  assert.deepEqual(atDesk("z"), ["undo"]);
  assert.equal(atDesk("q"), null);
  assert.deepEqual(atDesk("c"), ["correct"]);
});

test("a key held down is no row of decisions, but steps on", () => {
  for (const key of ["a", "x", "s", "z", "[", " ", "Home"]) {
    assert.equal(atDesk(key, { repeat: true }), null);
  }
  assert.deepEqual(atDesk("ArrowRight", { repeat: true }), ["step", 1]);
});

test("arrows step a frame, with shift half a second", () => {
  assert.deepEqual(atDesk("ArrowLeft"), ["step", -1]);
  assert.deepEqual(atDesk("ArrowRight"), ["step", 1]);
  assert.deepEqual(atDesk("ArrowLeft", { shift: true }), ["seek", -0.5]);
  assert.deepEqual(atDesk("ArrowRight", { shift: true }), ["seek", 0.5]);
});

test("on a handle arrows move the end of the repetition", () => {
  assert.deepEqual(atDesk("ArrowLeft", { bound: "start" }), ["nudge", "start", -1]);
  assert.deepEqual(atDesk("ArrowRight", { bound: "end", shift: true }), ["nudge", "end", 5]);
  assert.deepEqual(atDesk("a", { bound: "end" }), ["accept"]);
});

test("brackets set the ends of the repetition, Home and End show them", () => {
  assert.deepEqual(atDesk("["), ["setBound", "start"]);
  assert.deepEqual(atDesk("]"), ["setBound", "end"]);
  assert.deepEqual(atDesk("Home"), ["showBound", "start"]);
  assert.deepEqual(atDesk("End"), ["showBound", "end"]);
});

test("space plays and pauses, but presses a button that has the focus", () => {
  assert.deepEqual(atDesk(" "), ["playOrPause"]);
  assert.equal(atDesk(" ", { onButton: true }), null);
  assert.deepEqual(atDesk("a", { onButton: true }), ["accept"]);
});

test("without a clip only undo is left", () => {
  for (const key of ["a", "x", "s", " ", "[", "End"]) {
    assert.equal(atDesk(key, { hasCard: false }), null);
  }
  assert.deepEqual(atDesk("Z", { hasCard: false }), ["undo"]);
});

/** @param {(commands: Commands) => Action} ask */
function call(ask) {
  const { commands, calls } = makeCommands();
  ask(commands)?.();
  return calls[0] ?? null;
}

test("reasons are chosen by number, as many as there are", () => {
  const why = (/** @type {string} */ key, onButton = false) =>
    call((commands) => whyKey(key, 9, onButton, commands));
  assert.deepEqual(why("1"), ["toggleReason", 0]);
  assert.deepEqual(why("9"), ["toggleReason", 8]);
  assert.equal(why("0"), null);
  assert.equal(why(" "), null);
  assert.equal(
    call((commands) => whyKey("4", 3, false, commands)),
    null,
  );
  assert.deepEqual(why("Escape"), ["closeWhy"]);
  assert.deepEqual(why("Enter"), ["reject"]);
  assert.equal(why("Enter", true), null, "there it presses the button");
  assert.equal(why("a"), null, "decisions wait until it is answered");
});

test("in text boxes only Enter and Escape mean something", () => {
  const field = (/** @type {string} */ key, /** @type {"comment" | "label" | null} */ which) =>
    call((commands) => fieldKey(key, which, commands));
  assert.deepEqual(field("Enter", "comment"), ["reject"]);
  assert.deepEqual(field("Escape", "comment"), ["closeWhy"]);
  assert.deepEqual(field("Enter", "label"), ["leaveLabel"]);
  assert.deepEqual(field("Escape", "label"), ["restoreLabel"]);
  for (const key of ["a", "x", "z", "1", " ", "ArrowLeft"]) {
    assert.equal(field(key, "comment"), null);
    assert.equal(field(key, "label"), null);
  }
  assert.equal(field("Enter", null), null);
  assert.equal(field("Escape", null), null);
});
