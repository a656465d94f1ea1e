/**
 * Runs models that others wrote, with the outputs that they should give, and prints a table: passed, failed, refused by
 * reason. By hand: `node --conditions=@nn/source --import tsx packages/onnx/scripts/fixtures.ts [FOLDER] [NAME]`, where FOLDER
 * holds the collections (node, simple, pytorch-operator, light; burn and example-models need onnxruntime-web as oracle, which
 * `npm run bench` installs; NN_ORT names its folder). What that refuses is asked of NumPy (`reference.py`, Debian's python3-onnx).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { isTensor, setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { type ElementType, elementTypeOf, isFloat } from '../src/format/element-types.ts';
import { type GraphMessage, readModel, readTensor, type ValueMessage } from '../src/format/model.ts';
import { decodeTensor } from '../src/format/tensors.ts';
import { loadOnnx } from '../src/load/load-onnx.ts';
import type { OnnxInput, OnnxModel, OnnxOutput } from '../src/onnx-model.ts';
import { MessageReader } from '../src/protobuf/reader.ts';
import { HostTensor, type MaybeValue, sizeOf } from '../src/values/value.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const folder = process.argv[2] ?? resolve(root, '../shared/fixtures/onnx');
const only = process.argv[3] ?? '';
setDefaultBackend(cpu());

type Verdict = { readonly kind: 'passed' | 'failed' | 'refused' | 'skipped'; readonly why: string };

/** What a `.pb` file beside a test holds: a tensor, a sequence of them, or an optional one. */
function readValue(bytes: Uint8Array, kind: ValueMessage['type']['kind']): MaybeValue {
  const reader = new MessageReader(bytes, 'a value');
  if (kind === 'sequence') {
    const items: MaybeValue[] = [];
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 3) items.push(decodeTensor(readTensor(reader.message('a tensor'))));
      else reader.skip();
    }
    return { kind: 'sequence', items: items.filter((item) => item !== null) };
  }
  if (kind === 'optional') {
    let value: MaybeValue = null;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 3) value = decodeTensor(readTensor(reader.message('a tensor')));
      else if (field === 5) value = readValue(reader.bytes(), 'sequence');
      else reader.skip();
    }
    return value;
  }
  return decodeTensor(readTensor(reader));
}

/** Float inputs as tensors, whole ones as numbers that the graph may look at. */
function given(value: MaybeValue): OnnxInput {
  if (value === null) throw new Error('an empty optional as input');
  if (value.kind === 'sequence') return value.items.map((item) => given(item) as Tensor);
  if (value.kind === 'text') throw new Error('texts as input');
  return value.tensor;
}

async function differs(actual: OnnxOutput, expected: MaybeValue, tolerance: number): Promise<string | null> {
  if (expected?.kind === 'sequence' && Array.isArray(actual)) {
    if (actual.length !== expected.items.length) return `${actual.length} items in place of ${expected.items.length}`;
    for (const [k, item] of expected.items.entries()) {
      const found = await differs(actual[k] as OnnxOutput, item, tolerance);
      if (found !== null) return found;
    }
    return null;
  }
  if (expected === null) return actual === null ? null : 'a value in place of nothing';
  if (!isTensor(actual)) return 'no tensor';
  if (expected.kind !== 'host') return 'another kind';
  if (actual.shape.join() !== expected.shape.join()) return `shape [${actual.shape}] in place of [${expected.shape}]`;
  const data = await actual.data();
  for (let i = 0; i < data.length; i++) {
    // doubles are float32 here
    const [a, b] = [data[i]!, Math.fround(expected.data[i]!)];
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    if (a === b) continue;
    if (!(Math.abs(a - b) <= 1e-7 + tolerance * Math.abs(b))) return `element ${i}: ${a} in place of ${b}`;
  }
  return null;
}

async function judge(run: () => Promise<string | null>): Promise<Verdict> {
  try {
    const why = await run();
    return { kind: why === null ? 'passed' : 'failed', why: why ?? '' };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    if (/not supported|texts as input|empty optional as input|which no tensor holds|are not read/.test(words))
      return { kind: 'refused', why: words };
    return { kind: 'failed', why: process.env.NN_STACK && error instanceof Error ? (error.stack ?? '') : words };
  }
}

const pb = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

async function testWithData(path: string, tolerance: number): Promise<string | null> {
  setSeed(1);
  const { graph } = readModel(pb(join(path, 'model.onnx')));
  const model = await loadOnnx(join(path, 'model.onnx'));
  const data = join(path, 'test_data_set_0');
  const inputs: Record<string, OnnxInput> = {};
  model.inputs.forEach(({ name, kind }, k) => {
    const file = join(data, `input_${k}.pb`);
    if (!existsSync(file)) return;
    const value = readValue(pb(file), kind);
    if (value !== null) inputs[name] = given(value);
  });
  const outputs = await model.run(inputs);
  const isRandom =
    /dropout_(default_mask|random|mask|default|random_old)$|training_dropout(_default)?(_mask)?$|bernoulli/.test(path);
  for (const [k, { name, type }] of (graph?.outputs ?? []).entries()) {
    const file = join(data, `output_${k}.pb`);
    if (!existsSync(file) || (isRandom && /bernoulli|training/.test(path))) continue;
    const why = await differs(outputs[name] ?? null, readValue(pb(file), type.kind), tolerance);
    if (why !== null) return `output ${name}: ${why}`;
  }
  return null;
}

