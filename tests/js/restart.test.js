import assert from "node:assert/strict";
import { test } from "node:test";

import { isOutdated } from "../../pages/components/restart/restart.js";

const DATA = { url: "/health", header: "x-run", run: "a" };

for (const [headers, expected] of /** @type {[Record<string, string>, boolean][]} */ ([
  [{ "x-run": "a" }, false],
  [{ "x-run": "b" }, true],
  [{}, false],
])) {
  test(`a page of run a is outdated: ${expected}, when ${JSON.stringify(headers)} responds`, async (context) => {
    const fetch = context.mock.method(globalThis, "fetch", async () => ({
      headers: new Headers(headers),
    }));
    assert.equal(await isOutdated(DATA), expected);
    assert.deepEqual(fetch.mock.calls[0].arguments, ["/health", { cache: "no-store" }]);
  });
}

test("a server that does not respond changes nothing", async (context) => {
  context.mock.method(globalThis, "fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  assert.equal(await isOutdated(DATA), false);
});
