/** Sums of products over named axes: the contraction primitive, matmul and einsum. */
import { ShapeError, ValueError } from '../errors.ts';
import { named } from '../graph/hooks.ts';
import { apply, type Node } from '../graph/node.ts';
import { type Binary, definePrimitive, type Primitive } from '../graph/primitive.ts';
import { broadcastShapes, show } from '../shape.ts';
import { multiply } from './arithmetic.ts';
import { isBatched } from './batch.ts';
import { factors, storedAsFactors } from './halves.ts';
import { sum } from './reduce.ts';
import { expandTo, moveAxis, narrow, Permute, padStatic, permute, reshape, transpose, unsqueeze } from './views.ts';

/** How many axes of each kind, in this order: left is [batch, rows, inner], right [batch, columns, inner], the result [batch, rows, columns]. */
export interface ContractionAxes {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

export const Contraction: Primitive<ContractionAxes, Binary> = definePrimitive({
  name: 'contraction',
  kind: 'nest',
  access: () => 'strided',
  mayPermute: true,
  infer: ([left, right], { batch, rows, columns }) => ({
    dtype: left.dtype,
    shape: [...left.shape.slice(0, batch + rows), ...right.shape.slice(batch, batch + columns)],
  }),
  key: ({ batch, rows, columns, inner }) => [batch, rows, columns, inner],
  // C = A B^T over the inner axes:  dA = G B over the columns,  dB = G^T A over the rows
  gradient: (cotangent, [left, right], { attributes: { batch, rows, columns, inner } }) => {
    const g = storedAsFactors(cotangent, left, right);
    return [
      () => contract(g, swap(right, batch, columns, inner), { batch, rows, columns: inner, inner: columns }),
      () =>
        contract(swap(g, batch, rows, columns), swap(left, batch, rows, inner), {
          batch,
          rows: columns,
          columns: inner,
          inner: rows,
        }),
    ];
  },
  // the rows of one operand are an axis more of its own; of both, one more that they share
  batch: ([left, right], { inputs, attributes: axes }) => {
    const { batch, rows } = axes;
    if (!isBatched(right, inputs[1])) {
      const y = apply(Contraction, [moveAxis(left, 0, batch), right], { ...axes, rows: rows + 1 });
      return moveAxis(y, batch, 0);
    }
    if (isBatched(left, inputs[0])) return apply(Contraction, [left, right], { ...axes, batch: batch + 1 });
    const y = apply(Contraction, [left, moveAxis(right, 0, batch)], { ...axes, columns: axes.columns + 1 });
    return moveAxis(y, batch + rows, 0);
  },
  reduction: ({ inputs: [left], attributes, dtype }) => ({
    op: 'sum',
    extents: left.shape.slice(left.shape.length - attributes.inner),
    dtype,
  }),
  lower: (node, at) => {
    const { batch, rows } = node.attributes;
    const shared = at.index.slice(0, batch);
    const left = at.operand(0, [...shared, ...at.index.slice(batch, batch + rows), ...at.reduced]);
    const right = at.operand(1, [...shared, ...at.index.slice(batch + rows), ...at.reduced]);
    return at.emit('mul', node.dtype, left, right);
  },
  hint: ({ attributes: { batch, rows, columns, inner } }, operands, loops) => {
    const loopsOf = (start: number, count: number): number[] => loops.slice(start, start + count).sort((a, b) => a - b);
    return {
      kind: 'contraction',
      batch: loopsOf(0, batch),
      rows: loopsOf(batch, rows),
      columns: loopsOf(batch + rows, columns),
      inner: Array.from({ length: inner }, (_, i) => loops.length + i),
      left: operands[0]!,
      right: operands[1]!,
    };
  },
});

/** A contraction; where nothing is summed (an outer product) a plain multiplication, which fuses. */
function contract(left: Node, right: Node, axes: ContractionAxes): Node {
  const { batch, rows, columns, inner } = axes;
  const summed = left.shape.slice(left.shape.length - inner);
  if (summed.some((size) => size !== 1)) return apply(Contraction, [left, right], axes);
  const shared = left.shape.slice(0, batch);
  const wide = [...shared, ...left.shape.slice(batch, batch + rows), ...new Array<number>(columns).fill(1)];
  const deep = [...shared, ...new Array<number>(rows).fill(1), ...right.shape.slice(batch, batch + columns)];
  return multiply(reshape(left, wide), reshape(right, deep));
}

/** The two groups of axes behind the first `batch` exchanged. */
function swap(x: Node, batch: number, first: number, second: number): Node {
  const order = x.shape.map((_, axis) => axis);
  return permute(x, [
    ...order.slice(0, batch),
    ...order.slice(batch + first, batch + first + second),
    ...order.slice(batch, batch + first),
  ]);
}

/** C^T = B A^T: a contraction whose rows and columns are exchanged exchanges its operands instead. */
export function swapContraction(x: Node, order: readonly number[]): Node | null {
  const [left, right] = x.inputs;
  if (x.primitive !== Contraction || x.storage !== null || left === undefined || right === undefined) return null;
  const { batch, rows, columns, inner } = x.attributes as ContractionAxes;
  const swapped = order.every((axis, position) => {
    if (position < batch) return axis === position;
    return axis === (position < batch + columns ? position + rows : position - columns);
  });
  return swapped ? apply(Contraction, [right, left], { batch, rows: columns, columns: rows, inner }) : null;
}

/** The matrix product, with NumPy's rules: batches broadcast, a vector is a row at the left and a column at the right. */
export function matmul(a: Node, b: Node): Node {
  return named('matmul', [a, b], null, productOf(a, b));
}

function productOf(a: Node, b: Node): Node {
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeError('matmul', 'a scalar has no columns: multiply with mul instead.', { a: a.shape, b: b.shape });
  }
  if (a.shape.length === 1) return squeezed(matmul(unsqueeze(a, 0), b), b.shape.length === 1 ? -1 : -2);
  if (b.shape.length === 1) return squeezed(matmul(a, unsqueeze(b, 1)), -1);
  const columns = a.shape[a.shape.length - 1];
  const rows = b.shape[b.shape.length - 2];
  if (columns !== rows) {
    throw new ShapeError(
      'matmul',
      `inner sizes differ: ${show(a.shape)} has ${columns} columns, ${show(b.shape)} has ${rows} rows.`,
      { a: a.shape, b: b.shape },
    );
  }
  const [left, second] = factors('matmul', a, b);
  if (b.shape.length === 2) {
    // all leading axes of a are rows: no batch is needed
    const axes = { batch: 0, rows: a.shape.length - 1, columns: 1, inner: 1 };
    const asked = (): Node => contract(left, transpose(second), axes);
    // x W^T, as layers compute it: transposed twice W is what it was
    const straight = b.primitive === Permute && b.storage === null ? b.inputs[0] : undefined;
    if (second !== b || straight === undefined || straight.dtype !== b.dtype) return asked();
    const product = contract(left, straight, axes);
    if (product.primitive === Contraction) product.asked = asked;
    return product.primitive === Contraction ? product : asked();
  }
  const right = transpose(second);
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  return contract(
    expandTo(left, [...batch, ...left.shape.slice(-2)]),
    expandTo(right, [...batch, ...right.shape.slice(-2)]),
    {
      batch: batch.length,
      rows: 1,
      columns: 1,
      inner: 1,
    },
  );
}