const plain = new Set<ElementType | undefined>(['float32', 'int64', 'int32', 'bool']);

/** Whether a model is of the types that the library computes in. */
function isPlain(graph: GraphMessage | null, domains: Iterable<string>): boolean {
  const values = [...(graph?.inputs ?? []), ...(graph?.outputs ?? [])];
  return (
    values.every(({ type }) => plain.has(elementTypeOf(type.elementType))) &&
    [...domains].every((domain) => domain === '')
  );
}

function* models(path: string): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) yield* models(inner);
    else if (entry.name.endsWith('.onnx')) yield inner;
  }
}

/** Inputs for a model that came without: small numbers, sizes of 2 where free. */
function madeUp(model: OnnxModel): Map<string, HostTensor> {
  let seed = 7;
  const next = (): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  return new Map(
    model.inputs.map(({ name, type, shape }) => {
      const sizes = (shape ?? [2, 3]).map((size) => (typeof size === 'number' ? size : 2));
      const known = type === 'unknown' ? 'float32' : type;
      const value = (): number =>
        isFloat(known) ? next() * 2 - 0.5 : known === 'bool' ? Math.round(next()) : Math.floor(next() * 2) + 0;
      const data = known === 'float32' ? new Float32Array(sizeOf(sizes)) : new Float64Array(sizeOf(sizes));
      return [name, new HostTensor(known, sizes, data.map(value))];
    }),
  );
}

interface Runtime {
  readonly InferenceSession: { create(bytes: Uint8Array, options: unknown): Promise<Session> };
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown;
  readonly env: { wasm: { numThreads: number }; logLevel: string };
}
interface Session {
  readonly outputNames: readonly string[];
  run(
    feeds: Record<string, unknown>,
  ): Promise<Record<string, { type: string; dims: number[]; data: ArrayLike<number | bigint> }>>;
}

async function oracle(): Promise<Runtime | null> {
  const place = process.env.NN_ORT ?? join(root, 'bench/node_modules/onnxruntime-web');
  if (!existsSync(place)) return null;
  const { exports } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as {
    exports: Record<string, { node?: { import?: string } }>;
  };
  const entry = exports['.']?.node?.import ?? './dist/ort.node.min.mjs';
  const runtime = (await import(pathToFileURL(join(place, entry)).href)) as Runtime;
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = 'fatal';
  return runtime;
}

function forRuntime(runtime: Runtime, { type, shape, data }: HostTensor): unknown {
  if (type === 'int64')
    return new runtime.Tensor(
      'int64',
      BigInt64Array.from(data, (value) => BigInt(value)),
      shape,
    );
  if (type === 'bool') return new runtime.Tensor('bool', Uint8Array.from(data), shape);
  if (type === 'float64') return new runtime.Tensor('float64', Float64Array.from(data), shape);
  const arrays: Record<string, { from(values: ArrayLike<number>): unknown }> = {
    float32: Float32Array,
    int32: Int32Array,
    uint8: Uint8Array,
    int8: Int8Array,
    uint32: Uint32Array,
    uint16: Uint16Array,
    int16: Int16Array,
  };
  return new runtime.Tensor(type, arrays[type]!.from(data), shape);
}

async function againstRuntime(runtime: Runtime, path: string): Promise<string | null> {
  const bytes = pb(path);
  const model = await loadOnnx(path);
  const inputs = madeUp(model);
  const expected = await byRuntime(runtime, path, bytes, inputs).catch((error: unknown) =>
    byNumPy(path, inputs, error),
  );
  const outputs = await model.run(Object.fromEntries([...inputs].map(([name, value]) => [name, value.tensor])));
  for (const [name, wanted] of expected) {
    if (/random|bernoulli/.test(path)) continue;
    const why = await differs(outputs[name] ?? null, wanted, 1e-3);
    if (why !== null) return `output ${name}: ${why}`;
  }
  return null;
}

type Outputs = ReadonlyMap<string, HostTensor>;

