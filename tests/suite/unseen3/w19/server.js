const fs = require("fs");
const http = require("http");
const path = require("path");

const settings = JSON.parse(fs.readFileSync(path.join(process.env.CONFIG_DIR, "settings.json"), "utf8"));
const book = "/srv/guests/book.txt";
const page = (name, values) =>
  fs.readFileSync(path.join(__dirname, "pages", name), "utf8").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

function answer(url) {
  const { pathname, searchParams } = new URL(url, "http://guestbook");
  if (pathname === "/") {
    const guests = fs.existsSync(book) ? fs.readFileSync(book, "utf8").trim().split("\n") : [];
    return [200, page("book.html", { ...settings, guests: guests.map((name) => `<li>${name}</li>`).join("") })];
  }
  if (pathname === "/sign") {
    fs.appendFileSync(book, `${searchParams.get("name")}\n`);
    return [200, "thank you\n"];
  }
  if (pathname === "/whoami") {
    return [200, `${process.getuid()} ${fs.readFileSync(settings.banner, "utf8")}`];
  }
  return [404, page("gone.html", settings)];
}

http
  .createServer((request, response) => {
    const [status, body] = answer(request.url);
    response.writeHead(status, { "Content-Type": "text/html; charset=utf-8" }).end(body);
  })
  .listen(settings.listen);
process.on("SIGTERM", () => process.exit(0));
