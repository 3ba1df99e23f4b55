import express from "express";
import path from "path";
import { Harbour, load } from "./tides";

const app = express();
const root = path.join(__dirname, "..");

app.set("view engine", "ejs");
app.set("views", path.join(root, "views"));
app.use("/assets", express.static(path.join(root, "public")));

app.get("/", (_request, response) => {
  response.render("index", { harbours: Object.keys(load(root)) });
});

app.get("/harbour/:name", (request, response, next) => {
  const harbour: Harbour | undefined = load(root)[request.params.name];
  if (!harbour) {
    return next();
  }
  const tides = harbour.high.map((time) => ({ time, metres: harbour.metres.toFixed(1) }));
  response.render("harbour", { name: request.params.name, tides });
});

app.use((request, response) => {
  response.status(404).render("lost", { where: request.path });
});

app.listen(8080, () => console.log("tide-table listens on 8080"));
