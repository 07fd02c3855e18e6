import assert from "node:assert/strict";
import { test } from "node:test";

import {
  AGAIN_MS,
  canBeRepeated,
  describe,
  Outbox,
} from "../../pages/components/reviewer/outbox.js";
import { makeReply, makeVerdict } from "./cards.js";

const ADDRESS = { desk: "process 1", tour: 1, reviewer: "Anna", dataset: "lifts" };
const UNDO = /** @type {const} */ ({ kind: "undo", item: null });

/** A tab's memory that lasts as long as the test. */
function makeMemory() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  };
}

/** An outbox at its address, with a clock to move. */
function makeOutbox(memory = makeMemory()) {
  const clock = { now: 0 };
  const outbox = new Outbox(
    "me",
    () => memory,
    () => clock.now,
  );
  outbox.addressTo(ADDRESS);
  return { outbox, clock };
}

test("decisions are numbered and wait in their order, all of them in each message", () => {
  const { outbox } = makeOutbox();
  outbox.push(makeVerdict("a"), "Accepted a");
  outbox.push(UNDO, "Undo");
  const message = outbox.message("b");
  assert.deepEqual(
    message.decisions.map(({ seq, kind, item }) => [seq, kind, item]),
    [
      [1, "verdict", "a"],
      [2, "undo", null],
    ],
  );
  assert.deepEqual([message.desk, message.tour, message.client], ["process 1", 1, "me"]);
  assert.equal(typeof message.beat, "number");
});

test("a message says where the reviewer is: at an item, at the end, or nowhere yet", () => {
  const { outbox } = makeOutbox();
  assert.equal(outbox.message("b").at, "b");
  assert.equal(outbox.message(null).at, "");
  assert.equal(outbox.message(undefined).at, null);
});

test("nothing can be sent before there is an address", () => {
  const outbox = new Outbox("me", makeMemory, () => 0);
  assert.throws(() => outbox.message(null), /expected an address/);
});

test("only a reply to it makes a decision saved", () => {
  const { outbox } = makeOutbox();
  outbox.push(makeVerdict("a"), "Accepted a");
  outbox.message("b");
  assert.equal(outbox.log[0].state, "saving");
  assert.equal(outbox.hear(makeReply(1, { client: "another widget" })), null);
  assert.equal(outbox.hear(makeReply(7)), null);
  assert.ok(outbox.holds("a"));
  assert.equal(outbox.log[0].state, "saving");
  assert.equal(outbox.hear(makeReply(1))?.item, "a");
  assert.ok(!outbox.holds("a"));
  assert.equal(outbox.log[0].state, "saved");
});

test("a reply that comes again is heard once", () => {
  const { outbox } = makeOutbox();
  outbox.push(makeVerdict("a"), "Accepted a");
  assert.ok(outbox.hear(makeReply(1)));
  assert.equal(outbox.hear(makeReply(1)), null);
});

test("a decision that was refused says why in the log, one that came too late does not", () => {
  const { outbox } = makeOutbox();
  outbox.push(makeVerdict("a"), "Accepted a");
  outbox.push(makeVerdict("b"), "Accepted b");
  outbox.hear(makeReply(1, { state: "refused", text: "The disk is full." }));
  outbox.hear(makeReply(2, { state: "conflict", text: "rejected by Ben" }));
  assert.deepEqual(
    outbox.log.map(({ state, more }) => [state, more]),
    [
      ["refused", "The disk is full."],
      ["conflict", ""],
    ],
  );
});

test("what waits is late when no reply came for a while, and again after each message", () => {
  const { outbox, clock } = makeOutbox();
  assert.ok(!outbox.isLate());
  outbox.push(makeVerdict("a"), "Accepted a");
  outbox.message("b");
  clock.now = AGAIN_MS;
  assert.ok(!outbox.isLate());
  clock.now = AGAIN_MS + 1;
  assert.ok(outbox.isLate());
  outbox.message("b");
  assert.ok(!outbox.isLate());
  clock.now = 3 * AGAIN_MS;
  assert.ok(outbox.isLate());
  outbox.hear(makeReply(1));
  assert.ok(!outbox.isLate());
});

test("another server process gets what waits, but no undo", () => {
  const { outbox } = makeOutbox();
  outbox.push(makeVerdict("a"), "Accepted a");
  outbox.push(UNDO, "Undo");
  assert.equal(outbox.addressTo({ ...ADDRESS, tour: 2 }), false);
  assert.equal(outbox.waiting.length, 2);
  assert.equal(outbox.addressTo({ ...ADDRESS, desk: "process 2" }), true);
  const message = outbox.message("b");
  assert.equal(message.desk, "process 2");
  assert.deepEqual(
    message.decisions.map(({ seq }) => seq),
    [1],
  );
  assert.deepEqual(
    outbox.log.map(({ state, more }) => [state, more]),
    [
      ["saving", undefined],
      ["refused", "not done: the connection was lost"],
    ],
  );
});

