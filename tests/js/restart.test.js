import assert from "node:assert/strict";
import { test } from "node:test";

import { RunWatch, askRun } from "../../pages/components/restart/restart.js";

const DATA = { url: "/health", header: "x-run" };

test("another run than the first is noticed, and stays noticed", () => {
  const watch = new RunWatch();
  assert.equal(watch.isAnother("a"), false);
  assert.equal(watch.isAnother("a"), false);
  assert.equal(watch.isAnother("b"), true);
  assert.equal(watch.isAnother("b"), true);
});

test("a server that does not respond changes nothing", () => {
  const watch = new RunWatch();
  assert.equal(watch.isAnother(null), false);
  assert.equal(watch.isAnother("a"), false);
  assert.equal(watch.isAnother(null), false);
  assert.equal(watch.isAnother("a"), false);
});

test("the run is read from the response's header", async (context) => {
  const fetch = context.mock.method(globalThis, "fetch", async () => ({
    headers: new Headers({ "x-run": "a" }),
  }));
  assert.equal(await askRun(DATA), "a");
  assert.deepEqual(fetch.mock.calls[0].arguments, ["/health", { cache: "no-store" }]);
});

test("no response means no run", async (context) => {
  context.mock.method(globalThis, "fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  assert.equal(await askRun(DATA), null);
});
