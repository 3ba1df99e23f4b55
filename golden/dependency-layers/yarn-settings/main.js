require("greet");
