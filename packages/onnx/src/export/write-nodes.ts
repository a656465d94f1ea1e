/**
 * Nodes of core as nodes of ONNX, from the outputs back: named operations as the operator of that name, the rest primitive by
 * primitive. Owns the table of primitives; layers are write-layers.ts.
 */
import { type GraphNode, type TensorData, ValueError } from '@nn/core';
import { broadcast } from '../values/host.ts';
import type { GraphBuilder } from './builder.ts';
import type { Attribute } from './encode.ts';
import type { Dimension, Item, Mark, Traces } from './traces.ts';
import { writeLayer } from './write-layers.ts';

type Attributes = Readonly<Record<string, Attribute>>;

/** Past the last element, whatever the size. */
const toTheEnd = Number.MAX_SAFE_INTEGER;

/** Operations that ONNX has under another name, elementwise. */
const pointwise: Readonly<Record<string, readonly [operator: string, attributes?: Attributes]>> = {
  add: ['Add'],
  sub: ['Sub'],
  mul: ['Mul'],
  pow: ['Pow'],
  maximum: ['Max'],
  minimum: ['Min'],
  exp: ['Exp'],
  log: ['Log'],
  sqrt: ['Sqrt'],
  sin: ['Sin'],
  cos: ['Cos'],
  tanh: ['Tanh'],
  erf: ['Erf'],
  floor: ['Floor'],
  less: ['Less'],
  equal: ['Equal'],
  where: ['Where'],
  abs: ['Abs'],
  sign: ['Sign'],
  round: ['Round'],
  sigmoid: ['Sigmoid'],
  softplus: ['Softplus'],
  relu: ['Relu'],
};

const codes = { float32: 1, int32: 6, bool: 9, float16: 10, bfloat16: 16, int8: 3, uint8: 2 } as const;

export class NodeWriter {
  readonly builder: GraphBuilder;
  readonly traces: Traces;
  readonly #values = new Map<GraphNode, string>();
  /** Parameters and inputs, by their nodes. */
  readonly #leaves: ReadonlyMap<GraphNode, string>;
  /** Values of other leaves, read before. */
  readonly #data: ReadonlyMap<GraphNode, TensorData>;

  constructor(
    builder: GraphBuilder,
    traces: Traces,
    leaves: ReadonlyMap<GraphNode, string>,
    data: ReadonlyMap<GraphNode, TensorData>,
  ) {
    this.builder = builder;
    this.traces = traces;
    this.#leaves = leaves;
    this.#data = data;
  }

  dataOf(item: Item): TensorData | undefined {
    return this.#data.get(item[0]!);
  }

  leafName(item: Item): string | undefined {
    return this.#leaves.get(item[0]!);
  }

  set(item: Item, name: string): void {
    this.#values.set(item[0]!, name);
  }

  /** The value of a node, which is written first where it was not yet. Without recursion: graphs are deep. */
  write(root: Item): string {
    const stack: Item[] = [root];
    while (stack.length > 0) {
      const item = stack.at(-1)!;
      const node = item[0]!;
      if (this.#values.has(node)) {
        stack.pop();
        continue;
      }
      const open = this.#needs(item).filter((needed) => !this.#values.has(needed[0]!));
      if (open.length > 0) {
        stack.push(...open);
        continue;
      }
      const name = this.#writeOne(item);
      if (!this.#values.has(node)) this.#values.set(node, name);
      stack.pop();
    }
    return this.value(root);
  }

  value(item: Item): string {
    return this.#values.get(item[0]!) ?? '';
  }

  /** What must be written before a node. */
  #needs(item: Item): readonly Item[] {
    if (this.#leaves.has(item[0]!)) return [];
    const mark = this.#markOf(item);
    if (mark !== null) return mark.inputs.filter((input) => input !== null);
    const inputs = this.traces.inputsOf(item);
    const { operation } = item[0]!;
    if (operation === 'customGradient' || operation === 'stopGradient' || operation === 'assigned')
      return inputs.slice(0, 1);
    return operation in pointwise || spreads.has(operation) ? this.#unspread(item, inputs) : inputs;
  }

  #markOf(item: Item): Mark | null {
    const mark = this.traces.markOf(item);
    if (mark === null) return null;
    const isPlain = mark.name !== 'averagePool' || isPlainAverage(mark.attributes as readonly unknown[]);
    return mark.name.startsWith('layer:') || (mark.name in named && isPlain) ? mark : null;
  }

