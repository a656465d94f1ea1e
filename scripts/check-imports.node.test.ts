import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findViolations } from './check-imports.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nn-imports-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function violations(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return findViolations(root);
}

test('imports downwards and sideways are right', () => {
  expect(
    violations({
      'packages/core/src/graph/node.ts': "import type { DType } from '../backend.ts';\nimport { x } from './print.ts';",
      'packages/core/src/tensor.ts': "import { add } from './ops/arithmetic.ts';\nimport { y } from './parameter.ts';",
      'packages/core/src/index.ts': "export { realize } from './compile/realize.ts';",
      'packages/layers/src/linear.ts': "import { Tensor } from '@nn/core';",
      'packages/backend-gpu/src/backend.ts': "const { GPU } = await import('gpu.js');",
      'packages/data/src/idx.test.ts': "import fixture from '../fixtures/idx.json';",
      'packages/conformance/src/vitest.ts': "import { test } from 'vitest';",
      'apps/demo/src/main.ts': "import { cpu } from '@nn/backend-cpu';\nimport { readFile } from 'node:fs/promises';",
    }),
  ).toEqual([]);
});

test('a lower layer of core may not know a higher one, not even its types', () => {
  expect(violations({ 'packages/core/src/graph/node.ts': "import type { Plan } from '../compile/plan.ts';" })).toEqual([
    'packages/core/src/graph/node.ts imports ../compile/plan.ts: the layer "graph" is below "compile" and may not know it.',
  ]);
});

test('in the CPU backend arrows go down: kernels know the emitter of loops, which does not know them', () => {
  expect(
    violations({
      'packages/backend-cpu/src/wasm/kernels/scan.ts': "import { emitNest } from '../loops/emit.ts';",
      'packages/backend-cpu/src/wasm/index.ts': "import { createCpu } from '../backend.ts';",
      'packages/backend-cpu/src/wasm/loops/emit.ts': "import type { Scan } from '../kernels/scan.ts';",
      'packages/backend-cpu/src/host/kernels.ts': "import { hinted } from '../algorithms/hinted.ts';",
    }),
  ).toEqual([
    'packages/backend-cpu/src/host/kernels.ts imports ../algorithms/hinted.ts: the layer "host" is below "algorithms" and may not know it.',
    'packages/backend-cpu/src/wasm/loops/emit.ts imports ../kernels/scan.ts: the layer "loops" is below "kernels" and may not know it.',
    'packages/backend-cpu/src/wasm/kernels/scan.ts imports packages/backend-cpu/src/wasm/loops/emit.ts imports packages/backend-cpu/src/wasm/kernels/scan.ts: a circle.',
  ]);
});

test('a circle within a layer is named with the way around it', () => {
  const home = 'packages/backend-cpu/src/nest';
  expect(
    violations({
      [`${home}/a.ts`]: "import { b } from './b.ts';",
      [`${home}/b.ts`]: "import type { C } from './c.ts';",
      [`${home}/c.ts`]: "import { a } from './a.ts';",
    }),
  ).toEqual([`${home}/a.ts imports ${home}/b.ts imports ${home}/c.ts imports ${home}/a.ts: a circle.`]);
});

test('the contract imports nothing', () => {
  expect(violations({ 'packages/core/src/backend.ts': "export type { Shape } from './shape.ts';" })).toEqual([
    'packages/core/src/backend.ts imports ./shape.ts: the contract imports nothing.',
  ]);
});

test('no source of a package imports a backend, but its tests may', () => {
  const text = "import { cpu } from '@nn/backend-cpu';";
  expect(violations({ 'packages/layers/src/linear.ts': text, 'packages/layers/src/linear.test.ts': text })).toEqual([
    'packages/layers/src/linear.ts imports @nn/backend-cpu: packages/layers/src/ may import @nn/core.',
  ]);
});

test('gpu.js is known only in backend-gpu, also where the import is dynamic', () => {
  expect(violations({ 'packages/backend-cpu/src/backend.ts': "const gpu = await import('gpu.js');" })).toEqual([
    'packages/backend-cpu/src/backend.ts imports gpu.js: packages/backend-cpu/src/ may import @nn/core.',
  ]);
});

test('nobody reaches into another package, tests included', () => {
  expect(
    violations({
      'packages/optim/src/adam.test.ts': "import { x } from '../../core/src/tensor.ts';",
      'apps/demo/src/main.ts': "import { x } from '@nn/core/src/tensor.ts';",
    }),
  ).toEqual([
    'packages/optim/src/adam.test.ts imports ../../core/src/tensor.ts: a relative path may not leave the sources of its package; use the package name.',
    'apps/demo/src/main.ts imports @nn/core/src/tensor.ts: import only public names, not paths inside a package.',
  ]);
});

test('a node module in a package that browsers load is refused', () => {
  expect(violations({ 'packages/serialize/src/file.ts': "import { open } from 'node:fs/promises';" })).toHaveLength(1);
});

test('an import in a comment or in a string is not one', () => {
  const text =
    "/** @example\n * import { cpu } from '@nn/backend-cpu';\n */\nexport const s = `import { x } from 'gpu.js'`;";
  expect(violations({ 'packages/core/src/create.ts': text })).toEqual([]);
});