async function byRuntime(
  runtime: Runtime,
  path: string,
  bytes: Uint8Array,
  inputs: ReadonlyMap<string, HostTensor>,
): Promise<Outputs> {
  const beside = readdirSync(dirname(path), { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.onnx'))
    .map(({ name }) => name);
  const externalData = beside.map((name) => ({ path: name, data: pb(join(dirname(path), name)) }));
  const session = await runtime.InferenceSession.create(bytes, { externalData });
  const expected = await session.run(
    Object.fromEntries([...inputs].map(([name, value]) => [name, forRuntime(runtime, value)])),
  );
  return new Map(
    session.outputNames.map((name) => {
      const { dims, data, type } = expected[name]!;
      return [name, new HostTensor(type as ElementType, dims, Float64Array.from(data as ArrayLike<number>, Number))];
    }),
  );
}

/** Debian's Python and `reference.py`, for what onnxruntime refuses. */
function byNumPy(path: string, inputs: ReadonlyMap<string, HostTensor>, refusal: unknown): Outputs {
  const request = {
    model: path,
    inputs: Object.fromEntries(
      [...inputs].map(([name, { type, shape, data }]) => [name, { type, shape, data: [...data] }]),
    ),
  };
  const script = join(dirname(fileURLToPath(import.meta.url)), 'reference.py');
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', [script], {
    input: JSON.stringify(request),
    encoding: 'utf8',
  });
  if (status !== 0) {
    const reason = stderr.trim().split('\n').at(-1);
    throw new Skip(`onnxruntime cannot run it: ${String(refusal).slice(0, 200)}; ${reason}`);
  }
  const outputs: Record<string, { shape: number[]; data: number[] }> = JSON.parse(stdout);
  return new Map(
    Object.entries(outputs).map(([name, { shape, data }]) => [
      name,
      new HostTensor('float64', shape, Float64Array.from(data)),
    ]),
  );
}

class Skip extends Error {}

const table: string[][] = [['collection', 'tests', 'passed', 'failed', 'refused', 'no oracle']];
const reasons: string[] = [];

async function collection(
  name: string,
  tests: readonly { readonly path: string; readonly run: () => Promise<string | null> }[],
): Promise<void> {
  const counts = { passed: 0, failed: 0, refused: 0, skipped: 0 };
  for (const { path, run } of tests) {
    const verdict = await judge(async () => {
      try {
        return await run();
      } catch (error) {
        if (error instanceof Skip) throw new Error(`SKIP ${error.message}`);
        throw error;
      }
    });
    const kind = verdict.why.startsWith('SKIP') ? 'skipped' : verdict.kind;
    counts[kind]++;
    if (kind !== 'passed')
      reasons.push(
        `${name} ${kind} ${relative(folder, path)}: ${verdict.why.slice(0, process.env.NN_STACK ? 3000 : 300)}`,
      );
  }
  table.push([name, ...[tests.length, counts.passed, counts.failed, counts.refused, counts.skipped].map(String)]);
}

if (existsSync(join(folder, 'node'))) {
  const all = readdirSync(join(folder, 'node'))
    .map((name) => join(folder, 'node', name))
    .filter((path) => path.includes(only));
  const isOf = (path: string): boolean => {
    const { graph, opsets } = readModel(pb(join(path, 'model.onnx')));
    return isPlain(graph, opsets.keys());
  };
  const run = (path: string) => ({ path, run: () => testWithData(path, 1e-3) });
  await collection('node, plain types', all.filter(isOf).map(run));
  await collection('node, other types', all.filter((path) => !isOf(path)).map(run));
}
for (const name of ['pytorch-operator', 'simple']) {
  if (!existsSync(join(folder, name))) continue;
  const paths = readdirSync(join(folder, name))
    .map((test) => join(folder, name, test))
    .filter((path) => path.includes(only));
  await collection(
    name,
    paths.map((path) => ({ path, run: () => testWithData(path, 1e-3) })),
  );
}
if (existsSync(join(folder, 'light'))) {
  const paths = [...models(join(folder, 'light'))].filter((path) => path.includes(only));
  await collection(
    'light',
    paths.map((path) => ({
      path,
      run: async () => {
        const model = await loadOnnx(path);
        const inputs: Record<string, OnnxInput> = {};
        for (const { name, shape } of model.inputs) {
          // the outputs beside these models are for inputs of ones
          const sizes = (shape ?? []).map((size) => (typeof size === 'number' ? size : 1));
          inputs[name] = new HostTensor('float32', sizes, new Float32Array(sizeOf(sizes)).fill(1)).tensor;
        }
        const outputs = Object.values(await model.run(inputs));
        const file = path.replace(/\.onnx$/, '_output_0.pb');
        if (!existsSync(file)) return null;
        return differs(outputs[0] ?? null, readValue(pb(file), 'tensor'), 2e-3);
      },
    })),
  );
}
const runtime = await oracle();
for (const name of ['burn', 'example-models']) {
  if (!existsSync(join(folder, name)) || runtime === null) continue;
  const paths = [...models(join(folder, name))].filter((path) => path.includes(only));
  await collection(
    name,
    paths.map((path) => ({ path, run: () => againstRuntime(runtime, path) })),
  );
}
const print = (line: string): void => void process.stdout.write(`${line}\n`);
for (const reason of reasons) print(reason);
const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
for (const line of table)
  print(line.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join('  '));