  #writeOne(item: Item): string {
    const node = item[0]!;
    const leaf = this.#leaves.get(node);
    if (leaf !== undefined) return leaf;
    const mark = this.#markOf(item);
    if (mark?.name.startsWith('layer:')) {
      writeLayer(this, mark);
      return this.value(item);
    }
    if (mark !== null)
      return named[mark.name]!(this, mark.inputs as readonly Item[], mark.attributes as readonly unknown[], item);
    const inputs = this.traces.inputsOf(item);
    const known = pointwise[node.operation];
    if (known !== undefined)
      return this.builder.add(
        known[0],
        this.#unspread(item, inputs).map((input) => this.value(input)),
        known[1] ?? {},
      );
    const write = primitives[node.operation];
    if (write === undefined) throw unsupported(node);
    return write(this, spreads.has(node.operation) ? this.#unspread(item, inputs) : inputs, item);
  }

  /** Inputs before they were spread to the shape of the result, where ONNX spreads them itself. */
  #unspread(item: Item, inputs: readonly Item[]): readonly Item[] {
    const bare = inputs.map((input) => this.#bare(input));
    const fits = item.every((node, trace) => {
      const shape = bare.reduce<number[] | null>(
        (all, input) => (all === null ? null : broadcast(all, input[trace]!.shape)),
        [],
      );
      return shape !== null && shape.join() === node.shape.join();
    });
    return fits ? bare : inputs;
  }

  #bare(item: Item): Item {
    let found = item;
    while (found[0]!.operation === 'expand' && !this.#leaves.has(found[0]!)) found = this.traces.inputsOf(found)[0]!;
    return found;
  }

  shape(item: Item): Dimension[] {
    return this.traces.shapeOf(item);
  }

  /** The numbers of an attribute that may differ from trace to trace. */
  dimensions(item: Item, of: (node: GraphNode) => readonly number[]): Dimension[] {
    const all = item.map(of);
    return all[0]!.map((_, k) => this.traces.dimension(all.map((list) => list[k]!)));
  }

  /** The same where no free size may play a part. */
  fixed(item: Item, of: (node: GraphNode) => readonly number[], what: string): number[] {
    return this.dimensions(item, of).map((size) => {
      if (typeof size === 'number') return size;
      throw new ValueError(
        'encodeOnnx/dynamic',
        `${what} of ${item[0]!.operation} depends on a free size: leave that axis out of dynamic.`,
      );
    });
  }

  /** x in another shape: -1 for the one free size, else sizes that are computed. */
  reshape(x: string, from: readonly Dimension[], to: readonly Dimension[], of: string): string {
    const same = (axis: number): boolean => JSON.stringify(from[axis]) === JSON.stringify(to[axis]);
    const open = to.flatMap((size, axis) => (typeof size === 'number' ? [] : [axis]));
    const rest = open.filter((axis) => !same(axis));
    if (open.length <= 1)
      return this.builder.add('Reshape', [
        x,
        this.builder.integers(to.map((size) => (typeof size === 'number' ? size : -1))),
      ]);
    if (rest.length <= 1) {
      const target = to.map((size, axis) => (typeof size === 'number' ? size : rest.includes(axis) ? -1 : 0));
      return this.builder.add('Reshape', [x, this.builder.integers(target)]);
    }
    return this.builder.add('Reshape', [x, this.builder.sizes(to, of)]);
  }

  scalar(item: Item, value: number): string {
    return this.builder.constant(item[0]!.dtype, [], [value]);
  }
}

