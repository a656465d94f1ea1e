/**
 * Eager debugging: remembers each operation with the user's line, computes what was made before anything that is asked
 * for runs, and names the first operation that made NaN or an infinity from finite numbers, or that was given an index
 * outside of what it chooses from. Since nothing has run by then, a step that is refused leaves parameters and counters
 * as they were. Owns no switch: that is `debug`.
 */
import type { TensorData } from './backend.ts';
import { captureStack, lineOf } from './caller.ts';
import { type Device, deviceFor } from './compile/device.ts';
import { resolve } from './compile/trace.ts';
import { ValueError } from './errors.ts';
import { Constant, type Node, Scalar } from './graph/node.ts';
import { currentRecorder } from './graph/recorder.ts';
import { addTo } from './lists.ts';
import { show } from './shape.ts';

/** The most nodes of one program, each stored: a kernel each. */
const mostAtOnce = 128;

/** Where a node comes from: the user's line, and the operation whose gradient it is a part of. */
interface Origin {
  readonly line: string;
  readonly gradientOf: Node | null;
}

/** What the first operation did whose result is not finite though its inputs are. */
interface Finding {
  readonly node: Node;
  readonly value: number;
  readonly position: number;
}

/** Indices to look at once they are computed. */
interface IndexCheck {
  readonly index: Node;
  readonly check: (values: TensorData) => Error | null;
  readonly line: string;
}

const origins = new WeakMap<Node, Origin>();
/** For nodes that are not finite: where that started. */
const findings = new WeakMap<Node, Finding>();
/** Nodes that were checked. */
const checked = new WeakSet<Node>();
let made: Node[] = [];
let indices: IndexCheck[] = [];
/** What was found wrong with indices and not yet said: whoever asks next hears it, once. */
let wrongIndex: Error | null = null;
let gradientOf: Node | null = null;
/** The inspection under way; what is asked for behind one that found something fails with it. */
let tail: Promise<void> | null = null;
let isScheduled = false;

/** Takes note of a node that was made. */
export function remember(node: Node): void {
  if (currentRecorder()?.isReplayed === true || node.shape.includes(0)) return;
  origins.set(node, { line: lineOf(captureStack()), gradientOf });
  if (node.primitive.kind === 'transparent' || node.primitive.kind === 'loop') return;
  made.push(node);
  schedule();
}

/** Takes note of indices whose values `check` wants to see. */
export function rememberIndices(index: Node, check: (values: TensorData) => Error | null): void {
  if (currentRecorder()?.isReplayed === true || index.shape.includes(0)) return;
  indices.push({ index, check, line: lineOf(captureStack()) });
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  // values show in a console after the next await, asked for or not; what is found waits for who asks
  queueMicrotask(() => {
    isScheduled = false;
    inspect([]).catch(() => undefined);
  });
}

/** Runs a gradient rule whose nodes belong to `of`. */
export function rememberGradient<T>(of: Node, rule: () => T): T {
  const outer = gradientOf;
  gradientOf = of;
  try {
    return rule();
  } finally {
    gradientOf = outer;
  }
}

/** Forgets what was made and not yet computed. */
export function forget(): void {
  made = [];
  indices = [];
  wrongIndex = null;
}

/**
 * Computes and checks everything made so far. Rejects when an index was outside, when a value of `roots` is not finite
 * and it is known where that started, or when one of the nodes before them is NaN.
 */
export function inspect(roots: readonly Node[]): Promise<void> {
  const nodes = made;
  const checks = indices;
  made = [];
  indices = [];
  const before = tail ?? Promise.resolve();
  const mine: Promise<void> = before
    .then(async () => {
      for (let first = 0; first < nodes.length; first += mostAtOnce) {
        await check(nodes.slice(first, first + mostAtOnce));
      }
      for (const check of checks) wrongIndex ??= await errorOfIndex(check);
      if (roots.length === 0) return;
      if (wrongIndex !== null) {
        const error = wrongIndex;
        wrongIndex = null;
        throw error;
      }
      const startedHere = nodes.find((node) => findings.get(node)?.node === node && isNaNAt(node));
      const found = roots.map((root) => findings.get(resolve(root))).find((finding) => finding !== undefined);
      const finding = found ?? (startedHere && findings.get(startedHere));
      if (finding !== undefined) throw errorOf(finding);
    })
    .finally(() => {
      if (tail === mine) tail = null;
    });
  tail = mine;
  return mine;
}

function isNaNAt(node: Node): boolean {
  return Number.isNaN(findings.get(node)?.value);
}

/** Computes nodes, in the order in which they were made, and notes which are not finite. */
async function check(nodes: readonly Node[]): Promise<void> {
  const byDevice = new Map<Device, Node[]>();
  for (const node of nodes) addTo(byDevice, deviceFor(node), node);
  await Promise.all(
    [...byDevice].map(async ([device, list]) => {
      const values = await device.compute(list);
      for (const [k, node] of list.entries()) await note(node, values[k]!);
    }),
  );
}

async function note(node: Node, data: TensorData): Promise<void> {
  checked.add(node);
  const position = firstNotFinite(data);
  if (position < 0) return;
  for (const input of node.inputs) {
    const source = resolve(input);
    const inherited = findings.get(source);
    if (inherited !== undefined) {
      findings.set(node, inherited);
      return;
    }
    if (!(await hasFiniteValues(source))) return;
  }
  findings.set(node, { node, value: data[position]!, position });
}

/** Whether a node without a finding is finite. */
async function hasFiniteValues(node: Node): Promise<boolean> {
  const { primitive, attributes, storage } = node;
  if (primitive === Constant || primitive === Scalar) return Number.isFinite(attributes);
  if (checked.has(node) || storage === null) return true;
  return firstNotFinite(await deviceFor(node).fetch(storage)) < 0;
}

/** What is wrong with indices, with the user's line, or null. */
async function errorOfIndex({ index, check, line }: IndexCheck): Promise<Error | null> {
  const source = resolve(index);
  const device = deviceFor(source);
  const values = source.storage === null ? (await device.compute([source]))[0]! : await device.fetch(source.storage);
  const error = check(values);
  if (error !== null) error.message = `${error.message.replace(/\.$/, '')}${line}.`;
  return error;
}

function firstNotFinite(data: TensorData): number {
  return data instanceof Float32Array ? data.findIndex((value) => !Number.isFinite(value)) : -1;
}

function errorOf({ node, value, position }: Finding): ValueError {
  const indices: number[] = [];
  let rest = position;
  for (const size of node.shape.toReversed()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const { line, gradientOf: source } = origins.get(node) ?? { line: '', gradientOf: null };
  const operation = node.primitive.name;
  const sourceLine = source === null ? '' : (origins.get(source)?.line ?? '');
  const where = source === null ? line : `, in the gradient of ${source.primitive.name}${sourceLine}`;
  return new ValueError(
    '/not-finite',
    `${operation} made ${value} at ${show(indices)} from finite numbers, in ${show(node.shape)}${where}.`,
    { operation: source?.primitive.name ?? operation, value, position: indices },
  );
}
