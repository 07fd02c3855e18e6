import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { AGAIN_MS, Outbox } from "../../pages/components/reviewer/outbox.js";
import { Sender } from "../../pages/components/reviewer/sender.js";
import { makeReply, makeVerdict } from "./cards.js";

/** @import { Work } from "../../pages/components/reviewer/payload.js" */
/** @import { Given } from "../../pages/components/reviewer/sender.js" */

/** @type {Sender[]} */
const open = [];
afterEach(() => open.splice(0).forEach((sender) => sender.close()));

/** A sender whose messages are collected, with a clock and a place to change. */
function makeSender() {
  const now = { ms: 0, here: /** @type {string | null | undefined} */ ("a") };
  /** @type {Work[]} */
  const sent = [];
  const memory = { getItem: () => null, setItem: () => {} };
  const outbox = new Outbox(
    "me",
    () => memory,
    () => now.ms,
  );
  outbox.addressTo({ desk: "process", tour: 1, reviewer: "Anna", dataset: "lifts" });
  const sender = new Sender(outbox, () => now.here);
  open.push(sender);
  sender.component = /** @type {Given} */ (
    /** @type {unknown} */ ({
      data: { current: "a" },
      setStateValue: (/** @type {string} */ name, /** @type {Work} */ work) => {
        assert.equal(name, "work");
        sent.push({ ...work, decisions: [...work.decisions] });
      },
    })
  );
  return { sender, outbox, sent, now };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 80));

test("a message names the item on the screen, or the one that is asked for", () => {
  const { sender, sent, now } = makeSender();
  sender.send();
  sender.send("far");
  now.here = null;
  sender.send();
  assert.deepEqual(
    sent.map(({ at }) => at),
    ["a", "far", ""],
  );
});

test("what waits is sent again when it is late, until it is answered", () => {
  const { sender, outbox, sent, now } = makeSender();
  outbox.push(makeVerdict("a"), "Accepted a");
  sender.send();
  sender.sendAgain();
  assert.equal(sent.length, 1);
  now.ms += AGAIN_MS + 1;
  sender.sendAgain();
  assert.deepEqual(sent[1].decisions, sent[0].decisions);
  outbox.hear(makeReply(1));
  now.ms += AGAIN_MS + 1;
  sender.sendAgain();
  assert.equal(sent.length, 2);
});

test("the place is told a moment later, unless the page knows it or a message has gone", async () => {
  const { sender, sent, now } = makeSender();
  sender.tellPlace();
  now.here = "b";
  sender.tellPlace();
  assert.equal(sent.length, 0);
  await soon();
  assert.deepEqual(
    sent.map(({ at }) => at),
    ["b"],
  );
  now.here = "d";
  sender.tellPlace();
  now.here = "a"; // which the page knows
  await soon();
  assert.equal(sent.length, 1);
  now.here = "c";
  sender.tellPlace();
  sender.send();
  await soon();
  assert.deepEqual(
    sent.map(({ at }) => at),
    ["b", "c"],
  );
});
