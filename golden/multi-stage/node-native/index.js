require("canvas")
