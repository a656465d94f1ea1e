/**
 * An imported network as a layer. Owns the checks of inputs, the names of inputs, outputs and parameters, and its table; the
 * graph is run by run/interpreter.ts.
 */
import {
  DTypeError,
  evaluate,
  isTensor,
  isTraining,
  type NestedNumbers,
  noGradient,
  type Parameter,
  ShapeError,
  type Tensor,
  tensor,
  treeChildren,
  ValueError,
  zeros,
} from '@nn/core';
import { dtypeOf, type ElementType, elementTypeOf, isFloat } from './format/element-types.ts';
import type { Dimension, GraphMessage, ModelMessage, TypeMessage, ValueMessage } from './format/model.ts';
import type { Steps } from './run/call.ts';
import type { ReadyModel } from './run/graph.ts';
import { Inference, withoutGradients } from './run/inference.ts';
import { type Listener, runGraph, runNow, runWaiting, Scope } from './run/interpreter.ts';
import { DeviceTensor, hostTensor, type MaybeValue, type Value } from './values/value.ts';

/** An input or output of a graph. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly kind: 'tensor' | 'sequence' | 'optional' | 'map' | 'sparse' | 'unknown';
  readonly type: ElementType | 'unknown';
  /** Sizes: a number, the name of one that is free, or null where nothing is said. Null where not even the rank is known. */
  readonly shape: readonly Dimension[] | null;
}

/** A tensor, numbers of it (whole ones are known to the graph at once), or for a sequence a list of tensors. */
export type OnnxInput = Tensor | NestedNumbers | BigInt64Array | readonly Tensor[];

/** A tensor, texts, a sequence, or null for an empty optional. */
export type OnnxOutput = Tensor | OnnxTexts | readonly OnnxOutput[] | null;

export interface OnnxTexts {
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

export type OnnxInputs = Readonly<Record<string, OnnxInput>>;

export interface OnnxRunOptions {
  /** Whether the outputs lead back to the parameters and inputs, for fine-tuning. False by default. */
  readonly gradients?: boolean;
}

/** A row of the table of a graph. */
export interface OnnxRow {
  readonly operator: string;
  readonly name: string;
  readonly outputShape: readonly number[] | null;
  /** Numbers in parameters that this node is the first to read. */
  readonly parameters: number;
}

/** What an imported model is made of. Internal: `loadOnnx` makes it. */
export interface OnnxParts {
  readonly message: ModelMessage;
  readonly graph: GraphMessage;
  readonly ready: ReadyModel;
  readonly scope: Scope;
  readonly parameters: ReadonlyMap<string, Parameter>;
}

/**
 * A network read from an ONNX file: a layer that is run, trained and saved as one written here. `forward` builds the graph and
 * computes when its result is read; `run` also waits where shapes depend on values.
 */
export class OnnxModel {
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** Versions of the operator sets, by domain; ONNX's own is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly producer: string;
  /**
   * Whether statistics of batches and dropout follow `setTraining`, as in layers written here, for fine-tuning. False by
   * default: the network answers as its file says.
   */
  trains = false;
  readonly #parts: OnnxParts;
  readonly #inference: Inference;

  constructor(parts: OnnxParts) {
    this.#parts = parts;
    const { message, graph } = parts;
    const given = new Set(graph.initializers.map(({ name }) => name));
    // before IR 4 every weight is also listed as an input
    this.inputs = graph.inputs.filter(({ name }) => !given.has(name)).map(infoOf);
    this.outputs = graph.outputs.map(infoOf);
    this.opsets = message.opsets;
    this.metadata = message.metadata;
    this.producer = `${message.producer} ${message.producerVersion}`.trim();
    this.#inference = new Inference((inputs) => this.#steps(inputs, null));
    Object.defineProperty(this, treeChildren, { value: () => Object.fromEntries(parts.parameters) });
  }

