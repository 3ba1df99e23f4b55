import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import slugify from 'slugify';

const replaced: Record<string, string> = JSON.parse(readFileSync('config/replace.json', 'utf8'));

function slug(text: string): string {
  for (const [from, to] of Object.entries(replaced)) text = text.replaceAll(from, to);
  return slugify(text, { lower: true });
}

createServer((request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  response.end(slug(url.searchParams.get('text') ?? 'No Text'));
}).listen(9000);