function squeezed(x: Node, axis: number): Node {
  const at = axis + x.shape.length;
  return reshape(
    x,
    x.shape.filter((_, a) => a !== at),
  );
}

/**
 * Einstein's summation: 'ij,jk->ik'. Letters name axes, repeated ones are multiplied, those missing at the right are
 * summed; `...` stands for leading axes that broadcast. Products are taken from left to right.
 */
export function einsum(equation: string, operands: readonly Node[]): Node {
  const { terms, result } = parseEquation(equation, operands);
  let labels = terms[0]!;
  let value = operands[0]!;
  [value, labels] = takeDiagonals(value, labels);
  for (let k = 1; k < operands.length; k++) {
    const [right, rightLabels] = takeDiagonals(operands[k]!, terms[k]!);
    const later = result + terms.slice(k + 1).join('');
    [value, labels] = contractPair(value, labels, right, rightLabels, later);
  }
  const summed = [...labels].flatMap((label, axis) => (result.includes(label) ? [] : [axis]));
  if (summed.length > 0) {
    value = sum(value, summed);
    labels = [...labels].filter((label) => result.includes(label)).join('');
  }
  return permute(
    value,
    [...result].map((label) => labels.indexOf(label)),
  );
}

/** Contracts all labels that both have and nobody needs later. */
function contractPair(a: Node, left: string, b: Node, right: string, later: string): [Node, string] {
  const only = (labels: string, other: string): string =>
    [...labels].filter((label) => !other.includes(label)).join('');
  // labels of one side that nobody else needs are summed first
  const reduceOwn = (x: Node, labels: string, other: string): [Node, string] => {
    const own = [...labels].flatMap((label, axis) => (other.includes(label) || later.includes(label) ? [] : [axis]));
    return own.length === 0
      ? [x, labels]
      : [sum(x, own), [...labels].filter((_, axis) => !own.includes(axis)).join('')];
  };
  const [x, xs] = reduceOwn(a, left, right);
  const [y, ys] = reduceOwn(b, right, left);
  const shared = [...xs].filter((label) => ys.includes(label));
  const batch = shared.filter((label) => later.includes(label)).join('');
  const inner = shared.filter((label) => !later.includes(label)).join('');
  const rows = only(xs, ys);
  const columns = only(ys, xs);
  const sizes = new Map<string, number>();
  for (const [labels, node] of [
    [xs, x],
    [ys, y],
  ] as const) {
    [...labels].forEach((label, axis) => {
      sizes.set(label, joinedSize(sizes.get(label), node.shape[axis]!));
    });
  }
  const arrange = (node: Node, labels: string, order: string): Node =>
    expandTo(
      permute(
        node,
        [...order].map((label) => labels.indexOf(label)),
      ),
      [...order].map((label) => sizes.get(label)!),
    );
  const [first, second] = factors('einsum', x, y);
  const l = arrange(first, xs, batch + rows + inner);
  const r = arrange(second, ys, batch + columns + inner);
  const labels = batch + rows + columns;
  const sizesOf = { batch: batch.length, rows: rows.length, columns: columns.length, inner: inner.length };
  return [contract(l, r, sizesOf), labels];
}

