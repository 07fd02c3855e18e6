import assert from "node:assert/strict";
import { test } from "node:test";

import { Navigation } from "../../pages/components/reviewer/navigation.js";
import { makeCard, makeVerdict } from "./cards.js";

/** @import { KnownCard } from "../../pages/components/reviewer/navigation.js" */

/**
 * A navigation on its first tour that has the cards of some items and is at the first of them.
 *
 * @param {string[]} ids
 */
function makeNavigation(ids) {
  const navigation = new Navigation();
  navigation.begin(1);
  for (const id of ids) navigation.learn(makeCard(id), false, "Anna");
  navigation.queue({ current: ids[0], coming: ids.slice(1) });
  const first = navigation.due();
  assert.equal(first, ids[0]);
  assert.ok(navigation.goTo(ids[0]));
  return navigation;
}

test("items come in the page's order and end with null", () => {
  const navigation = makeNavigation(["a", "b", "c"]);
  assert.equal(navigation.card?.id, "a");
  assert.deepEqual(navigation.coming, ["b", "c"]);
  assert.equal(navigation.next(), "b");
  assert.equal(navigation.next(), "c");
  assert.equal(navigation.next(), null);
});

test("the page's order counts from the item on the screen on", () => {
  const navigation = makeNavigation(["a", "b", "c"]);
  navigation.goTo("b");
  navigation.queue({ current: "a", coming: ["b", "c", "d"] });
  assert.deepEqual(navigation.coming, ["c", "d"]);
});

test("an item that the page does not name leaves the whole order to come", () => {
  const navigation = makeNavigation(["a", "b", "c"]);
  navigation.goTo("c");
  navigation.queue({ current: "a", coming: ["b"] });
  assert.deepEqual(navigation.coming, ["a", "b"]);
});

test("items with a verdict on its way are passed over until it is answered", () => {
  const navigation = makeNavigation(["a", "b", "c"]);
  navigation.decided.add("a");
  navigation.goTo("b");
  navigation.queue({ current: "b", coming: ["c", "a"] });
  assert.deepEqual(navigation.coming, ["c"]);
  const trim = /** @type {const} */ ({
    kind: "trim",
    item: "a",
    revision: 0,
    start_s: 0,
    end_s: 1,
  });
  navigation.answered({ ...trim, seq: 1 });
  navigation.queue({ current: "b", coming: ["c", "a"] });
  assert.deepEqual(navigation.coming, ["c"], "a trim is no verdict");
  navigation.answered({ ...makeVerdict("a"), seq: 2 });
  navigation.queue({ current: "b", coming: ["c", "a"] });
  assert.deepEqual(navigation.coming, ["c", "a"]);
});

test("an item whose card is not here yet is not on the screen", () => {
  const navigation = makeNavigation(["a"]);
  assert.equal(navigation.goTo("far"), false);
  assert.equal(navigation.current, undefined);
  assert.equal(navigation.card, undefined);
  navigation.learn(makeCard("far"), false, "Anna");
  navigation.queue({ current: "far", coming: [] });
  assert.equal(navigation.due(), "far");
});

test("at the end nothing is on the screen until something comes", () => {
  const navigation = makeNavigation(["a"]);
  assert.ok(navigation.goTo(navigation.next()));
  assert.equal(navigation.current, null);
  assert.equal(navigation.due(), undefined);
  navigation.queue({ current: null, coming: [] });
  assert.equal(navigation.due(), undefined);
  navigation.learn(makeCard("late"), false, "Anna");
  navigation.queue({ current: "late", coming: [] });
  assert.equal(navigation.due(), "late");
});

test("before the first item an empty page means the end", () => {
  const navigation = new Navigation();
  navigation.begin(1);
  navigation.queue({ current: null, coming: [] });
  assert.equal(navigation.due(), null);
});

test("one stays where one is while the page says nothing new", () => {
  const navigation = makeNavigation(["a", "b"]);
  assert.equal(navigation.due(), undefined);
});

test("undo leads back as soon as the card is here; the item on the screen comes after it", () => {
  const navigation = makeNavigation(["a", "b", "c"]);
  navigation.goTo(navigation.next());
  navigation.undone = "far";
  assert.equal(navigation.due(), undefined);
  navigation.learn(makeCard("far"), false, "Anna");
  assert.equal(navigation.due(), "far");
  navigation.goTo("far");
  assert.deepEqual(navigation.coming, ["b", "c"]);
  assert.equal(navigation.due(), undefined, "it leads back once");
});

test("another tour begins again, the same one does not", () => {
  const navigation = makeNavigation(["a", "b"]);
  navigation.decided.add("b");
  assert.equal(navigation.begin(1), false);
  assert.equal(navigation.current, "a");
  assert.equal(navigation.begin(2), true);
  assert.equal(navigation.current, undefined);
  assert.deepEqual(
    [navigation.coming.length, navigation.cards.size, navigation.decided.size],
    [0, 0, 0],
  );
});

test("a card with a decision on its way stays as it is here", () => {
  const navigation = makeNavigation(["a"]);
  navigation.learn(makeCard("a", { exercise: "lunge" }), true, "Anna");
  assert.equal(navigation.card?.exercise, "squat");
  navigation.learn(makeCard("a", { exercise: "lunge" }), false, "Anna");
  assert.equal(navigation.card?.exercise, "lunge");
});

test("trajectories stay with a card that is told anew", () => {
  const navigation = makeNavigation(["a"]);
  const trace = { times: [0], at: [0], joints: [], colour: "red", series: {} };
  /** @type {KnownCard} */ (navigation.card).trace = trace;
  navigation.learn(makeCard("a", { revision: 1 }), false, "Anna");
  assert.equal(navigation.card?.trace, trace);
  navigation.learn(makeCard("a", { traces: "/1" }), false, "Anna");
  /** @type {KnownCard} */ (navigation.card).trace = trace;
  navigation.learn(makeCard("a", { traces: "/1" }), false, "Anna");
  assert.equal(navigation.card?.trace, trace);
  navigation.learn(makeCard("a", { traces: "/2" }), false, "Anna"); // its keypoints were corrected
  assert.equal(navigation.card?.trace, undefined);
});

test("a verdict of somebody else on the item on the screen is told, everything else is not", () => {
  const theirs = { verdict: "accepted", reviewer: "Ben", revision: 1 };
  const cases = /** @type {[string, object, boolean][]} */ ([
    ["a", theirs, true],
    ["b", theirs, false],
    ["a", { ...theirs, reviewer: "Anna" }, false],
    ["a", { ...theirs, reviewer: "" }, false],
    ["a", { ...theirs, verdict: "pending" }, false],
    ["a", { ...theirs, revision: 0 }, false],
  ]);
  for (const [id, facts, isTold] of cases) {
    const navigation = makeNavigation(["a", "b"]);
    assert.equal(
      navigation.learn(makeCard(id, facts), false, "Anna"),
      isTold,
      JSON.stringify(facts),
    );
  }
});

test("two items are loaded ahead, and the one before stays loaded", () => {
  const navigation = makeNavigation(["a", "b", "c", "d", "e"]);
  assert.deepEqual(navigation.near(), ["a", "b", "c"]);
  navigation.goTo(navigation.next());
  assert.deepEqual(navigation.near(), ["a", "b", "c", "d"]);
  navigation.goTo(null);
  assert.deepEqual(navigation.near(), ["b", "c", "d"]);
});
