/**
 * Layers that are one operator of ONNX: Gemm, BatchNormalization, LayerNormalization, LSTM, GRU, RNN. Those of whole numbers are in
 * `write-quantised.ts`.
 */
import { ValueError } from '@nn/core';
import type { QuantisedAttributes, RecurrentAttributes } from './layer-calls.ts';
import type { Item, Mark } from './traces.ts';
import type { NodeWriter } from './write-nodes.ts';
import { writeQuantised } from './write-quantised.ts';

/** Writes the operator of a call; its results have values afterwards. */
export function writeLayer(writer: NodeWriter, mark: Mark): void {
  const [input, ...rest] = mark.inputs;
  const results = mark.results;
  const names = rest.map((item) => (item === null ? '' : writer.value(item)));
  const x = writer.value(input!);
  const { builder } = writer;
  if (mark.name === 'layer:linear') writer.set(results[0]!, linear(writer, input!, names));
  else if (mark.name === 'layer:batchNorm') {
    const { epsilon } = mark.attributes as { readonly epsilon: number };
    writer.set(results[0]!, builder.add('BatchNormalization', [x, ...names], { epsilon: { float: epsilon } }));
  } else if (mark.name === 'layer:layerNorm') {
    const { epsilon, rank } = mark.attributes as { readonly epsilon: number; readonly rank: number };
    const inputs = [x, ...names].filter((name) => name !== '');
    writer.set(results[0]!, builder.add('LayerNormalization', inputs, { axis: -rank, epsilon: { float: epsilon } }));
  } else if (mark.name === 'layer:quantised') {
    writer.set(results[0]!, writeQuantised(writer, mark.attributes as QuantisedAttributes, input!, rest));
  } else recurrent(writer, mark.attributes as RecurrentAttributes, input!, rest, results);
}

/** x W^T + b: Gemm for rows, MatMul for more axes. */
function linear(writer: NodeWriter, input: Item, [weight = '', bias = '']: readonly string[]): string {
  const { builder } = writer;
  const x = writer.value(input);
  if (input[0]!.shape.length === 2) {
    return builder.add('Gemm', bias === '' ? [x, weight] : [x, weight, bias], { transB: 1 });
  }
  const product = builder.add('MatMul', [x, builder.add('Transpose', [weight], { perm: [1, 0] })]);
  return bias === '' ? product : builder.add('Add', [product, bias]);
}

/** Where the gates of PyTorch's order stand in ONNX's: i f g o as i o f c, r z n as z r h. */
const gateOrders = { LSTM: [0, 3, 1, 2], GRU: [1, 0, 2], RNN: [0] } as const;

function recurrent(
  writer: NodeWriter,
  { operator, path, hidden, layers, directions, batchFirst }: RecurrentAttributes,
  input: Item,
  weights: readonly (Item | null)[],
  results: readonly Item[],
): void {
  const { builder } = writer;
  const order = gateOrders[operator];
  const batchOf = writer.shape(input)[batchFirst ? 0 : 1]!;
  const stepsOf = writer.shape(input)[batchFirst ? 1 : 0]!;
  let x = batchFirst ? builder.add('Transpose', [writer.value(input)], { perm: [1, 0, 2] }) : writer.value(input);
  const states: string[][] = [[], []];
  for (let layer = 0; layer < layers; layer++) {
    const cells = Array.from({ length: directions }, (_, k) =>
      weights.slice(4 * (layer * directions + k), 4 * (layer * directions + k + 1)),
    );
    /** One kind of weight of all directions, its gates in ONNX's order. */
    const gathered = (kinds: readonly number[], name: string, shape: readonly number[]): string => {
      const rows = cells.flatMap((cell) => kinds.flatMap((kind) => gates(writer, cell[kind] ?? null, order, hidden)));
      const data = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const row of rows) {
        data.set(row, at);
        at += row.length;
      }
      const base = path === '' ? operator.toLowerCase() : path;
      return builder.weight(builder.unique(`${base}.${name}_l${layer}`), 'float32', shape, data);
    };
    const width = cells[0]![0]![0]!.shape[1]!;
    const hasBias = cells[0]![2] !== null;
    const count = order.length * hidden;
    const inputs = [x, gathered([0], 'W', [directions, count, width]), gathered([1], 'R', [directions, count, hidden])];
    if (hasBias) inputs.push(gathered([2, 3], 'B', [directions, 2 * count]));
    const attributes = {
      hidden_size: hidden,
      direction: directions === 2 ? 'bidirectional' : 'forward',
      ...(operator === 'GRU' ? { linear_before_reset: 1 } : {}),
    };
    const [all, ...last] = builder.addMany(operator, inputs, operator === 'LSTM' ? 3 : 2, attributes);
    last.forEach((name, k) => {
      states[k]?.push(name);
    });
    // [steps, directions, batch, hidden] as [steps, batch, directions * hidden]
    if (directions === 1) x = builder.add('Squeeze', [all!, builder.integers([1])]);
    else {
      const turned = builder.add('Transpose', [all!], { perm: [0, 2, 1, 3] });
      const from = [stepsOf, batchOf, directions, hidden];
      x = writer.reshape(turned, from, [stepsOf, batchOf, directions * hidden], 'a sequence');
    }
  }
  const [output, ...final] = results;
  writer.set(output!, batchFirst ? builder.add('Transpose', [x], { perm: [1, 0, 2] }) : x);
  final.forEach((item, k) => {
    const parts = states[k]!;
    writer.set(item, parts.length === 1 ? parts[0]! : builder.add('Concat', parts, { axis: 0 }));
  });
}

/** The gates of a weight or bias, in ONNX's order. */
function gates(writer: NodeWriter, item: Item | null, order: readonly number[], hidden: number): Float32Array[] {
  if (item === null) return [];
  const data = writer.dataOf(item);
  if (!(data instanceof Float32Array)) {
    throw new ValueError(
      'encodeOnnx/weights',
      'a recurrent layer whose weights are computed (weightNorm) is not written: remove that first.',
    );
  }
  const size = data.length / order.length;
  if (size % hidden !== 0)
    throw new ValueError('encodeOnnx/weights', 'a recurrent layer has weights of another shape than its cells.');
  return order.map((gate) => data.subarray(gate * size, (gate + 1) * size));
}