function unsupported({ operation }: GraphNode): ValueError {
  const why =
    operation === 'scan'
      ? 'a loop (scan) that is no RNN, GRU or LSTM from a whole sequence'
      : operation === 'random'
        ? 'random numbers (is a layer in training?)'
        : `the operation '${operation}'`;
  return new ValueError('encodeOnnx/unsupported', `the model computes with ${why}, which is not written as ONNX.`, {
    operation,
  });
}

type Write = (writer: NodeWriter, inputs: readonly Item[], item: Item) => string;
type WriteNamed = (writer: NodeWriter, inputs: readonly Item[], attributes: readonly unknown[], item: Item) => string;

/** Primitives other than those of `pointwise` whose inputs spread in ONNX. */
const spreads = new Set(['div', 'mod', 'floorMod', 'floorDiv', 'and', 'or', 'xor']);

const through: Write = (writer, [x]) => writer.value(x!);
const lengthOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function logical(operator: string): Write {
  return (writer, [a, b], item) => {
    if (item[0]!.dtype !== 'bool') throw unsupported(item[0]!);
    return writer.builder.add(operator, [writer.value(a!), writer.value(b!)]);
  };
}

function reduction(operator: string): Write {
  return (writer, [x], item) => {
    const axes = item[0]!.attributes as readonly number[];
    return writer.builder.reduce(operator, writer.value(x!), axes, false);
  };
}

interface Convolution {
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly groups: number;
}

const convolutionOf = (item: Item): Convolution => item[0]!.attributes as Convolution;

function convolutionAttributes({ weight, stride, dilation, padding, groups }: Convolution): Attributes {
  return {
    kernel_shape: weight.slice(2),
    strides: stride,
    dilations: dilation,
    pads: [...padding, ...padding],
    group: groups,
  };
}

/** A number everywhere: as large as it must be, or one element where the reader spreads it. */
const filled: Write = (writer, _, item) => {
  const { attributes, dtype } = item[0]!;
  const value = writer.builder.constant(dtype, [], [attributes as number]);
  const shape = writer.shape(item);
  if (shape.length === 0) return value;
  return writer.builder.add('Expand', [value, writer.builder.sizes(shape, 'a constant')]);
};

const slice: Write = (writer, [x], item) => {
  const of = (name: 'start' | 'size' | 'step') => (node: GraphNode) =>
    (node.attributes as Readonly<Record<typeof name, readonly number[]>>)[name];
  const steps = writer.fixed(item, of('step'), 'the step');
  const starts = writer.dimensions(item, of('start'));
  const stops = writer.traces.shapeOf(item).map((_, axis) => {
    const stop = item.map((node, trace) => {
      const { start, size, step } = node.attributes as Readonly<Record<'start' | 'size' | 'step', readonly number[]>>;
      const end = size[axis] === 0 ? start[axis]! : start[axis]! + (size[axis]! - 1) * step[axis]! + 1;
      return { end, isWhole: end > x![trace]!.shape[axis]! - step[axis]! };
    });
    return stop.every(({ isWhole }) => isWhole) ? toTheEnd : writer.traces.dimension(stop.map(({ end }) => end));
  });
  const axes = steps.flatMap((step, axis) =>
    step === 1 && starts[axis] === 0 && stops[axis] === toTheEnd ? [] : [axis],
  );
  if (axes.length === 0) return writer.value(x!);
  const pick = (list: readonly Dimension[]): Dimension[] => axes.map((axis) => list[axis]!);
  return writer.builder.add('Slice', [
    writer.value(x!),
    writer.builder.sizes(pick(starts), 'a slice'),
    writer.builder.sizes(pick(stops), 'a slice'),
    writer.builder.integers(axes),
    writer.builder.integers(axes.map((axis) => steps[axis]!)),
  ]);
};

