// A client on vscode-jsonrpc, the transport of VS Code: applies one kind of code action and prints the resulting text.
// argv: file, kind, line (from 1). The edit is applied by vscode-languageserver-textdocument.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';
const require = createRequire(process.env.DFOPT_NODE_MODULES + '/');
const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = require('vscode-jsonrpc/node');
const { TextDocument } = require('vscode-languageserver-textdocument');

const [file, kind, line] = [process.argv[2], process.argv[3], Number(process.argv[4]) - 1];
const server = spawn('dfopt', ['lsp'], { stdio: ['pipe', 'pipe', 'inherit'] });
const wire = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
wire.listen();
const uri = pathToFileURL(file).toString();
const text = readFileSync(file, 'utf8');
const published = new Promise((resolve) => wire.onNotification('textDocument/publishDiagnostics', resolve));
await wire.sendRequest('initialize', {
  processId: process.pid,
  rootUri: null,
  capabilities: {
    workspace: { workspaceEdit: { documentChanges: true } },
    textDocument: {
      codeAction: {
        isPreferredSupport: true,
        dataSupport: true,
        resolveSupport: { properties: ['edit'] },
        codeActionLiteralSupport: { codeActionKind: { valueSet: [''] } },
      },
    },
  },
});
await wire.sendNotification('initialized', {});
await wire.sendNotification('textDocument/didOpen', {
  textDocument: { uri, languageId: 'dockerfile', version: 1, text },
});
const { diagnostics } = await published;
const actions = await wire.sendRequest('textDocument/codeAction', {
  textDocument: { uri },
  range: { start: { line, character: 0 }, end: { line, character: 0 } },
  context: { diagnostics, only: [kind] },
});
const chosen = actions.find((one) => kind !== 'quickfix' || one.isPreferred);
if (!chosen) throw new Error('no action came');
const resolved = chosen.edit ? chosen : await wire.sendRequest('codeAction/resolve', chosen);
const [change] = resolved.edit.documentChanges;
if (change.textDocument.version !== 1) throw new Error('the edit is for another version');
const document = TextDocument.create(uri, 'dockerfile', 1, text);
writeFileSync(file, TextDocument.applyEdits(document, change.edits));
await wire.sendRequest('shutdown');
await wire.sendNotification('exit');
wire.end();
