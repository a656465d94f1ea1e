/**
 * `npm create @nn`, as users have it: from the packed package, each template is made, installed from the packed packages, built
 * and run. Nothing is asked of a registry; what builds, TypeScript and Vite, is that of this repository.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, expect, test } from 'vitest';
import { openPages } from './support/browser.ts';
import { command, root } from './support/commands.ts';
import { everything, install, tarball } from './support/install.ts';

const place = mkdtempSync(join(tmpdir(), 'nn-create-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Runs the command of the packed package, then installs what it asks for. */
async function made(template: string): Promise<string> {
  const bin = join(everything(), 'node_modules/.bin/create');
  const printed = await command(bin, [template, '--template', template], { cwd: place });
  expect(printed).toContain(`cd ${template}\n  npm install\n  npm start\n`);
  const folder = join(place, template);
  const path = join(folder, 'package.json');
  const { devDependencies = {}, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  const ours = Object.keys(manifest.dependencies);
  // the packed packages in place of the registry's: all of them, for they name each other
  writeFileSync(path, JSON.stringify({ ...manifest, dependencies: {} }));
  await install(
    folder,
    [...new Set([...ours, '@nn/data', '@nn/metrics', '@nn/serialize'])].map((name) => tarball(name.slice(4))),
  );
  for (const tool of Object.keys(devDependencies)) {
    mkdirSync(join(folder, 'node_modules', tool, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', tool), join(folder, 'node_modules', tool), 'junction');
  }
  return folder;
}
const node = (folder: string, ...parameters: string[]) => command(process.execPath, parameters, { cwd: folder });
const build = (folder: string) => node(folder, join(root, 'node_modules/typescript/bin/tsc'));

/** Whether the long ones run as well: when asked for, with NN_TASKS=1. */
const isWhole = Boolean(process.env.NN_TASKS);
test('a program for Node is compiled, trains, saves, and predicts from the file', async () => {
  const folder = await made('node');
  await build(folder);
  const printed = await node(folder, 'dist/train.js');
  const [, share = '0'] = /Right for (\d+\.\d) % of points/.exec(printed) ?? [];
  expect(Number(share)).toBeGreaterThan(90);
  expect(existsSync(join(folder, 'model.safetensors'))).toBe(true);
  const upper = await node(folder, 'dist/predict.js', '0', '1');
  expect(upper).toMatch(/^\(0, 1\) is of the upper moon with a probability of (1\.000|0\.9\d+), of the lower one/);
}, 120_000);

test('a page is type checked, built by Vite, and trains in a worker in Chromium', async () => {
  const folder = await made('page');
  await build(folder);
  await node(folder, join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error');
  const page = join(folder, 'dist/index.html');
  const watch = `<script type="module">
    const status = document.getElementById('status');
    new MutationObserver(() => {
      if (/^(Done|.*Error)/.test(status.textContent)) {
        const { data } = document.getElementById('plane').getContext('2d').getImageData(0, 0, 60, 45);
        console.log('result: ' + JSON.stringify({ text: status.textContent, colors: new Set(data).size }));
      }
    }).observe(status, { childList: true });
    document.getElementById('train').click();
  </script>`;
  writeFileSync(page, readFileSync(page, 'utf8').replace('</body>', `${watch}</body>`));
  const pages = await openPages(join(folder, 'dist'));
  try {
    const { result, messages } = await pages.visit('index.html');
    expect(messages).toEqual([]);
    const { text, colors } = result as { text: string; colors: number };
    expect(text).toMatch(/^Done: Epoch 40: loss 0\.0\d+$/);
    expect(colors).toBeGreaterThan(20);
  } finally {
    await pages.close();
  }
}, 120_000);

test.runIf(isWhole)(
  'a script in cells runs from the first to the last',
  async () => {
    const folder = await made('notebook');
    const printed = await node(folder, 'notebook.mjs');
    expect(printed.match(/epoch \d: loss/g)).toHaveLength(5);
    const [, share = '0'] = /Right for (\d+\.\d) % of 300 digits/.exec(printed) ?? [];
    expect(Number(share)).toBeGreaterThan(65);
  },
  120_000,
);

test('mistakes are one line, and nothing is written', async () => {
  const bin = join(everything(), 'node_modules/.bin/create');
  const run = (...words: string[]) => command(bin, words, { cwd: place });
  await expect(run('new', '--template', 'react')).rejects.toThrow(
    "there is no template 'react': take node, page or notebook.",
  );
  await expect(run('new', '--colour')).rejects.toThrow('There is no option --colour.');
  await expect(run('new', '--template')).rejects.toThrow('--template needs a name: node, page, notebook.');
  expect(existsSync(join(place, 'new'))).toBe(false);
  expect(await run('--help')).toContain('npm create @nn@latest FOLDER -- --template NAME');
});