/** A box whose place is a number of the user's, or computed. Starts are kept inside, as core does. */
const movingSlice: Write = (writer, [x, ...starts], item) => {
  const { builder } = writer;
  const from = writer.shape(x!);
  const sizes = writer.shape(item);
  const isKnown = starts.every((start) => ['scalar', 'constant'].includes(start[0]!.operation));
  const axes = sizes.flatMap((size, axis) => (JSON.stringify(size) === JSON.stringify(from[axis]) ? [] : [axis]));
  if (axes.length === 0) return writer.value(x!);
  const list = builder.integers(axes);
  if (isKnown) {
    const firsts = starts.map((start) => start.map(({ attributes }) => Number(attributes)));
    const begins = axes.map((axis) => writer.traces.dimension(firsts[axis]!));
    const ends = axes.map((axis) =>
      writer.traces.dimension(firsts[axis]!.map((first, trace) => first + item[trace]!.shape[axis]!)),
    );
    return builder.add('Slice', [
      writer.value(x!),
      builder.sizes(begins, 'a slice'),
      builder.sizes(ends, 'a slice'),
      list,
    ]);
  }
  const begins = axes.map((axis) => {
    const start = builder.add('Cast', [writer.value(starts[axis]!)], { to: 7 });
    const room = builder.add('Sub', [builder.size(from[axis]!, 'a slice'), builder.size(sizes[axis]!, 'a slice')]);
    const low = builder.add('Max', [builder.add('Reshape', [start, builder.integers([1])]), builder.integers([0])]);
    return builder.add('Min', [low, room]);
  });
  const begin = begins.length === 1 ? begins[0]! : builder.add('Concat', begins, { axis: 0 });
  const end = builder.add('Add', [
    begin,
    builder.sizes(
      axes.map((axis) => sizes[axis]!),
      'a slice',
    ),
  ]);
  return builder.add('Slice', [writer.value(x!), begin, end, list]);
};

const pad: Write = (writer, [x], item) => {
  const of = (name: 'before' | 'after' | 'step') => (node: GraphNode) =>
    (node.attributes as Readonly<Record<typeof name, readonly number[]>>)[name];
  if (writer.fixed(item, of('step'), 'the step').some((step) => step !== 1)) throw unsupported(item[0]!);
  const amounts = [...writer.dimensions(item, of('before')), ...writer.dimensions(item, of('after'))];
  const { dtype } = item[0]!;
  const asNumber =
    dtype === 'bool' ? writer.builder.add('Cast', [writer.value(x!)], { to: codes.int32 }) : writer.value(x!);
  const y = writer.builder.add('Pad', [asNumber, writer.builder.sizes(amounts, 'padding')]);
  return dtype === 'bool' ? writer.builder.add('Cast', [y], { to: codes.bool }) : y;
};

const flip: Write = (writer, [x], item) => {
  const axes = item[0]!.attributes as readonly number[];
  const all = (value: number): string => writer.builder.integers(axes.map(() => value));
  return writer.builder.add('Slice', [
    writer.value(x!),
    all(-1),
    all(-toTheEnd),
    writer.builder.integers(axes),
    all(-1),
  ]);
};

/** Sums of products: the rows and columns as one axis each, and MatMul. */
const contraction: Write = (writer, [left, right], item) => {
  const { batch, rows, columns, inner } = item[0]!.attributes as Readonly<
    Record<'batch' | 'rows' | 'columns' | 'inner', number>
  >;
  const order = (x: Item, from: number, count: number): Dimension[] => writer.shape(x).slice(from, from + count);
  const flat = (x: Item, middle: number): string => {
    const shape = writer.shape(x);
    const product = (from: number, count: number): Dimension =>
      writer.traces.dimension(x.map((node) => lengthOf(node.shape.slice(from, from + count))));
    if (middle === 1 && inner === 1) return writer.value(x);
    const target = [...order(x, 0, batch), product(batch, middle), product(batch + middle, inner)];
    return writer.reshape(writer.value(x), shape, target, 'a product');
  };
  const turned = batch + 2;
  const perm = [...Array.from({ length: batch }, (_, axis) => axis), turned - 1, turned - 2];
  const b = writer.builder.add('Transpose', [flat(right!, columns)], { perm });
  const y = writer.builder.add('MatMul', [flat(left!, rows), b]);
  if (rows === 1 && columns === 1) return y;
  const product = (x: Item, count: number): Dimension =>
    writer.traces.dimension(x.map((node) => lengthOf(node.shape.slice(batch, batch + count))));
  const from = [...order(left!, 0, batch), product(left!, rows), product(right!, columns)];
  return writer.reshape(y, from, writer.shape(item), 'a product');
};

