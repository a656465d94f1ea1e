/**
 * Convolution and its two gradients: three primitives closed under gradient, so that no form needs a kernel of another.
 * Any rank of space, PyTorch's layout; the transposed convolution is the input gradient under its own name.
 */
import type { Shape } from '../backend.ts';
import { ShapeError, ValueError } from '../errors.ts';
import type { Index } from '../graph/index-expression.ts';
import { apply, type Node } from '../graph/node.ts';
import { type Binary, definePrimitive, type Lowering, type Primitive } from '../graph/primitive.ts';
import { show } from '../shape.ts';
import { isBatched, spread } from './batch.ts';
import { Guard } from './guard.ts';
import { factors, storedAsFactors } from './halves.ts';
import { moveAxis, padStatic, reshape } from './views.ts';

/** The sizes of one convolution, the same for all three forms. */
export interface Convolution {
  readonly input: Shape;
  readonly weight: Shape;
  readonly output: Shape;
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly groups: number;
}

type Form = 'forward' | 'input' | 'weight';

interface FormRule extends Pick<Primitive<Convolution, Binary>, 'lower'> {
  readonly gradient: NonNullable<Primitive<Convolution, Binary>['gradient']>;
  readonly form: Form;
  readonly shape: (c: Convolution) => Shape;
  readonly extents: (c: Convolution) => Shape;
}

/** @__NO_SIDE_EFFECTS__ */
function convolution({ form, shape, extents, gradient, ...rules }: FormRule): Primitive<Convolution, Binary> {
  return definePrimitive<Convolution, Binary>({
    name: form === 'forward' ? 'convolution' : `convolution ${form} gradient`,
    kind: 'nest',
    access: () => 'whole',
    infer: ([a], c) => ({ dtype: a.dtype, shape: shape(c) }),
    key: ({ input, weight, stride, dilation, padding, groups }) => [
      ...input,
      ...weight,
      ...stride,
      ...dilation,
      ...padding,
      groups,
    ],
    batch: ([a, b], node, size) => {
      const { inputs, attributes: c } = node;
      if (form !== 'weight' && !isBatched(b, inputs[1])) {
        // the same weight for all: more samples
        const more = ([n, ...rest]: Shape): number[] => [n! * size, ...rest];
        const sizes = { ...c, input: more(c.input), output: more(c.output) };
        return reshape(apply(node.primitive, [reshape(a, more(inputs[0].shape)), b], sizes), [size, ...node.shape]);
      }
      // each row has channels of its own, which see no others; data that all rows share has one group for all
      const isShared = form !== 'input' && c.groups === 1 && !isBatched(a, inputs[0]);
      const wide = ([n, channels, ...rest]: Shape): number[] => [n!, channels! * size, ...rest];
      const [o, ...kernel] = c.weight;
      const weight = [o! * size, ...kernel];
      const data = (x: Node, own: Node): Node => reshape(moveAxis(spread(x, own, size), 0, 1), wide(own.shape));
      const y = apply(
        node.primitive,
        [isShared ? a : data(a, inputs[0]), form === 'weight' ? data(b, inputs[1]) : reshape(b, weight)],
        {
          ...c,
          input: isShared ? c.input : wide(c.input),
          weight,
          output: wide(c.output),
          groups: isShared ? 1 : c.groups * size,
        },
      );
      if (form === 'weight') return reshape(y, [size, ...c.weight]);
      const [n, channels, ...rest] = node.shape;
      return moveAxis(reshape(y, [n!, size, channels!, ...rest]), 1, 0);
    },
    reduction: ({ attributes, dtype }) => ({ op: 'sum', extents: extents(attributes), dtype }),
    hint: ({ attributes }) => ({ kind: 'conv', form, ...attributes }),
    ...rules,
    gradient: (g, inputs, node) => gradient(storedAsFactors(g, ...inputs), inputs, node),
  });
}

const space = (shape: Shape): Shape => shape.slice(2);

// y[n, o, q] = sum over c, r of x[n, c, q stride + r dilation - padding] w[o, c, r]
export const ConvForward: Primitive<Convolution, Binary> = convolution({
  form: 'forward',
  shape: ({ output }) => output,
  extents: ({ weight }) => weight.slice(1),
  lower: (node, at) => {
    const { input, weight, stride, dilation, padding } = node.attributes;
    const [n, o, ...q] = at.index as [Index, Index, ...Index[]];
    const [c, ...r] = at.reduced as [Index, ...Index[]];
    const guard = new Guard(at);
    const p = q.map((index, i) =>
      guard.checked(inputPosition(at, index, r[i]!, i, stride, dilation, padding), input[i + 2]!),
    );
    const channel = at.space.add(groupBase(at, o, node.attributes, weight[1]!), c);
    const x = guard.select(node, at.input(0, [n, channel, ...p]));
    return at.emit('mul', node.dtype, x, at.input(1, [o, c, ...r]));
  },
  gradient: (g, [x, w], { attributes: c }) => [() => apply(ConvInput, [g, w], c), () => apply(ConvWeight, [x, g], c)],
});

