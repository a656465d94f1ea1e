/** Pruning of a model: which weights, by which scores, how many. Owns the options; masks.ts chooses, pruning.ts keeps the masks. */
import { checkOptions, hostUniform, type Parameter, type ParameterPattern, type Tensor, ValueError } from '@nn/core';
import { Embedding } from '@nn/layers';
import { chosen, heldParameters } from '../model.ts';
import { countToPrune, dropLowest, dropSlices, keepOfGroups } from './masks.ts';
import { type Prunable, prunables, requirePlain, type Sparsity, setMask, sparsity } from './pruning.ts';

export interface PruneOptions {
  /** What goes: from 0 to 1 a share of what is left, above a whole number of elements or slices. Not for groups. */
  readonly amount?: number;
  /** In place of `amount`: the share of all that is to be gone in the end, from 0 to 1. */
  readonly sparsity?: number;
  /** By the size of weights, at random, or by `scores`. Default 'magnitude'. */
  readonly method?: 'magnitude' | 'random';
  /** By the name of a weight: the higher, the longer it is kept. Movement scores, gradients, anything. In place of `method`. */
  readonly scores?: ReadonlyMap<string, Tensor>;
  /**
   * What goes together: single elements; slices along an axis, those of the smallest n-norm; or in groups, where 2 of each 4
   * neighbours in a row stay. Default 'elements'.
   */
  readonly structure?:
    | 'elements'
    | { readonly axis: number; readonly norm?: number }
    | { readonly keep: number; readonly of: number };
  /** Whether the lowest of each weight go, or those of all weights together. Default 'layer'. */
  readonly scope?: 'layer' | 'global';
  /** Which weights: a beginning of names, a regular expression, a test. Default: those of 2 axes and more, embeddings aside. */
  readonly which?: ParameterPattern;
}

/**
 * Takes the weights that matter least out of a model: they are 0 from then on, also while it is trained on. What is already gone
 * stays gone, and a share is of what is left, as PyTorch's `torch.nn.utils.prune` has it (l1_unstructured, random_unstructured,
 * ln_structured, global_unstructured). Gives what the model's masks have taken in all.
 *
 * Zeros alone make nothing faster here: dense kernels multiply them too. `shrink` builds smaller layers.
 *
 * @example
 * import { prune } from '@nn/compress';
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const layer = new Linear(4, 1, { bias: false });
 * layer.weight.assign(tensor([[0.5, -0.1, 2, -3]]));
 * const { zeros, share } = await prune(layer, { amount: 0.5 });
 * console.log(zeros, share, await layer.weight.mul(1).array()); // => 2 0.5 [[0, 0, 2, -3]]
 */
export async function prune(model: object, options: PruneOptions): Promise<Sparsity> {
  checkOptions('prune', options, ['amount', 'sparsity', 'method', 'scores', 'structure', 'scope', 'which']);
  const { structure = 'elements', scope = 'layer', method = 'magnitude', scores: given, which } = options;
  check(options);
  const named = new Map(prunables(heldParameters(model)).map((one) => [one.name, one]));
  const standard = (one: Prunable): boolean => one.parameter.rank >= 2 && !(one.layer instanceof Embedding);
  const candidates = [...named.values()].filter((one) => which !== undefined || standard(one));
  const targets = chosen('prune', candidates, which).flatMap(({ name }) => named.get(name) ?? []);
  requirePlain('prune', targets);
  const masks = await Promise.all(targets.map(maskValues));
  const scores = await Promise.all(
    targets.map(async ({ name, parameter }) => {
      if (given !== undefined) return scoresOf(given, name, parameter);
      if (method === 'random') return hostUniform(parameter.size);
      return Float32Array.from(await parameter.data(), Math.abs);
    }),
  );
  if (structure === 'elements') {
    const sets = scope === 'global' ? [masks] : masks.map((mask) => [mask]);
    sets.forEach((set, k) => {
      const own = scope === 'global' ? scores : [scores[k]!];
      dropLowest(own, set, countOf(options, set));
    });
  } else {
    targets.forEach(({ parameter: { shape }, name }, k) => {
      if ('of' in structure) keepOfGroups(scores[k]!, masks[k]!, shape, structure.keep, structure.of, name);
      else {
        const axis = axisOf(structure.axis, shape.length, name);
        const share = options.amount ?? shareLeft(options.sparsity ?? 0, masks[k]!);
        dropSlices(scores[k]!, masks[k]!, shape, axis, structure.norm ?? 2, share);
      }
    });
  }
  for (const [k, target] of targets.entries()) setMask(target, masks[k]!);
  return sparsity(model);
}

function check({ amount, sparsity, structure = 'elements', scope = 'layer', method, scores }: PruneOptions): void {
  const isGroups = typeof structure === 'object' && 'of' in structure;
  if (isGroups) {
    const { keep, of } = structure;
    if (!(Number.isInteger(keep) && Number.isInteger(of) && keep > 0 && keep < of)) {
      throw new ValueError('prune', `keep ${keep} of ${of}: both are whole numbers, and fewer stay than there are.`);
    }
  }
  if (isGroups ? amount !== undefined || sparsity !== undefined : (amount === undefined) === (sparsity === undefined)) {
    throw new ValueError(
      'prune',
      isGroups
        ? 'groups say themselves how many stay: leave amount and sparsity out.'
        : 'give either amount or sparsity.',
    );
  }
  if (sparsity !== undefined && !(sparsity >= 0 && sparsity <= 1)) {
    throw new ValueError('prune', `sparsity is ${sparsity}: it must be from 0 to 1.`);
  }
  if (scope === 'global' && structure !== 'elements') {
    throw new ValueError(
      'prune',
      "scope 'global' compares elements: slices and groups are compared within their weight.",
    );
  }
  if (method !== undefined && scores !== undefined) {
    throw new ValueError('prune', 'method and scores both say what goes: give one.');
  }
}

async function maskValues({ mask, parameter }: Prunable): Promise<Float32Array> {
  return mask === null ? new Float32Array(parameter.size).fill(1) : Float32Array.from(await mask.data());
}

async function scoresOf(
  given: ReadonlyMap<string, Tensor>,
  name: string,
  { shape, size }: Parameter,
): Promise<Float32Array> {
  const scores = given.get(name);
  if (scores?.size === size) return Float32Array.from(await scores.data());
  const what = scores === undefined ? 'there are none' : `they are [${scores.shape.join(', ')}]`;
  throw new ValueError('prune', `the scores of ${name} must be [${shape.join(', ')}]: ${what}.`);
}

function countOf({ amount, sparsity }: PruneOptions, masks: readonly Float32Array[]): number {
  const left = masks.reduce((sum, mask) => sum + mask.reduce((kept, one) => kept + one, 0), 0);
  if (amount !== undefined) return countToPrune(amount, left);
  const all = masks.reduce((sum, mask) => sum + mask.length, 0);
  return Math.max(0, Math.round((sparsity ?? 0) * all) - (all - left));
}

/** The share of what is left that must go for a share of all to be gone. */
function shareLeft(sparsity: number, mask: Float32Array): number {
  const left = mask.reduce((kept, one) => kept + one, 0) / mask.length;
  return left === 0 ? 0 : Math.max(0, (sparsity - (1 - left)) / left);
}

function axisOf(axis: number, rank: number, name: string): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new ValueError('prune', `axis is ${axis}, and ${name} has ${rank} axes.`);
}