const iota: Write = (writer, _, item) => {
  const { axis } = item[0]!.attributes as { readonly axis: number };
  const shape = writer.shape(item);
  const size = shape[axis]!;
  const line = shape.map((_, k) => (k === axis ? size : 1));
  let y: string;
  if (typeof size === 'number') {
    y = writer.builder.constant(
      'int32',
      line as number[],
      Array.from({ length: size }, (_, k) => k),
    );
  } else {
    const scalar = (value: number): string => writer.builder.constant('int64', [], [value]);
    const stop = writer.builder.add('Squeeze', [writer.builder.size(size, 'a count')]);
    const range = writer.builder.add('Cast', [writer.builder.add('Range', [scalar(0), stop, scalar(1)])], {
      to: codes.int32,
    });
    y = writer.reshape(range, [size], line, 'a count');
  }
  if (shape.every((other, k) => k === axis || other === 1)) return y;
  return writer.builder.add('Expand', [y, writer.builder.sizes(shape, 'a count')]);
};

/** a - floor(a / b) b, for floats; for whole numbers ONNX has it. */
const floorModulo: Write = (writer, [a, b], item) => {
  const [x, y] = [writer.value(a!), writer.value(b!)];
  if (item[0]!.dtype !== 'float32') return writer.builder.add('Mod', [x, y]);
  const whole = writer.builder.add('Floor', [writer.builder.add('Div', [x, y])]);
  return writer.builder.add('Sub', [x, writer.builder.add('Mul', [whole, y])]);
};

const scattered: (reduction: string) => Write =
  (kind) =>
  (writer, [base, index, updates], item) => {
    const axis = item[0]!.attributes as number;
    const shape = writer.shape(updates!);
    const line = shape.map((size, k): Dimension => (k === axis ? size : 1));
    const wide = writer.builder.add('Expand', [
      writer.reshape(writer.value(index!), writer.shape(index!), line, 'indices'),
      writer.builder.sizes(shape, 'indices'),
    ]);
    return writer.builder.add('ScatterElements', [writer.value(base!), wide, writer.value(updates!)], {
      axis,
      reduction: kind,
    });
  };

