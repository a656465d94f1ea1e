/** `npm run bench`: measures nn beside other libraries in one run, prints tables, writes JSON, charts and the document. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseOptions, usage } from './harness/options.mjs';
import { print } from './harness/print.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The other libraries are installed on the first run, and when their versions change; their scripts never run. */
function install() {
  const stamp = `${here}node_modules/.nn-bench-lock`;
  const lock = readFileSync(`${here}package-lock.json`, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  print('Installing the libraries to compare with ...');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm ci failed: the libraries to compare with could not be installed.');
  writeFileSync(stamp, lock);
}

/** @param {string} name @param {object} results @param {boolean} publish */
function save(name, results, publish) {
  const folder = publish ? `${here}../docs/benchmarks/` : `${here}results/`;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${name}.json`;
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  print(`\nWritten: ${file}`);
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return print(usage);
  if (options.core || options.profile) {
    const script = options.core ? 'core.mjs' : 'profile.mjs';
    const flags = options.source || options.core ? ['--conditions=@nn/source', '--import', 'tsx'] : [];
    const { findNode } = await import('./harness/launch.mjs');
    const node = options.node === null ? process.execPath : findNode(options.node);
    process.exitCode =
      spawnSync(
        node,
        [...flags, `${here}${script}`, ...(options.profile ? [options.libraries?.[0] ?? 'nn'] : []), ...options.only],
        { stdio: 'inherit' },
      ).status ?? 1;
    return undefined;
  }
  if (!options.report) {
    install();
    const { compare } = options.browser ? await import('./browser/run.mjs') : await import('./harness/compare.mjs');
    const { name, run } = await compare(options);
    save(name, run, options.publish);
  }
  if (options.report || options.publish) {
    const { writeDocument } = await import('./report/document.mjs');
    print(`Written: ${writeDocument()}`);
  }
  return undefined;
}

await main();
