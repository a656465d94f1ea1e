/** Attention, rotary positions and gated units, as operator sets 23 and later have them. */
import { arange, concat, type Tensor, tensor, where } from '@nn/core';
import { type Call, device, type Operator, type Result } from '../run/call.ts';
import { narrow } from './movement.ts';

/** [N, steps, heads * size] as [N, heads, steps, size]. */
function intoHeads(x: Tensor, heads: number): Tensor {
  if (x.rank === 4) return x;
  const [batch, steps, width] = x.shape as [number, number, number];
  return x.reshape([batch, steps, heads, width / heads]).transpose(1, 2);
}

/** Each head of keys and values serves several of the queries. */
function repeated(x: Tensor, heads: number): Tensor {
  const [batch, own, steps, size] = x.shape as [number, number, number, number];
  if (own === heads) return x;
  return x
    .unsqueeze(2)
    .expand([batch, own, heads / own, steps, size])
    .reshape([batch, heads, steps, size]);
}

/** What queries may look at: a bias to add, or null where they see everything. */
function biasOf(call: Call, shape: readonly number[], past: number): Tensor | null {
  const [, , queries, keys] = shape as [number, number, number, number];
  const forbidden = (allowed: Tensor): Tensor => where(allowed, 0, Number.NEGATIVE_INFINITY);
  let bias: Tensor | null = null;
  const mask = call.optionalTensor(3);
  if (mask !== null) {
    bias = mask.dtype === 'bool' ? forbidden(mask) : mask;
    const missing = keys - bias.shape.at(-1)!;
    // a mask that ends before the keys do hides the rest
    if (missing > 0) {
      const amounts = bias.shape.map((_, axis): [number, number] => [0, axis === bias!.rank - 1 ? missing : 0]);
      bias = bias.pad(amounts, Number.NEGATIVE_INFINITY);
    }
  }
  const add = (more: Tensor): void => {
    bias = bias === null ? more : bias.add(more);
  };
  const lengths = call.optionalTensor(6);
  const key = arange(keys).reshape([1, 1, 1, keys]);
  const counts = lengths?.cast('int32').reshape([lengths.size, 1, 1, 1]) ?? null;
  if (counts !== null) add(forbidden(key.less(counts)));
  if (call.flag('is_causal')) {
    const query = arange(queries).reshape([1, 1, queries, 1]);
    const last = counts === null ? query.add(past) : query.add(counts).sub(queries);
    add(forbidden(key.lessEqual(last)));
  }
  return bias;
}

/** softmax(scale Q K^T + bias) V; rows that see nothing give 0. */
function attention(call: Call): Result {
  const isFlat = call.shape(0).length === 3;
  const queryHeads = isFlat ? call.integer('q_num_heads', 1) : call.shape(0)[1]!;
  const keyHeads = isFlat ? call.integer('kv_num_heads', 1) : call.shape(1)[1]!;
  const q = intoHeads(call.tensor(0), queryHeads);
  let k = intoHeads(call.tensor(1), keyHeads);
  let v = intoHeads(call.tensor(2), keyHeads);
  const [pastKey, pastValue] = [call.optionalTensor(4), call.optionalTensor(5)];
  if (pastKey !== null) k = concat([pastKey, k], 2);
  if (pastValue !== null) v = concat([pastValue, v], 2);
  const past = pastKey?.shape[2] ?? 0;
  const scale = call.float('scale', 1 / Math.sqrt(q.shape[3]!));
  const root = Math.sqrt(scale);
  const raw = q.mul(root).matmul(repeated(k, queryHeads).mul(root).transpose());
  const cap = call.float('softcap', 0);
  const capped = cap > 0 ? raw.div(cap).tanh().mul(cap) : raw;
  const bias = biasOf(call, raw.shape, past);
  const scores = bias === null ? capped : capped.add(bias);
  const weights = weightsOf(scores, bias);
  let y = weights.matmul(repeated(v, queryHeads));
  const [batch, heads, steps, size] = y.shape as [number, number, number, number];
  if (isFlat) y = y.transpose(1, 2).reshape([batch, steps, heads * size]);
  const shown = [raw, capped, scores, weights][call.integer('qk_matmul_output_mode', 0)] ?? raw;
  const type = call.type(0);
  return [device(type, y), device(call.type(1), k), device(call.type(2), v), device(type, shown)];
}

function weightsOf(scores: Tensor, bias: Tensor | null): Tensor {
  const weights = scores.softmax(-1);
  if (bias === null) return weights;
  const seesNothing = scores.max(-1, { keepAxes: true }).equal(Number.NEGATIVE_INFINITY);
  return where(seesNothing, 0, weights);
}

