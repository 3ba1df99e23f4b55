"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { distance } = require("bindings")("distance");

const words = fs.readFileSync(path.join(__dirname, "words.txt"), "utf8").trim().split("\n");

/** The word of the list that is nearest to `text`, and how far it is. */
exports.suggest = (text) =>
  words
    .map((word) => ({ word, far: distance(text, word) }))
    .reduce((best, each) => (each.far < best.far ? each : best));