const primitives: Readonly<Record<string, Write>> = /* @__PURE__ */ (() => ({
  scalar: (writer, _, item) => {
    const value = item[0]!.attributes as number;
    if (item.some(({ attributes }) => attributes !== value)) {
      throw new ValueError(
        'encodeOnnx/dynamic',
        'the model computes with a number that follows from a free size: leave that axis out of dynamic.',
      );
    }
    return writer.scalar(item, value);
  },
  constant: (writer, inputs, item) => {
    if (item.some(({ attributes }) => attributes !== item[0]!.attributes)) {
      const size = writer.traces.dimension(item.map(({ attributes }) => attributes as number));
      const value = writer.builder.add('Squeeze', [writer.builder.size(size, 'a constant')]);
      return writer.builder.add('Cast', [value], { to: codes[item[0]!.dtype] });
    }
    return filled(writer, inputs, item);
  },
  data: (writer, _, item) => {
    const { dtype, shape } = item[0]!;
    const data = writer.dataOf(item);
    if (data === undefined || item.some((node) => node.shape.join() !== shape.join())) throw unsupported(item[0]!);
    return writer.builder.weight(writer.builder.unique('constant'), dtype, shape, data);
  },
  customGradient: through,
  stopGradient: through,
  assigned: through,
  iota,
  div: (writer, [a, b]) => writer.builder.add('Div', [writer.value(a!), writer.value(b!)]),
  mod: (writer, [a, b], item) =>
    item[0]!.dtype === 'float32' || item[0]!.dtype === 'int32'
      ? writer.builder.add('Mod', [writer.value(a!), writer.value(b!)], { fmod: 1 })
      : '',
  floorMod: floorModulo,
  floorDiv: (writer, [a, b], item) => {
    const [x, y] = [writer.value(a!), writer.value(b!)];
    if (item[0]!.dtype === 'float32') return writer.builder.add('Floor', [writer.builder.add('Div', [x, y])]);
    const rest = writer.builder.add('Mod', [x, y]);
    return writer.builder.add('Div', [writer.builder.add('Sub', [x, rest]), y]);
  },
  and: logical('And'),
  or: logical('Or'),
  xor: logical('Xor'),
  cast: (writer, [x], item) => writer.builder.add('Cast', [writer.value(x!)], { to: codes[item[0]!.dtype] }),
  sum: reduction('ReduceSum'),
  prod: reduction('ReduceProd'),
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
  bound: reduction('ReduceMax'),
  reshape: (writer, [x], item) => writer.reshape(writer.value(x!), writer.shape(x!), writer.shape(item), 'a shape'),
  permute: (writer, [x], item) =>
    writer.builder.add('Transpose', [writer.value(x!)], { perm: item[0]!.attributes as readonly number[] }),
  expand: (writer, [x], item) =>
    writer.builder.add('Expand', [writer.value(x!), writer.builder.sizes(writer.shape(item), 'a shape')]),
  slice,
  dynamicSlice: movingSlice,
  pad,
  flip,
  gather: (writer, [x, index], item) => {
    const { axis } = item[0]!.attributes as { readonly axis: number };
    return writer.builder.add('Gather', [writer.value(x!), writer.value(index!)], { axis });
  },
  scatterAdd: scattered('add'),
  scatterMax: scattered('max'),
  concat: (writer, inputs, item) =>
    writer.builder.add(
      'Concat',
      inputs.map((input) => writer.value(input)),
      { axis: item[0]!.attributes as number },
    ),
  cumsum: (writer, [x], item) =>
    writer.builder.add('CumSum', [
      writer.value(x!),
      writer.builder.constant('int64', [], [item[0]!.attributes as number]),
    ]),
  contraction,
  convolution: (writer, [x, weight], item) =>
    writer.builder.add('Conv', [writer.value(x!), writer.value(weight!)], convolutionAttributes(convolutionOf(item))),
  'convolution input gradient': (writer, [x, weight], item) => {
    const { input, output, weight: kernel, stride, dilation, padding } = convolutionOf(item);
    const more = stride.map((step, k) => {
      const reach = (kernel[k + 2]! - 1) * dilation[k]! + 1;
      return input[k + 2]! - ((output[k + 2]! - 1) * step - 2 * padding[k]! + reach);
    });
    const attributes = { ...convolutionAttributes(convolutionOf(item)), output_padding: more };
    return writer.builder.add('ConvTranspose', [writer.value(x!), writer.value(weight!)], attributes);
  },
}))();

interface Pooling {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
}

/** Windows over the last axes; ONNX wants a batch and channels before them. */
function pooled(operator: string, more: (pool: Pooling & Readonly<Record<string, unknown>>) => Attributes): WriteNamed {
  return (writer, [x], [first], item) => {
    const pool = first as Pooling & Readonly<Record<string, unknown>>;
    const attributes = {
      kernel_shape: pool.size,
      strides: pool.stride,
      pads: [...pool.padding, ...pool.padding],
      ceil_mode: pool.ceilMode ? 1 : 0,
      ...more(pool),
    };
    const shape = writer.shape(x!);
    const space = pool.size.length;
    if (shape.length === space + 2) return writer.builder.add(operator, [writer.value(x!)], attributes);
    const outer = writer.traces.dimension(x!.map((node) => lengthOf(node.shape.slice(0, -space))));
    const wide = writer.reshape(writer.value(x!), shape, [1, outer, ...shape.slice(-space)], 'a pool');
    const y = writer.builder.add(operator, [wide], attributes);
    const out = writer.shape(item);
    return writer.reshape(y, [1, outer, ...out.slice(-space)], out, 'a pool');
  };
}

