/**
 * The state of an optimizer whose parameters are dealt out to ranks, as that of one optimizer over all of them, and back. Owns
 * which number stands for which; when it is done is sharded.ts.
 */
import { type Parameter, replace, type Tensor, tensor, treeChildren, ValueError } from '@nn/core';
import type { Optimizer, Rule } from '@nn/optim';
import type { Group } from './group.ts';

type Shards = readonly (readonly number[])[];

/** What an optimizer saves on the host; `@nn/optim` writes and checks it. */
interface HostState {
  readonly stepCount: number;
  readonly names: readonly string[];
  readonly steps: readonly number[];
  readonly learningRates: readonly (number | null)[];
}

// the cast: every optimizer of `@nn/optim` saves this
const hostStateOf = (optimizer: Optimizer<Rule>): HostState => optimizer.hostState() as HostState;

/** The tensors that an optimizer keeps for a parameter, by what they are: 'exp_avg', 'exp_avg_sq'. */
function tensorsOf(optimizer: Optimizer<Rule>): Map<string, Parameter>[] {
  const children = (optimizer as unknown as { [treeChildren](): Readonly<Record<string, Parameter>> })[treeChildren]();
  const positions = new Map(optimizer.names.map((name, position) => [name, position]));
  const found = optimizer.names.map(() => new Map<string, Parameter>());
  for (const [key, kept] of Object.entries(children)) {
    // what it is has no dots, the parameter's name may have some
    const end = key.indexOf('.');
    found[positions.get(key.slice(end + 1))!]!.set(key.slice(0, end), kept);
  }
  return found;
}

/** Fills the state of `whole` on the rank `root` from the parts of all ranks. */
export async function collectState(
  whole: Optimizer<Rule>,
  own: Optimizer<Rule> | null,
  shards: Shards,
  group: Group,
  root: number,
): Promise<void> {
  const theirs = tensorsOf(whole);
  const mine = own === null ? [] : tensorsOf(own);
  const updates: (readonly [Parameter, Tensor])[] = [];
  for (const [rank, positions] of shards.entries()) {
    for (const [at, position] of positions.entries()) {
      for (const [kind, target] of theirs[position]!) {
        const values = rank === group.rank ? await mine[at]!.get(kind)!.data('float32') : new Float32Array(target.size);
        await group.broadcast(values, rank);
        if (group.rank === root) updates.push([target, tensor(values, { shape: target.shape, borrow: true })]);
      }
    }
  }
  if (updates.length > 0) await replace(updates);
  const state = hostStateOf(whole);
  const ours = own === null ? null : hostStateOf(own);
  if (ours !== null && ours.learningRates.length !== state.learningRates.length) {
    throw new ValueError(
      'Sharded.consolidate',
      `the optimizer of this rank has ${ours.learningRates.length} groups, that of all parameters ${state.learningRates.length}: make as many groups of any list.`,
    );
  }
  // rank 0 has the largest parameter, so that it has an optimizer
  const counts = new Float64Array(1 + state.steps.length);
  if (group.rank === 0) counts[0] = ours!.stepCount;
  shards[group.rank]!.forEach((position, at) => {
    counts[1 + position] = ours!.steps[at]!;
  });
  await group.allReduce(counts, 'sum', { fixed: true });
  const rates = await group.broadcast(
    Float64Array.from(state.learningRates, (_, at) => ours?.learningRates[at] ?? Number.NaN),
    0,
  );
  whole.loadHostState({
    ...state,
    stepCount: counts[0],
    steps: [...counts.subarray(1)],
    learningRates: [...rates].map((rate) => (Number.isNaN(rate) ? null : rate)),
  });
}

/** Gives the optimizer of one rank its part of the state of `whole`; `positions`: which parameters are its own. */
export async function takeState(
  whole: Optimizer<Rule>,
  own: Optimizer<Rule>,
  positions: readonly number[],
): Promise<void> {
  const [theirs, mine] = [tensorsOf(whole), tensorsOf(own)];
  const [from, to] = [hostStateOf(whole), hostStateOf(own)];
  own.loadHostState({
    ...to,
    stepCount: from.stepCount,
    steps: positions.map((position) => from.steps[position]!),
    learningRates: from.learningRates,
  });
  const updates = positions.flatMap((position, at) =>
    [...mine[at]!].map(([kind, target]) => [target, theirs[position]!.get(kind)!] as const),
  );
  if (updates.length > 0) await replace(updates);
}
