/**
 * One core in a process: `import` and `require` reach the same copy, and copies that meet all the same (two versions, or
 * one file loaded past Node's resolution) refuse each other with an error that names both. docs/decisions/0006-one-core.md
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { command, manifest } from './support/commands.ts';
import { everything, project, write } from './support/install.ts';

async function run(folder: string, file: string, text: string): Promise<string[]> {
  write(folder, { [file]: text });
  return (await command(process.execPath, [file], { cwd: folder })).trim().split('\n');
}

/** Half of the program imports, the other half requires. */
const both = {
  'required.cjs': `
    const { parameter, setSeed, uniform } = require('@nn/core');
    const { Linear } = require('@nn/layers');
    module.exports = { Linear, parameter, setSeed, uniform, core: require('@nn/core') };`,
  'both.mjs': `
    import * as core from '@nn/core';
    import { cpu } from '@nn/backend-cpu';
    import { SGD } from '@nn/optim';
    import required from './required.cjs';
    core.setDefaultBackend(cpu());
    const model = new required.Linear(2, 1);
    const optimizer = new SGD(model, { learningRate: 0.1 });
    await optimizer.step(model.forward(core.tensor([[1, 2]])).square().mean());
    required.setSeed(7);
    core.uniform([3]);
    console.log(required.core.randomState().seed, required.core.randomState().counter, core.randomState().counter);
    console.log(core.tensor === required.core.tensor, core.isParameter(required.parameter([1])));`,
};

test('what is imported and what is required share their state and take each other’s tensors', async () => {
  write(everything(), both);
  const program = both['both.mjs'];
  expect(await run(everything(), 'both.mjs', program)).toEqual(['7 1 1', 'true true']);
});

test('the same holds in a bundle', async () => {
  write(everything(), both);
  for (const platform of ['browser', 'node'] as const) {
    const outfile = join(everything(), `both-${platform}.mjs`);
    await build({ entryPoints: [join(everything(), 'both.mjs')], outfile, bundle: true, format: 'esm', platform });
    expect((await command(process.execPath, [outfile])).trim().split('\n')).toEqual(['7 1 1', 'true true']);
  }
});

test('a copy that was loaded past the resolution of Node is refused', async () => {
  const { version } = manifest(join(everything(), 'node_modules/@nn/core'));
  const lines = await run(
    everything(),
    'apart.mjs',
    `import * as core from '@nn/core';
    import { cpu } from '@nn/backend-cpu';
    import { createRequire } from 'node:module';
    const apart = createRequire(import.meta.url)('./node_modules/@nn/core/dist/index.cjs');
    try {
      core.tensor([1]).add(apart.tensor([2]));
    } catch (error) {
      console.log(error.name, error.code, core.isNNError(error), apart.isNNError(error));
      console.log(JSON.stringify(error.data));
      console.log(error.message);
    }
    // the mode of one copy means nothing to the layers of the other
    console.log(apart.evaluate(() => apart.isTraining()));
    core.setDefaultBackend(cpu());
    for (const change of [() => apart.evaluate(() => 1), () => apart.setTraining(false)]) {
      try {
        change();
        console.log('silently ignored');
      } catch (error) {
        console.log(error.name, error.message.split(',')[0]);
      }
    }`,
  );
  expect(lines).toEqual([
    'DuplicateCoreError duplicate-core true true',
    JSON.stringify({ here: `${version}, ES module`, there: `${version}, CommonJS` }),
    `A tensor of another copy of @nn/core (${version}, CommonJS) came to this one (${version}, ES module): their graphs do not fit together. Install one version (npm ls @nn/core shows all, npm dedupe joins them) and load it in one way, by import or by require.`,
    'false',
    ...new Array(2).fill(`DuplicateCoreError setDefaultBackend was called in another copy of @nn/core (${version}`),
  ]);
});

test('two versions do not mix: each way to meet throws an error that names both', async () => {
  const folder = await project(['core', 'backend-cpu', 'layers', 'optim']);
  const here = manifest(join(folder, 'node_modules/@nn/core')).version;
  // As npm does when @nn/layers needs another version than the rest.
  const nested = join(folder, 'node_modules/@nn/layers/node_modules/@nn/core');
  cpSync(join(folder, 'node_modules/@nn/core'), nested, { recursive: true });
  for (const file of ['package.json', 'dist/index.js']) {
    const text = readFileSync(join(nested, file), 'utf8');
    writeFileSync(join(nested, file), text.replaceAll(`"${here}`, '"9.8.7'));
  }
  const lines = await run(
    folder,
    'two.mjs',
    `import { parameters, setDefaultBackend, tensor } from '@nn/core';
    import { cpu } from '@nn/backend-cpu';
    import { Linear } from '@nn/layers';
    import { SGD } from '@nn/optim';
    setDefaultBackend(cpu());
    const model = new Linear(2, 1);
    for (const meet of [
      () => model.forward(tensor([[1, 2]])),
      () => tensor([[1, 2]]).matmul(model.weight),
      () => parameters(model),
      () => new SGD(model),
      () => model.weight.array(),
    ]) {
      try {
        await meet();
        console.log('silently mixed');
      } catch ({ name, message }) {
        console.log(name, message.match(/[(]([^)]*, ES module)[)]/g).join(' '), message.split(' (')[0]);
      }
    }`,
  );
  const foreign = `DuplicateCoreError (9.8.7, ES module) (${here}, ES module) A tensor of another copy of @nn/core`;
  const backend = `DuplicateCoreError (${here}, ES module) (9.8.7, ES module) setDefaultBackend was called in another copy of @nn/core`;
  expect(lines).toEqual([foreign, foreign, foreign, foreign, backend]);
});