function extreme(operator: string): WriteNamed {
  return (writer, [x], [first]) => {
    const { axis, keepAxes } = first as { readonly axis: number; readonly keepAxes: boolean };
    const source =
      x![0]!.dtype === 'bool' ? writer.builder.add('Cast', [writer.value(x!)], { to: codes.int32 }) : writer.value(x!);
    const found = writer.builder.add(operator, [source], { axis, keepdims: keepAxes ? 1 : 0 });
    return writer.builder.add('Cast', [found], { to: codes.int32 });
  };
}

function unaryNamed(operator: string): WriteNamed {
  return (writer, [x]) => writer.builder.add(operator, [writer.value(x!)]);
}

/** x Phi(x): an operator since opset 20, before it the formula that runtimes fuse. */
const gelu: WriteNamed = (writer, [x], [approximate]) => {
  const { builder } = writer;
  const value = writer.value(x!);
  if (builder.opset >= 20) return builder.add('Gelu', [value], { approximate: String(approximate) });
  const scalar = (number: number): string => builder.constant('float32', [], [number]);
  if (approximate === 'none') {
    const erf = builder.add('Erf', [builder.add('Div', [value, scalar(Math.SQRT2)])]);
    return builder.add('Mul', [builder.add('Mul', [value, builder.add('Add', [erf, scalar(1)])]), scalar(0.5)]);
  }
  const cubic = builder.add('Mul', [builder.add('Pow', [value, scalar(3)]), scalar(0.044715)]);
  const inner = builder.add('Mul', [builder.add('Add', [value, cubic]), scalar(Math.sqrt(2 / Math.PI))]);
  const tanh = builder.add('Add', [builder.add('Tanh', [inner]), scalar(1)]);
  return builder.add('Mul', [builder.add('Mul', [value, tanh]), scalar(0.5)]);
};

/** Means that ONNX takes in the same way: of whole windows, by their own size, without gaps. */
function isPlainAverage([first]: readonly unknown[]): boolean {
  const { ceilMode, divisorOverride, dilation } = first as Pooling & { readonly divisorOverride: number | null };
  return !ceilMode && divisorOverride === null && dilation.every((step) => step === 1);
}

/** Operations with a name, of which core makes others. */
const named: Readonly<Record<string, WriteNamed>> = /* @__PURE__ */ (() => ({
  abs: unaryNamed('Abs'),
  sign: unaryNamed('Sign'),
  round: unaryNamed('Round'),
  sigmoid: unaryNamed('Sigmoid'),
  softplus: unaryNamed('Softplus'),
  relu: unaryNamed('Relu'),
  softmax: (writer, [x], [axis]) => writer.builder.add('Softmax', [writer.value(x!)], { axis: axis as number }),
  logSoftmax: (writer, [x], [axis]) => writer.builder.add('LogSoftmax', [writer.value(x!)], { axis: axis as number }),
  gelu,
  mean: (writer, [x], [first]) => {
    const { axes, keepAxes } = first as { readonly axes: readonly number[]; readonly keepAxes: boolean };
    const source =
      x![0]!.dtype === 'float32'
        ? writer.value(x!)
        : writer.builder.add('Cast', [writer.value(x!)], { to: codes.float32 });
    return writer.builder.reduce('ReduceMean', source, axes, keepAxes);
  },
  matmul: (writer, [a, b]) => writer.builder.add('MatMul', [writer.value(a!), writer.value(b!)]),
  maxPool: pooled('MaxPool', ({ dilation }) => ({ dilations: dilation })),
  averagePool: pooled('AveragePool', ({ countIncludesPadding }) => ({
    count_include_pad: countIncludesPadding === true ? 1 : 0,
  })),
  argMax: extreme('ArgMax'),
  argMin: extreme('ArgMin'),
  takeAlong: (writer, [x, index], [axis]) =>
    writer.builder.add('GatherElements', [writer.value(x!), writer.value(index!)], { axis: axis as number }),
}))();
