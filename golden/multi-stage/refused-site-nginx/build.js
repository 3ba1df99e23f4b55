require("fs").mkdirSync("build")