/** Pairs of features turned by angles that grow with the position (Su et al. 2021). */
function rotary(call: Call): Result {
  const given = call.tensor(0);
  const isFlat = given.rank === 3;
  const heads = isFlat ? call.integer('num_heads', 1) : given.shape[1]!;
  const x = isFlat ? intoHeads(given, heads) : given;
  const [batch, , steps, size] = x.shape as [number, number, number, number];
  const turned = call.integer('rotary_embedding_dim', 0) || size;
  const half = turned / 2;
  const positions = call.optionalTensor(3);
  const angles = (table: Tensor): Tensor => {
    const rows =
      positions === null
        ? table
        : table.gather(positions.reshape([batch * steps]), 0).reshape([batch, steps, table.shape.at(-1)!]);
    return narrow(rows, rows.rank - 1, 0, half).reshape([rows.rank === 2 ? 1 : rows.shape[0]!, 1, steps, half]);
  };
  const [cos, sin] = [angles(call.tensor(1)), angles(call.tensor(2))];
  const active = narrow(x, 3, 0, turned);
  const isInterleaved = call.flag('interleaved');
  const pairs = isInterleaved ? active.reshape([batch, heads, steps, half, 2]) : null;
  const a = pairs === null ? narrow(active, 3, 0, half) : narrow(pairs, 4, 0, 1).squeeze(4);
  const b = pairs === null ? narrow(active, 3, half, turned) : narrow(pairs, 4, 1, 2).squeeze(4);
  const [real, imaginary] = [a.mul(cos).sub(b.mul(sin)), a.mul(sin).add(b.mul(cos))];
  const rotated = isInterleaved
    ? concat([real.unsqueeze(4), imaginary.unsqueeze(4)], 4).reshape([batch, heads, steps, turned])
    : concat([real, imaginary], 3);
  const y = turned === size ? rotated : concat([rotated, narrow(x, 3, turned, size)], 3);
  return device(call.type(0), isFlat ? y.transpose(1, 2).reshape([batch, steps, heads * size]) : y);
}

/** One half of the features, gated by swish of the other. */
function swiglu(call: Call): Result {
  const [x, gate] = call.has(1) ? [call.tensor(0), call.tensor(1)] : halves(call);
  const alpha = call.float('alpha', 1);
  return device(call.type(0), x.mul(x.mul(alpha).sigmoid()).mul(gate));
}

function halves(call: Call): [Tensor, Tensor] {
  const x = call.tensor(0);
  const axis = call.axis(call.integer('axis', -1), x.rank);
  const half = x.shape[axis]! / 2;
  return [narrow(x, axis, 0, half), narrow(x, axis, half, 2 * half)];
}

/**
 * Attention whose keys and values are summed into one matrix a head, step by step:
 * S <- decay S + k (beta (v - S^T k))^T in its gated delta form, S <- decay S + k v^T without the correction; y = scale S^T q.
 */
function linearAttention(call: Call): Result {
  const isFlat = call.shape(0).length === 3;
  const queryHeads = isFlat ? call.integer('q_num_heads', 1) : call.shape(0)[1]!;
  const keyHeads = isFlat ? call.integer('kv_num_heads', 1) : call.shape(1)[1]!;
  const [q, k, v] = [
    intoHeads(call.tensor(0), queryHeads),
    intoHeads(call.tensor(1), keyHeads),
    intoHeads(call.tensor(2), keyHeads),
  ];
  const [batch, , steps, size] = k.shape as [number, number, number, number];
  const width = v.shape[3]!;
  const rule = call.text('update_rule', 'gated_delta');
  const scale = call.float('scale', 0) || 1 / Math.sqrt(size);
  let state =
    call.optionalTensor(3) ??
    tensor(new Float32Array(batch * keyHeads * size * width)).reshape([batch, keyHeads, size, width]);
  const perHead = (position: number): Tensor | null => {
    const x = call.optionalTensor(position);
    if (x === null) return null;
    return x.rank === 4 ? x : x.reshape([batch, steps, keyHeads, -1]).transpose(1, 2);
  };
  const [decay, beta] = [perHead(4), perHead(5)];
  const outputs: Tensor[] = [];
  const at = (x: Tensor, t: number): Tensor => narrow(x, 2, t, t + 1).squeeze(2);
  for (let t = 0; t < steps; t++) {
    const key = at(k, t).unsqueeze(3);
    const value = at(v, t).unsqueeze(2);
    if (decay !== null && rule.startsWith('gated')) state = state.mul(at(decay, t).exp().unsqueeze(3));
    let added = value;
    if (rule.endsWith('delta')) {
      const recalled = state.mul(key).sum(2, { keepAxes: true });
      added = value.sub(recalled);
      if (beta !== null) added = added.mul(at(beta, t).unsqueeze(3));
    }
    state = state.add(key.mul(added));
    outputs.push(repeated(state, queryHeads).mul(at(q, t).mul(scale).unsqueeze(3)).sum(2, { keepAxes: true }));
  }
  const y = concat(outputs, 2);
  const flat = isFlat ? y.transpose(1, 2).reshape([batch, steps, queryHeads * width]) : y;
  return [device(call.type(0), flat), device(call.type(0), state)];
}

export const attending: Readonly<Record<string, Operator>> = {
  Attention: attention,
  RotaryEmbedding: rotary,
  LinearAttention: linearAttention,
  SwiGLU: swiglu,
};