  /**
   * The output for inputs in the order of the file. Throws ShapeError and DTypeError for inputs that do not fit, and ValueError
   * where the graph has several outputs (`call`), or needs numbers that only the device knows (`run`).
   */
  forward(...inputs: readonly OnnxInput[]): Tensor {
    const { graph } = this.#parts;
    if (graph.outputs.length !== 1) {
      throw new ValueError(
        'OnnxModel/outputs',
        `the model has ${graph.outputs.length} outputs (${graph.outputs.map(({ name }) => name).join(', ')}): model.call({ name: tensor }) gives them by name.`,
      );
    }
    if (inputs.length > this.inputs.length) {
      throw new ValueError(
        'OnnxModel/inputs',
        `the model takes ${this.inputs.length} inputs, ${inputs.length} were given.`,
      );
    }
    const named = Object.fromEntries(inputs.map((value, k) => [this.inputs[k]?.name ?? '', value]));
    const output = outputOf(runNow(this.#steps(named, null))[0] ?? null);
    if (isTensor(output)) return output;
    throw new ValueError('OnnxModel/outputs', 'the output of the model is no tensor: model.call(inputs) gives it.');
  }

  /** All outputs by name, for inputs by name. Computes when they are read. */
  call(inputs: OnnxInputs): Record<string, OnnxOutput> {
    return this.#named(runNow(this.#steps(inputs, null)));
  }

  /**
   * All outputs by name, computed: the answer of the network, in evaluation mode and without gradients. The fastest way, for from
   * the third call with the same types and shapes on the graph is not built again; and the one way for graphs whose shapes depend on
   * values (NonZero, loops until a condition), which waits for those. With `gradients` the outputs lead back to the parameters.
   *
   * @example
   * import { type Tensor, tensor } from '@nn/core';
   * import { Linear } from '@nn/layers';
   * import { encodeOnnx, loadOnnx } from '@nn/onnx';
   * const model = await loadOnnx(await encodeOnnx(new Linear(3, 2), [1, 3]));
   * const { output } = await model.run({ input: tensor([[1, 2, 3]]) });
   * console.log((output as Tensor).shape); // => [1, 2]
   */
  async run(inputs: OnnxInputs, { gradients = false }: OnnxRunOptions = {}): Promise<Record<string, OnnxOutput>> {
    if (gradients) return this.#named(await runWaiting(this.#steps(inputs, null)));
    const tensors = this.#tensorsOf(inputs);
    const found = tensors === null ? null : this.#inference.run(tensors);
    const outputs = found instanceof Promise ? await found : found;
    if (outputs !== null) return Object.fromEntries(this.outputs.map(({ name }, k) => [name, outputs[k] ?? null]));
    return this.#named(await runWaiting(this.#steps(inputs, null), withoutGradients));
  }

  /** One row a node, for zeros of the given shapes; free sizes are 1 where nothing is given. */
  summary(shapes: Readonly<Record<string, readonly number[]>> = {}): OnnxSummary {
    const rows: OnnxRow[] = [];
    const seen = new Set<Parameter>();
    const { parameters } = this.#parts;
    const inputs = Object.fromEntries(
      this.inputs.map(({ name, type, shape }) => {
        const sizes = shapes[name] ?? (shape ?? []).map((size) => (typeof size === 'number' ? size : 1));
        return [name, zeros(sizes, { dtype: (type === 'unknown' ? null : dtypeOf(type)) ?? 'float32' })];
      }),
    );
    const listener: Listener = ({ message }, results) => {
      let count = 0;
      for (const name of message.inputs) {
        const found = parameters.get(name);
        if (found === undefined || seen.has(found)) continue;
        seen.add(found);
        count += found.size;
      }
      const [first] = results;
      const outputShape = first === null || first === undefined || first.kind === 'sequence' ? null : first.shape;
      rows.push({
        operator: message.operator,
        name: message.name || (message.outputs[0] ?? ''),
        outputShape,
        parameters: count,
      });
    };
    evaluate(() => noGradient(() => runNow(this.#steps(inputs, listener))));
    return new OnnxSummary(rows);
  }

  toString(): string {
    const names = (list: readonly OnnxValueInfo[]): string => list.map(({ name }) => name).join(', ');
    return `OnnxModel(${names(this.inputs)} -> ${names(this.outputs)})`;
  }

  #named(values: readonly MaybeValue[]): Record<string, OnnxOutput> {
    return Object.fromEntries(this.outputs.map(({ name }, k) => [name, outputOf(values[k] ?? null)]));
  }

  /** The inputs as tensors, or null where one is a list, nothing, or past what a tensor holds. */
  #tensorsOf(inputs: OnnxInputs): Record<string, Tensor> | null {
    const tensors: Record<string, Tensor> = {};
    for (const [name, given] of Object.entries(inputs)) {
      const info = this.inputs.find((input) => input.name === name);
      if (info === undefined || !['tensor', 'unknown'].includes(info.kind)) return null;
      const value = isTensor(given) ? null : tensorOf(info, given);
      if (value?.kind === 'sequence' || value?.kind === 'text') return null;
      if (value?.kind === 'host' && value.data.some((number) => number !== (number | 0))) return null;
      tensors[name] = value === null ? (given as Tensor) : value.tensor;
    }
    return tensors;
  }

  #steps(inputs: OnnxInputs, listener: Listener | null): Steps<MaybeValue[]> {
    const { ready, graph, scope: constants } = this.#parts;
    const unknown = Object.keys(inputs).find((name) => !this.inputs.some((input) => input.name === name));
    if (unknown !== undefined) {
      throw new ValueError(
        'OnnxModel/inputs',
        `there is no input '${unknown}': the model takes ${this.inputs.map(({ name }) => name).join(', ') || 'none'}.`,
      );
    }
    const scope = new Scope(constants);
    for (const [name, value] of constants.values) scope.values.set(name, value);
    const sizes = new Map<string, number>();
    for (const info of this.inputs) {
      const given = inputs[info.name];
      if (given === undefined) {
        if (info.kind === 'optional') scope.values.set(info.name, null);
        else throw new ValueError('OnnxModel/inputs', `the input '${info.name}' is missing: ${describe(info)}.`);
      } else scope.values.set(info.name, inputOf(info, given, sizes));
    }
    return runGraph({ ready, listener, trains: this.trains && isTraining() }, ready.get(graph), scope);
  }
}

/** The table of a graph. */
export class OnnxSummary {
  readonly rows: readonly OnnxRow[];
  readonly parameters: number;

  constructor(rows: readonly OnnxRow[]) {
    this.rows = rows;
    this.parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  }

  /** The table as text. */
  toString(): string {
    const lines = [
      ['node', 'output', 'parameters'],
      ...this.rows.map(({ operator, name, outputShape, parameters }) => [
        `${name}: ${operator}`,
        outputShape === null ? '' : `[${outputShape.join(', ')}]`,
        String(parameters),
      ]),
      ['total', '', String(this.parameters)],
    ];
    return table(lines);
  }
}

/** Lines of cells, the last column to the right. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, k) => (k === line.length - 1 ? cell.padStart(widths[k] ?? 0) : cell.padEnd(widths[k] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function infoOf({ name, type }: ValueMessage): OnnxValueInfo {
  return { name, kind: type.kind, type: elementTypeOf(type.elementType) ?? 'unknown', shape: shapeOf(type) };
}

/** Sizes below 0 are old writers' way to say nothing. */
function shapeOf({ shape }: TypeMessage): readonly Dimension[] | null {
  return shape?.map((size) => (typeof size === 'number' && size < 0 ? null : size)) ?? null;
}

/** `float32 [batch, 3, 224, 224]` */
export function describe({ kind, type, shape }: OnnxValueInfo): string {
  const inner = `${type}${shape === null ? '' : ` [${shape.map((size) => size ?? '?').join(', ')}]`}`;
  return kind === 'tensor' || kind === 'unknown' ? inner : `${kind} of ${inner}`;
}

/** A value of the user as one of the graph; `sizes` are those that free names stand for in this call. */
function inputOf(info: OnnxValueInfo, given: OnnxInput, sizes: Map<string, number>): Value {
  const isList = Array.isArray(given) && given.length > 0 && given.every((item) => isTensor(item));
  if (info.kind === 'sequence' || (info.kind === 'optional' && isList)) {
    const items: readonly Tensor[] = isList ? given : [];
    return { kind: 'sequence', items: items.map((item) => tensorOf(info, item)) };
  }
  const value = tensorOf(info, given);
  if (value.kind !== 'sequence') checkShape(info, value.shape, sizes);
  return value;
}

function tensorOf(info: OnnxValueInfo, given: OnnxInput): Value {
  const { name } = info;
  const type = info.type === 'unknown' ? null : info.type;
  if (isTensor(given)) {
    const wanted = type === null ? given.dtype : dtypeOf(type);
    if (wanted === null) throw new DTypeError('OnnxModel', `the input '${name}' is of ${type}, which no tensor holds.`);
    const isByte = given.dtype === 'uint8' || given.dtype === 'int8';
    const fits =
      given.dtype === wanted ||
      (wanted === 'int32' && isByte) ||
      (wanted === 'float32' && given.dtype.endsWith('float16'));
    if (!fits) {
      throw new DTypeError(
        'OnnxModel',
        `the input '${name}' is ${given.dtype}, the model takes ${describe(info)}: cast it, x.cast('${wanted}').`,
        {
          name,
          dtype: given.dtype,
        },
      );
    }
    return new DeviceTensor(type ?? given.dtype, given.dtype === wanted ? given : given.cast(wanted));
  }
  if (given instanceof BigInt64Array) return hostTensor(type ?? 'int64', [given.length], Array.from(given, Number));
  const made = tensor(given as NestedNumbers, { ...(type === null ? {} : { dtype: dtypeOf(type) ?? 'float32' }) });
  if (type !== null && !isFloat(type)) {
    const numbers: number[] = [];
    flatten(given, numbers);
    return hostTensor(type, made.shape, numbers);
  }
  return new DeviceTensor(type ?? made.dtype, made);
}

/** The numbers of nested arrays, one after the other. */
function flatten(given: unknown, numbers: number[]): void {
  if (Array.isArray(given) || (ArrayBuffer.isView(given) && Symbol.iterator in given)) {
    for (const part of given as Iterable<unknown>) flatten(part, numbers);
  } else numbers.push(Number(given));
}

function checkShape(info: OnnxValueInfo, shape: readonly number[], sizes: Map<string, number>): void {
  const { name, shape: wanted } = info;
  if (wanted === null) return;
  const wrong = (why: string): never => {
    throw new ShapeError(
      'OnnxModel',
      `the input '${name}' is [${shape.join(', ')}], the model takes ${describe(info)}: ${why}.`,
      { name, shape },
    );
  };
  if (shape.length !== wanted.length) wrong(`it has ${shape.length} axes in place of ${wanted.length}`);
  wanted.forEach((size, axis) => {
    const own = shape[axis]!;
    if (typeof size === 'number' && size !== own) wrong(`axis ${axis} has ${own} elements`);
    if (typeof size !== 'string') return;
    const bound = sizes.get(size);
    if (bound !== undefined && bound !== own) wrong(`'${size}' is ${bound} in another input`);
    sizes.set(size, own);
  });
}

function outputOf(value: MaybeValue): OnnxOutput {
  if (value === null) return null;
  if (value.kind === 'sequence') return value.items.map(outputOf);
  if (value.kind === 'text') return { shape: value.shape, data: value.data };
  return value.tensor;
}
