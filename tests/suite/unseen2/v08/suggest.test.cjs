"use strict";
const test = require("node:test");
const assert = require("node:assert");
const { suggest } = require("./suggest.cjs");

test("the nearest word", () => {
  assert.deepStrictEqual(suggest("harbor"), { word: "harbour", far: 1 });
  assert.deepStrictEqual(suggest("quay"), { word: "quay", far: 0 });
});
