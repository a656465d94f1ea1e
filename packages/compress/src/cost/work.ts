/**
 * What one step of a Program costs: products, other operations, and bytes. Owns the definitions; they follow from loop nests
 * alone, so they hold for forward and backward, fused and quantised work, whatever algorithm a backend takes.
 */
import type { Body, DType, Hint, Kernel, Op, Program, Shape, Step } from '@nn/core';

/** What work costs. */
export interface Work {
  /**
   * Products that are summed by matrix products and convolutions: a multiplication and an addition each, as fvcore counts. The
   * gradient of a weight for one sample is no sum, so its products are other operations.
   */
  readonly multiplyAdds: number;
  /** 2 multiplyAdds, as PyTorch counts. */
  readonly flops: number;
  /** Of the multiplyAdds those of whole numbers: quantised work. */
  readonly integerMultiplyAdds: number;
  /** Everything else: additions, exponentials, comparisons of values, one for each. Copies, casts and indices are not counted. */
  readonly otherOperations: number;
  /** What must at least be read and written: each step reads each of its buffers once. Rows that stay in a group are not moved. */
  readonly bytesMoved: number;
}

export const noWork: Work = {
  multiplyAdds: 0,
  flops: 0,
  integerMultiplyAdds: 0,
  otherOperations: 0,
  bytesMoved: 0,
};

export function sum(parts: readonly Work[]): Work {
  return parts.reduce(
    (all, part) => ({
      multiplyAdds: all.multiplyAdds + part.multiplyAdds,
      flops: all.flops + part.flops,
      integerMultiplyAdds: all.integerMultiplyAdds + part.integerMultiplyAdds,
      otherOperations: all.otherOperations + part.otherOperations,
      bytesMoved: all.bytesMoved + part.bytesMoved,
    }),
    noWork,
  );
}

const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** The bytes of a buffer. */
export function bytesOf({ dtype, shape }: Pick<Program['buffers'][number], 'dtype' | 'shape'>): number {
  return countOf(shape) * bytesPerElement[dtype];
}

/** What each step of a program costs, all turns of loops together. */
export function workOf(program: Program): Work[] {
  const local = new Set(program.groups.flatMap((group) => group.local));
  return program.steps.map((step, at) => {
    const turns = program.loops?.find(({ first, last }) => at >= first && at <= last)?.count ?? 1;
    const { kernel } = step;
    const multiplyAdds = turns * productsOf(kernel);
    return {
      multiplyAdds,
      flops: 2 * multiplyAdds,
      integerMultiplyAdds: kernel.reduce?.dtype === 'int32' ? multiplyAdds : 0,
      otherOperations: turns * othersOf(kernel),
      bytesMoved: turns * trafficOf(step, program, local),
    };
  });
}

/** The memory that a program plans: buffers whose lives do not overlap share it. */
export function memoryOf({ buffers }: Program): number {
  const slots = new Map<number, number>();
  for (const buffer of buffers) slots.set(buffer.slot, Math.max(slots.get(buffer.slot) ?? 0, bytesOf(buffer)));
  return [...slots.values()].reduce((all, bytes) => all + bytes, 0);
}

const isProduct = (hint: Hint | undefined): boolean => hint?.kind === 'contraction' || hint?.kind === 'conv';

/** Of a convolution as many forward as in both gradients: a gradient of a strided one has no products with the zeros between. */
function productsOf({ hint, domain, reduce }: Kernel): number {
  if (hint?.kind === 'conv') return countOf(hint.output) * countOf(hint.weight.slice(1));
  return isProduct(hint) ? countOf(domain) * countOf(reduce?.extents ?? []) : 0;
}

function othersOf({ hint, domain, reduce, value, epilogue = [] }: Kernel): number {
  const elements = countOf(domain);
  const visits = elements * countOf(reduce?.extents ?? []);
  const finishing = elements * operationsIn(epilogue);
  switch (hint?.kind) {
    case 'contraction': {
      const sizes = [...domain, ...(reduce?.extents ?? [])];
      const over = (axes: readonly number[]): number => countOf(axes.map((axis) => sizes[axis] ?? 1));
      const { batch, rows, columns, inner, left, right } = hint;
      // operands that are computed on the way are computed once for each of their own elements
      const operands =
        over([...batch, ...rows, ...inner]) * operationsIn(value, left) +
        over([...batch, ...columns, ...inner]) * operationsIn(value, right);
      return operands + finishing;
    }
    case 'conv':
      return finishing;
    case 'scatter': // each update meets one element
      return (visits / (domain[hint.axis] ?? 1)) * (1 + operationsIn(value, hint.update)) + finishing;
    case 'scan': // each element is added to those before
      return elements * (1 + operationsIn(value, hint.operand)) + finishing;
    case 'rank': // a row of n is sorted by n log2 n comparisons
      return elements * Math.ceil(Math.log2(Math.max(domain[hint.axis] ?? 1, 2))) + finishing;
    default:
      return visits * (operationsIn(value) + (reduce === undefined ? 0 : 1)) + finishing;
  }
}

/** Operations on values behind a position of a body: not those on indices, which every loop has. */
function operationsIn(body: Body, result: number = body.length - 1): number {
  const restsOnData: boolean[] = [];
  for (const op of body) {
    const isData = op.op === 'load' || op.op === 'accumulator' || op.op === 'scalar';
    restsOnData.push(isData || ('args' in op && op.args.some((operand) => restsOnData[operand])));
  }
  const wanted = new Set([result]);
  let count = 0;
  for (let at = result; at >= 0; at--) {
    const op = body[at];
    if (op === undefined || !wanted.has(at) || !('args' in op)) continue; // what a load's index is made of is not wanted
    for (const operand of op.args) wanted.add(operand);
    if (isArithmetic(op) && (op.dtype === 'float32' || restsOnData[at])) count++;
  }
  return count;
}

const isArithmetic = ({ op }: Op): boolean => op !== 'cast' && op !== 'where';

function trafficOf({ kernel, write, reads }: Step, { buffers }: Program, local: ReadonlySet<number>): number {
  const visits = countOf(kernel.domain) * countOf(kernel.reduce?.extents ?? []);
  let bytes = local.has(write) ? 0 : countOf(kernel.domain) * bytesPerElement[kernel.dtype];
  for (const buffer of new Set(reads.map((read) => read.buffer))) {
    const type = buffers[buffer];
    if (type === undefined || local.has(buffer)) continue;
    // a slice of a large buffer reads no more elements than there are visits
    const loads = reads.filter((read) => read.buffer === buffer).length * visits;
    bytes += Math.min(countOf(type.shape), loads) * bytesPerElement[type.dtype];
  }
  return bytes;
}

function countOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
