document.title = ["tide", "table"].join(" ");
