import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Mustache from 'mustache';
import { shout } from './shout.js';

const view = readFileSync(join(__dirname, 'views', 'page.mustache'), 'utf8');

createServer((request, response) => {
  const text = decodeURIComponent(request.url.slice(1)) || 'nothing';
  response.end(Mustache.render(view, { text: shout(text) }));
}).listen(4000);
