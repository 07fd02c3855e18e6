import assert from "node:assert/strict";
import { test } from "node:test";

import { changed, notSaved } from "../../pages/components/reviewer/notices.js";
import { makeCard, makeReply, makeVerdict } from "./cards.js";

/** @import { Decision } from "../../pages/components/reviewer/payload.js" */

/**
 * The notice of a decision that was not saved; every choice is made, and what each did comes back.
 *
 * @param {Decision} decision
 * @param {object} reply
 */
function choices(decision, reply) {
  /** @type {unknown[][]} */
  const done = [];
  const notice = notSaved(
    decision,
    makeReply(decision.seq, reply),
    (item) => done.push(["visit", item]),
    (again) => done.push(["push", again]),
  );
  for (const [, choose] of notice.choices) choose();
  return {
    text: notice.text,
    item: notice.item,
    names: notice.choices.map(([name]) => name),
    done,
  };
}

const VERDICT = { ...makeVerdict("a"), seq: 3 };

test("after a conflict one looks again, keeps theirs, or decides on top of it", () => {
  const reply = { state: "conflict", text: "rejected by Ben", revision: 8 };
  const { text, item, names, done } = choices(VERDICT, reply);
  assert.deepEqual([text, item], ["rejected by Ben", "a"]);
  assert.deepEqual(names, ["Look at it again", "Keep theirs", "Use mine"]);
  assert.deepEqual(done, [
    ["visit", "a"],
    ["push", { ...VERDICT, revision: 8 }],
  ]);
});

test("what was refused can be tried again", () => {
  const { text, names, done } = choices(VERDICT, { state: "refused", text: "The disk is full." });
  assert.equal(text, "Not saved. The disk is full.");
  assert.deepEqual(names, ["Try again", "Close"]);
  assert.deepEqual(done, [["push", VERDICT]]);
});

test("an undo is never repeated", () => {
  const undo = /** @type {const} */ ({ kind: "undo", seq: 1, item: null });
  const { names, done } = choices(undo, { state: "refused", text: "There is nothing to undo." });
  assert.deepEqual(names, ["Close"]);
  assert.deepEqual(done, []);
});

test("what somebody else decided is told, with a way on", () => {
  let went = false;
  const card = makeCard("a", { reviewer: "Ben", verdict: "accepted" });
  const notice = changed(card, () => (went = true));
  assert.match(notice.text, /^Ben has just accepted this clip/);
  notice.choices[1][1]();
  assert.ok(!went);
  notice.choices[0][1]();
  assert.ok(went);
});