// dx[n, c, p] = sum over o, r of g[n, o, (p + padding - r dilation) / stride] w[o, c, r]
export const ConvInput: Primitive<Convolution, Binary> = convolution({
  form: 'input',
  shape: ({ input }) => input,
  extents: ({ weight, groups }) => [weight[0]! / groups, ...space(weight)],
  lower: (node, at) => {
    const { weight, output, stride, dilation, padding, groups } = node.attributes;
    const [n, channel, ...p] = at.index as [Index, Index, ...Index[]];
    const [o, ...r] = at.reduced as [Index, ...Index[]];
    const perGroup = weight[1]!;
    const guard = new Guard(at);
    const q = p.map((index, i) => {
      const moved = at.space.shift(index, padding[i]!);
      const start = at.space.add(moved, at.space.scale(r[i]!, -dilation[i]!));
      return guard.checkedQuotient(start, stride[i]!, output[i + 2]!);
    });
    const group = groups === 1 ? at.space.zero : at.space.floorDiv(channel, perGroup);
    const c = groups === 1 ? channel : at.space.floorMod(channel, perGroup);
    const out = at.space.add(at.space.scale(group, weight[0]! / groups), o);
    const g = guard.select(node, at.input(0, [n, out, ...q]));
    return at.emit('mul', node.dtype, g, at.input(1, [out, c, ...r]));
  },
  gradient: (h, [g, w], { attributes: c }) => [() => apply(ConvForward, [h, w], c), () => apply(ConvWeight, [h, g], c)],
});

// dw[o, c, r] = sum over n, q of x[n, c, q stride + r dilation - padding] g[n, o, q]
export const ConvWeight: Primitive<Convolution, Binary> = convolution({
  form: 'weight',
  shape: ({ weight }) => weight,
  extents: ({ output }) => [output[0]!, ...space(output)],
  lower: (node, at) => {
    const { input, weight, stride, dilation, padding } = node.attributes;
    const [o, c, ...r] = at.index as [Index, Index, ...Index[]];
    const [n, ...q] = at.reduced as [Index, ...Index[]];
    const guard = new Guard(at);
    const p = q.map((index, i) =>
      guard.checked(inputPosition(at, index, r[i]!, i, stride, dilation, padding), input[i + 2]!),
    );
    const channel = at.space.add(groupBase(at, o, node.attributes, weight[1]!), c);
    const x = guard.select(node, at.input(0, [n, channel, ...p]));
    return at.emit('mul', node.dtype, x, at.input(1, [n, o, ...q]));
  },
  gradient: (h, [x, g], { attributes: c }) => [() => apply(ConvInput, [g, h], c), () => apply(ConvForward, [x, h], c)],
});

function inputPosition(
  at: Lowering,
  q: Index,
  r: Index,
  i: number,
  stride: readonly number[],
  dilation: readonly number[],
  padding: readonly number[],
): Index {
  const moved = at.space.add(at.space.scale(q, stride[i]!), at.space.scale(r, dilation[i]!));
  return at.space.shift(moved, -padding[i]!);
}

/** The first input channel of the group that output channel o belongs to. */
function groupBase(at: Lowering, o: Index, { weight, groups }: Convolution, perGroup: number): Index {
  if (groups === 1) return at.space.zero;
  return at.space.scale(at.space.floorDiv(o, weight[0]! / groups), perGroup);
}

export type Sizes = number | readonly number[];

export interface ConvolutionOptions {
  /** The distance between windows; 1 by default. */
  readonly stride?: Sizes;
  /** Zeros around the input: a number, one an axis, 'same' (stride 1: the size stays) or 'valid' (none, the default). */
  readonly padding?: Sizes | 'same' | 'valid';
  /** The distance between the elements of a window; 1 by default. */
  readonly dilation?: Sizes;
  /** Channels are split in this many groups that do not see each other; 1 by default. */
  readonly groups?: number;
}

/** A size an axis, from a number for all or one each. */
export function perAxis(operation: string, name: string, sizes: Sizes, rank: number, least: number): number[] {
  const list = typeof sizes === 'number' ? new Array<number>(rank).fill(sizes) : [...sizes];
  if (list.length !== rank || list.some((size) => !Number.isInteger(size) || size < least)) {
    throw new ValueError(
      operation,
      `${name} must be a whole number from ${least}, or ${rank} of them; got ${JSON.stringify(sizes)}.`,
      { [name]: sizes },
    );
  }
  return list;
}

