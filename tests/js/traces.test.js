import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { TraceLoader } from "../../pages/components/reviewer/traces.js";
import { makeCard } from "./cards.js";

/** @import { KnownCard } from "../../pages/components/reviewer/navigation.js" */

const real = globalThis.fetch;
afterEach(() => (globalThis.fetch = real));

/**
 * Answer every fetch by its address; the addresses asked for.
 *
 * @param {(address: string) => unknown} answer a body, or undefined for an error of the server
 */
function serve(answer) {
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = async (address) => {
    asked.push(String(address));
    const body = answer(String(address));
    return body === undefined ? new Response("", { status: 500 }) : Response.json(body);
  };
  return asked;
}

/** @param {string | null} traces */
const makeTraced = (traces) => /** @type {KnownCard} */ (makeCard("a", { traces }));

test("trajectories are fetched once for an address, and kept in each card", async () => {
  const asked = serve((address) => ({ times: [0], colour: address }));
  const loader = new TraceLoader();
  const [one, two] = [makeTraced("/1"), makeTraced("/1")];
  await Promise.all([loader.load(one), loader.load(two)]);
  await loader.load(one);
  assert.deepEqual(asked, ["/1"]);
  assert.equal(one.trace?.colour, "/1");
  assert.equal(one.trace, two.trace);
});

test("a card without trajectories asks for nothing", async () => {
  const asked = serve(() => ({}));
  assert.equal(await new TraceLoader().load(makeTraced(null)), null);
  assert.deepEqual(asked, []);
});

test("after a failure the next one who asks tries again", async () => {
  let works = false;
  const asked = serve(() => (works ? { times: [0] } : undefined));
  const loader = new TraceLoader();
  const card = makeTraced("/1");
  assert.equal(await loader.load(card), null);
  works = true;
  assert.deepEqual((await loader.load(card))?.times, [0]);
  assert.equal(asked.length, 2);
});

test("a broken connection is a failure like any other", async () => {
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  assert.equal(await new TraceLoader().load(makeTraced("/1")), null);
});

test("the twelve latest are remembered", async () => {
  const asked = serve(() => ({ times: [0] }));
  const loader = new TraceLoader();
  for (let i = 0; i < 13; i++) await loader.load(makeTraced(`/${i}`));
  await loader.load(makeTraced("/12"));
  assert.equal(asked.length, 13);
  await loader.load(makeTraced("/0"));
  assert.equal(asked.length, 14);
});
