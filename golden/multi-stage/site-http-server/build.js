require("fs").mkdirSync("dist")
