"use strict";

const { readFile } = require("fs/promises");
const path = require("path");
const native = require("thumbprint-native");

exports.hash = (text) => `${native.hash(text)}\n`;

exports.code = (text) => native.code(text);

exports.long = (length) => native.code("x".repeat(Number(length)));

exports.help = async (_text, ctx) => {
  ctx.status = 404;
  return readFile(path.join(__dirname, "..", "HELP"), "utf8");
};
