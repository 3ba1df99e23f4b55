// Drives VS Code in a browser: node vscode_trial.js URL SCREENSHOTS. Opens the Dockerfile of the folder, waits for a
// finding, runs the extension's command, and saves.
'use strict';
const { chromium } = require('playwright-core');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

async function main(url, screenshots) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
    page.setDefaultTimeout(120000);
    await page.goto(url);
    await page.getByRole('treeitem', { name: 'Dockerfile' }).first().dblclick();
    await page.waitForSelector('.squiggly-warning');
    await page.screenshot({ path: `${screenshots}/found.png` });
    await page.keyboard.press('F1');
    await page.keyboard.type('dfopt: Fix all safe findings', { delay: 20 });
    await page.getByRole('option', { name: 'dfopt: Fix all safe findings' }).first().click();
    await page.waitForFunction(() => !document.querySelector('.squiggly-warning'));
    await page.keyboard.press('Control+s');
    await page.waitForFunction(() => !document.querySelector('.tab.dirty'));
    await page.screenshot({ path: `${screenshots}/fixed.png` });
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