/** The size of a label that two operands have: size 1 broadcasts, to 0 as well. */
function joinedSize(known: number | undefined, size: number): number {
  return known === undefined || known === 1 ? size : known;
}

/** A label that stands twice in one term keeps the diagonal of its two axes. */
function takeDiagonals(x: Node, labels: string): [Node, string] {
  const first = [...labels].findIndex((label, axis) => labels.indexOf(label) !== axis);
  if (first < 0) return [x, labels];
  const label = labels[first]!;
  const partner = labels.indexOf(label);
  const size = x.shape[first]!;
  const rest = x.shape.map((_, axis) => axis).filter((axis) => axis !== first && axis !== partner);
  // the diagonal of [n, n] is every (n + 1)-th element: pad each row by one column and read the first n^2 as [n, n + 1]
  const rows = reshape(permute(x, [...rest, partner, first]), [...rest.map((a) => x.shape[a]!), size * size]);
  const padded = padEnd(rows, size);
  const diagonal = firstColumn(reshape(padded, [...rest.map((a) => x.shape[a]!), size, size + 1]));
  return takeDiagonals(diagonal, rest.map((axis) => labels[axis]).join('') + label);
}

function padEnd(x: Node, count: number): Node {
  const zeros = x.shape.map(() => 0);
  return padStatic(x, { before: zeros, after: [...zeros.slice(1), count], step: x.shape.map(() => 1) });
}

function firstColumn(x: Node): Node {
  const last = x.shape.length - 1;
  return reshape(narrow(x, last, 0, 1), x.shape.slice(0, last));
}

function parseEquation(equation: string, operands: readonly Node[]): { terms: string[]; result: string } {
  const fail = (why: string): never => {
    throw new ValueError('einsum', `'${equation}': ${why}.`, { equation, shapes: operands.map((x) => x.shape) });
  };
  const [inputs, output, ...rest] = equation.replaceAll(' ', '').split('->') as [string, string?, ...string[]];
  if (rest.length > 0) fail("'->' stands more than once");
  const raw = inputs.split(',');
  if (raw.length !== operands.length) fail(`names ${raw.length} operands, ${operands.length} were given`);
  if (!/^[A-Za-z.]*$/.test(inputs.replaceAll(',', '') + (output ?? ''))) fail('axes are named by letters');
  // '...' becomes private labels, aligned at the right
  const hidden = raw.map((term, k) =>
    term.includes('...') ? operands[k]!.shape.length - term.replace('...', '').length : 0,
  );
  const most = Math.max(...hidden);
  const dots = (count: number): string =>
    Array.from({ length: count }, (_, i) => String.fromCharCode(0x2460 + most - count + i)).join('');
  const terms = raw.map((term, k) => term.replace('...', dots(hidden[k]!)));
  const sizes = new Map<string, number>();
  terms.forEach((term, k) => {
    const { shape } = operands[k]!;
    if (term.length !== shape.length) {
      fail(`operand ${k} is named '${raw[k]}' (${term.length} axes) but has the shape ${show(shape)}`);
    }
    [...term].forEach((label, axis) => {
      const size = shape[axis]!;
      const known = sizes.get(label);
      const isDots = label.charCodeAt(0) >= 0x2460;
      if (known !== undefined && known !== size && !(isDots && (known === 1 || size === 1))) {
        fail(`axis '${label}' has size ${known} and size ${size}`);
      }
      sizes.set(label, joinedSize(known, size));
    });
  });
  const letters = terms.join('');
  const implied = [...new Set(letters)].filter((l) => l.charCodeAt(0) < 0x2460 && letters.split(l).length === 2).sort();
  const result = output === undefined ? dots(most) + implied.join('') : output.replace('...', dots(most));
  for (const label of result) {
    if (!sizes.has(label)) fail(`axis '${label}' of the result is in no operand`);
  }
  if (new Set(result).size !== result.length) fail('an axis stands twice in the result');
  return { terms, result };
}
