module.exports = require("bindings")("thumbprint");
