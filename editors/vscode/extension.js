// The VS Code end of `dfopt lsp`: starts it, gives it the settings, restarts it when they change.
'use strict';
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

function settings() {
  const { select, ignore, config, refusals } = vscode.workspace.getConfiguration('dfopt');
  return { select, ignore, config, refusals };
}

async function start() {
  const [command, ...args] = vscode.workspace.getConfiguration('dfopt').get('command', []);
  if (!command) {
    vscode.window.showErrorMessage('dfopt: the setting dfopt.command is empty');
    return;
  }
  client = new LanguageClient(
    'dfopt',
    'dfopt',
    { command, args },
    {
      documentSelector: [{ language: 'dockerfile' }, { pattern: '**/{Containerfile,*.Containerfile}' }],
      initializationOptions: settings(),
    },
  );
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(
      `dfopt did not start (${command}): ${error.message}. Install it with: pip install dfopt`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running && running.isRunning()) {
    await running.stop();
  }
}

exports.activate = async (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand('dfopt.restart', async () => {
      await stop();
      await start();
    }),
    vscode.commands.registerCommand('dfopt.fixFile', () =>
      vscode.commands.executeCommand('editor.action.codeAction', { kind: 'source.fixAll.dfopt', apply: 'first' }),
    ),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration('dfopt.command')) {
        await stop();
        await start();
      } else if (event.affectsConfiguration('dfopt') && client && client.isRunning()) {
        await client.sendNotification('workspace/didChangeConfiguration', { settings: { dfopt: settings() } });
      }
    }),
  );
  await start();
};

exports.deactivate = stop;
