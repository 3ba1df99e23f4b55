import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import mustache from "mustache";
import suggestions from "./suggest.cjs";

const page = readFileSync(new URL("views/page.mustache", import.meta.url), "utf8");

createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const word = url.searchParams.get("word");
  if (url.pathname !== "/" || !word) {
    response.writeHead(400).end("ask for /?word=...\n");
    return;
  }
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(mustache.render(page, { asked: word, ...suggestions.suggest(word) }));
}).listen(8090);
