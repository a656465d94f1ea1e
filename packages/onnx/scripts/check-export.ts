/**
 * Checks what the exporter writes with two readers that nobody here wrote: `onnx.checker` of Python (where it is installed) and
 * onnxruntime-web, whose outputs must be ours. By hand:
 * `node --conditions=@nn/source --import tsx packages/onnx/scripts/check-export.ts`; NN_ORT names the folder of onnxruntime-web.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { evaluate, isTensor, setDefaultBackend, setSeed, type Tensor, tensor, uniform } from '@nn/core';
import { encodeOnnx } from '../src/export/encode-onnx.ts';
import { networks } from '../src/testing/networks.ts';

setDefaultBackend(cpu());
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const place = process.env.NN_ORT ?? join(root, 'bench/node_modules/onnxruntime-web');
const folder = mkdtempSync(join(tmpdir(), 'nn-onnx-'));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Runtime {
  readonly InferenceSession: { create(bytes: Uint8Array): Promise<Session> };
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown;
  readonly env: { wasm: { numThreads: number }; logLevel: string };
}
interface Session {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { dims: readonly number[]; data: ArrayLike<number> }>>;
}

async function runtimeAt(path: string): Promise<Runtime | null> {
  if (!existsSync(path)) return null;
  const runtime = (await import(pathToFileURL(join(path, 'dist/ort.node.min.mjs')).href)) as Runtime;
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = 'error';
  return runtime;
}

function checked(path: string): string {
  const program = `import onnx, sys; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m, full_check=True); print('valid')`;
  try {
    return execFileSync('/usr/bin/python3', ['-c', program, path], { encoding: 'utf8' }).trim();
  } catch (error) {
    const words = String((error as { readonly stderr?: string }).stderr ?? error);
    return words.includes('No module named') ? 'no checker here' : `INVALID ${words.trim().split('\n').at(-1)}`;
  }
}

const runtime = await runtimeAt(place);
for (const opset of [17, 20]) {
  for (const { name, make, shape, others, options } of networks) {
    setSeed(3);
    const model = make();
    const bytes = await encodeOnnx(model, shape, { ...options, opset });
    const path = join(folder, 'model.onnx');
    writeFileSync(path, bytes);
    // onnx 1.12, Debian's, ends at opset 17
    const validity = opset > 17 ? 'opset past the checker' : checked(path);
    let largest = 0;
    const session = await runtime?.InferenceSession.create(bytes);
    for (const given of session === undefined ? [] : [shape, ...others]) {
      const count = given.reduce((product, size) => product * size, 1);
      const isWhole = options.dtype === 'int32';
      const x = isWhole
        ? tensor(
            Int32Array.from({ length: count }, (_, k) => (7 * k + 3) % 20),
            { shape: given },
          )
        : uniform(given, { low: -1, high: 1 });
      const made: unknown = evaluate(() => model.forward(x));
      const expected = isTensor(made) ? [made] : Object.values(made as Record<string, Tensor>);
      const feeds = { input: new runtime!.Tensor(isWhole ? 'int32' : 'float32', await x.data(), given) };
      const actual = await session!.run(feeds);
      for (const [k, output] of session!.outputNames.entries()) {
        const [a, b] = [actual[output]!.data, await expected[k]!.data()];
        if (actual[output]!.dims.join() !== expected[k]!.shape.join()) largest = Number.POSITIVE_INFINITY;
        for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
      }
    }
    print(
      `${name}, opset ${opset}: ${validity}; ${session === undefined ? 'no onnxruntime here' : `onnxruntime differs by ${largest.toExponential(1)}`}`,
    );
  }
}
rmSync(folder, { recursive: true });