/** Cross-correlation of x [N, C, ...space] with w [O, C / groups, ...kernel], as PyTorch's conv1d, conv2d and conv3d. */
export function convolve(operation: string, rank: number, x: Node, w: Node, options: ConvolutionOptions): Node {
  const { groups = 1 } = options;
  checkRank(operation, rank, x, w);
  const stride = perAxis(operation, 'stride', options.stride ?? 1, rank, 1);
  const dilation = perAxis(operation, 'dilation', options.dilation ?? 1, rank, 1);
  const kernel = space(w.shape);
  let padding: number[];
  let input = x;
  if (options.padding === 'same') {
    if (stride.some((s) => s !== 1)) {
      throw new ValueError(operation, `padding 'same' needs stride 1, got ${show(stride)}: name the padding instead.`);
    }
    const total = kernel.map((size, i) => (size - 1) * dilation[i]!);
    padding = total.map((n) => n >> 1);
    if (total.some((n) => n % 2 === 1)) {
      // an even kernel pads one more behind than before
      const zeros = new Array<number>(x.shape.length).fill(0);
      input = padStatic(x, { before: zeros, after: [0, 0, ...total.map((n) => n % 2)], step: x.shape.map(() => 1) });
    }
  } else {
    padding =
      options.padding === 'valid' ? kernel.map(() => 0) : perAxis(operation, 'padding', options.padding ?? 0, rank, 0);
  }
  const [n, c, ...size] = input.shape as [number, number, ...number[]];
  const [o, perGroup] = w.shape as [number, number];
  if (!Number.isInteger(groups) || groups < 1 || o % groups !== 0 || c !== perGroup * groups) {
    throw new ShapeError(
      operation,
      `input ${show(x.shape)} has ${c} channels, weight ${show(w.shape)} takes ${perGroup} in each of ${groups} groups${o % groups === 0 ? '' : ` and its ${o} outputs do not divide by ${groups}`}.`,
      { input: x.shape, weight: w.shape, groups },
    );
  }
  const out = size.map((length, i) => {
    const reach = (kernel[i]! - 1) * dilation[i]! + 1;
    const room = length + 2 * padding[i]! - reach;
    if (room < 0) {
      throw new ShapeError(
        operation,
        `a kernel of ${kernel[i]} (reach ${reach}) does not fit axis ${i + 2} of ${show(x.shape)} padded by ${padding[i]}.`,
        { input: x.shape, weight: w.shape },
      );
    }
    return Math.floor(room / stride[i]!) + 1;
  });
  return apply(ConvForward, factors(operation, input, w), {
    input: input.shape,
    weight: w.shape,
    output: [n, o, ...out],
    stride,
    dilation,
    padding,
    groups,
  });
}

export interface TransposedConvolutionOptions {
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly outputPadding?: Sizes;
  readonly dilation?: Sizes;
  readonly groups?: number;
}

/** The input gradient of a convolution as an operation of its own: x [N, I, ...], w [I, O / groups, ...kernel]. */
export function convolveTransposed(
  operation: string,
  rank: number,
  x: Node,
  w: Node,
  options: TransposedConvolutionOptions,
): Node {
  const { groups = 1 } = options;
  checkRank(operation, rank, x, w);
  const stride = perAxis(operation, 'stride', options.stride ?? 1, rank, 1);
  const dilation = perAxis(operation, 'dilation', options.dilation ?? 1, rank, 1);
  const padding = perAxis(operation, 'padding', options.padding ?? 0, rank, 0);
  const extra = perAxis(operation, 'outputPadding', options.outputPadding ?? 0, rank, 0);
  const [n, c, ...size] = x.shape as [number, number, ...number[]];
  const [inner, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  if (c !== inner || !Number.isInteger(groups) || groups < 1 || c % groups !== 0) {
    throw new ShapeError(
      operation,
      `input ${show(x.shape)} has ${c} channels, weight ${show(w.shape)} takes ${inner} in ${groups} groups.`,
      { input: x.shape, weight: w.shape, groups },
    );
  }
  const out = size.map((length, i) => {
    const step = stride[i]!;
    if (extra[i]! >= Math.max(step, dilation[i]!)) {
      throw new ValueError(operation, `outputPadding ${extra[i]} must be smaller than the stride or dilation.`);
    }
    const reach = (kernel[i]! - 1) * dilation[i]! + 1;
    return (length - 1) * step - 2 * padding[i]! + reach + extra[i]!;
  });
  if (out.some((length) => length < 1)) {
    throw new ShapeError(operation, `the result of ${show(x.shape)} would have the empty space ${show(out)}.`);
  }
  return apply(ConvInput, factors(operation, x, w), {
    input: [n, perGroup * groups, ...out],
    weight: w.shape,
    output: x.shape,
    stride,
    dilation,
    padding,
    groups,
  });
}

function checkRank(operation: string, rank: number, x: Node, w: Node): void {
  const form = `[N, C${', size'.repeat(rank)}]`;
  if (x.shape.length !== rank + 2) {
    throw new ShapeError(operation, `the input must be ${form}, got ${show(x.shape)}.`, { input: x.shape });
  }
  if (w.shape.length !== rank + 2) {
    throw new ShapeError(operation, `the weight must have ${rank + 2} axes, got ${show(w.shape)}.`, {
      weight: w.shape,
    });
  }
}
