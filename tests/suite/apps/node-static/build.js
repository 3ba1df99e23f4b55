import { build } from 'esbuild';
import { marked } from 'marked';
import { mkdir, readFile, writeFile, copyFile } from 'node:fs/promises';

await mkdir('dist', { recursive: true });
const page = await readFile('src/index.md', 'utf8');
await writeFile('dist/index.html', `<!doctype html>\n<script src="app.js"></script>\n${marked.parse(page)}`);
await build({ entryPoints: ['src/app.js'], bundle: true, minify: true, outfile: 'dist/app.js' });
await copyFile('src/logo.svg', 'dist/logo.svg');