test("with nothing waiting another server process is no matter", () => {
  const { outbox } = makeOutbox();
  assert.equal(outbox.addressTo({ ...ADDRESS, desk: "process 2" }), false);
});

test("after a reload the tab gives back what was not answered, but no undo", () => {
  const memory = makeMemory();
  const before = makeOutbox(memory).outbox;
  before.push(makeVerdict("a"), "Accepted a");
  before.push(makeVerdict("b"), "Accepted b");
  before.push(UNDO, "Undo");
  before.hear(makeReply(1));
  const after = makeOutbox(memory).outbox;
  assert.deepEqual(
    after.recall().map(({ item }) => item),
    ["b"],
  );
});

test("what another reviewer or data set left is not taken", () => {
  const memory = makeMemory();
  makeOutbox(memory).outbox.push(makeVerdict("a"), "Accepted a");
  for (const other of [{ reviewer: "Ben" }, { dataset: "jumps" }]) {
    const { outbox } = makeOutbox(memory);
    outbox.addressTo({ ...ADDRESS, ...other });
    assert.deepEqual(outbox.recall(), []);
  }
});

test("a browser that keeps nothing does no harm", () => {
  const outbox = new Outbox(
    "me",
    () => {
      throw new DOMException("denied", "SecurityError");
    },
    () => 0,
  );
  outbox.addressTo(ADDRESS);
  outbox.push(makeVerdict("a"), "Accepted a");
  assert.deepEqual(outbox.recall(), []);
  assert.equal(outbox.message("b").decisions.length, 1);
});

test("damaged memory does no harm", () => {
  const memory = makeMemory();
  memory.setItem("gymform-review", "{");
  assert.deepEqual(makeOutbox(memory).outbox.recall(), []);
});

test("the log keeps the latest four lines", () => {
  const { outbox } = makeOutbox();
  for (const item of ["a", "b", "c", "d", "e"]) outbox.push(makeVerdict(item), item);
  assert.deepEqual(
    outbox.log.map(({ text }) => text),
    ["b", "c", "d", "e"],
  );
});

test("news of others are told once", () => {
  const { outbox } = makeOutbox();
  assert.equal(outbox.writeNews(["Ben accepted it"]), true);
  assert.equal(outbox.writeNews(["Ben accepted it"]), false);
  assert.equal(outbox.writeNews(["Ben accepted it", "Carl rejected it"]), true);
  assert.deepEqual(
    outbox.log.map(({ text, more }) => [text, more]),
    [
      ["Ben accepted it", "just now"],
      ["Carl rejected it", "just now"],
    ],
  );
});

test("decisions are described", () => {
  const base = { item: "a", revision: 0 };
  assert.equal(describe(makeVerdict("a"), "squat 1"), "Accepted squat 1");
  assert.equal(describe(UNDO, ""), "Undo");
  const lunge = /** @type {const} */ ({ kind: "relabel", ...base, exercise: "lunge" });
  assert.equal(describe(lunge, "squat 1"), "squat 1: lunge");
  const trim = /** @type {const} */ ({ kind: "trim", ...base, start_s: 0.5, end_s: 2 });
  assert.equal(describe(trim, "squat 1"), "squat 1: 0.50 – 2.00 s");
});

test("what would be done twice by saying it twice is not sent again", () => {
  const point = /** @type {const} */ ({
    kind: "point",
    time_s: 1.25,
    keypoint: "left_elbow",
    x: 1,
    y: 2,
  });
  const span = { start_s: 0.5, end_s: 1, keypoints: ["nose"] };
  const correct = (
    /** @type {import("../../pages/components/reviewer/payload.js").CorrectDecision["correction"]} */ correction,
  ) => /** @type {const} */ ({ kind: "correct", seq: 1, item: "a", correction });
  assert.ok(canBeRepeated(correct(point)));
  assert.ok(canBeRepeated(correct({ kind: "hidden", ...span })));
  assert.ok(!canBeRepeated(correct({ kind: "exchange", ...span })));
  assert.ok(!canBeRepeated({ kind: "uncorrect", seq: 1, item: "a" }));
  assert.ok(!canBeRepeated({ ...UNDO, seq: 1 }));
  assert.equal(describe(correct(point), "clip"), "clip: left elbow at 1.25 s");
  assert.equal(
    describe(correct({ kind: "hidden", ...span }), "clip"),
    "clip: nose hidden, 0.50 – 1.00 s",
  );
});
