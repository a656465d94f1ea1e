/**
 * What all turns of a loop give to one value, summed, without a sum in each turn: a product whose operands are known for all
 * turns is one product over all of them, A1 B1 + A2 B2 = [A1 A2] [B1; B2], and a sum over an axis is one over the turns too.
 */
import { apply, type Node } from '../graph/node.ts';
import { Add, add, Multiply } from '../ops/arithmetic.ts';
import { Contraction, type ContractionAxes } from '../ops/contract.ts';
import { Sum } from '../ops/reduce.ts';
import { Expand, moveAxis, Permute, permute, Reshape, reshape } from '../ops/views.ts';

/** The value of a node of the body in all turns: [count, ...]. */
type AllTurns = (node: Node) => Node;

export class SumOfTurns {
  /** The nodes of the body that must be known for all turns. */
  readonly operands: readonly Node[];
  readonly make: (all: AllTurns) => Node;

  constructor(operands: readonly Node[], make: (all: AllTurns) => Node) {
    this.operands = operands;
    this.make = make;
  }

  /** The sum of what `node` is in each turn; null where turns had better add it up themselves. */
  static of(node: Node, count: number): SumOfTurns | null {
    const { primitive, inputs, attributes, shape } = node;
    if (primitive === Add) {
      const [a, b] = inputs.map((input) => SumOfTurns.of(input, count));
      if (a === null || a === undefined || b === null || b === undefined) return null;
      return new SumOfTurns([...a.operands, ...b.operands], (all) => add(a.make(all), b.make(all)));
    }
    if (primitive === Reshape || primitive === Permute) {
      const inner = SumOfTurns.of(inputs[0]!, count);
      if (inner === null) return null;
      return new SumOfTurns(inner.operands, (all) => {
        const sum = inner.make(all);
        return primitive === Reshape ? reshape(sum, shape) : permute(sum, attributes as readonly number[]);
      });
    }
    if (primitive === Contraction) {
      const [left, right] = inputs.map((input) => seen(input, count)) as [Seen, Seen];
      const { batch, rows, columns, inner } = attributes as ContractionAxes;
      return new SumOfTurns([left.operand, right.operand], (all) =>
        apply(Contraction, [moveAxis(left.view(all), 0, batch + rows), moveAxis(right.view(all), 0, batch + columns)], {
          batch,
          rows,
          columns,
          inner: inner + 1,
        }),
      );
    }
    if (primitive === Multiply && shape.length === 2) {
      // the product of a column and a row, as products over an axis of one element are written
      const [column, row] = inputs.map((input) => (input.primitive === Expand ? input.inputs[0]! : input)) as [
        Node,
        Node,
      ];
      if (column.shape.join() !== `${shape[0]},1` || row.shape.join() !== `1,${shape[1]}`) return null;
      const [left, right] = [seen(column, count), seen(row, count)];
      const flat = (all: Node): Node => moveAxis(reshape(all, [count, -1]), 0, 1);
      return new SumOfTurns([left.operand, right.operand], (all) =>
        apply(Contraction, [flat(left.view(all)), flat(right.view(all))], { batch: 0, rows: 1, columns: 1, inner: 1 }),
      );
    }
    if (primitive === Sum) {
      const { operand, view } = seen(inputs[0]!, count);
      const axes = (attributes as readonly number[]).map((axis) => axis + 1);
      return new SumOfTurns([operand], (all) => apply(Sum, [view(all)], [0, ...axes]));
    }
    return null;
  }
}

/** A node behind views, and the views for all turns. */
interface Seen {
  readonly operand: Node;
  readonly view: (all: AllTurns) => Node;
}

function seen(node: Node, count: number): Seen {
  const { primitive } = node;
  if (primitive !== Reshape && primitive !== Permute) return { operand: node, view: (all) => all(node) };
  const { operand, view } = seen(node.inputs[0]!, count);
  return { operand, view: (all) => primitive.batch!([view(all)], node, count) };
}
