/**
 * Parameter groups: what an optimizer may be given, and its options filled in for each parameter.
 * Owns no update and no counting.
 */
import { checkOptions, namedParameters, type Parameter, ValueError } from '@nn/core';
import type { Clip } from './clipping.ts';
import type { Constraint } from './constraints.ts';
import type { GradientTransform } from './gradient-transforms.ts';
import type { Schedule } from './schedules.ts';

/** Options of every optimizer; each may differ between groups, except `clip`. */
export interface OptimizerOptions {
  /** A number, or a function of the step. */
  readonly learningRate?: number | Schedule;
  /** Share of the parameter that is added to its gradient, or taken off the parameter itself where its optimizer says so. */
  readonly weightDecay?: number;
  /** Whether to climb instead of to descend. Default false. */
  readonly maximize?: boolean;
  /** A limit on the gradients of all groups. */
  readonly clip?: Clip;
  /** What is done to each gradient after clipping: `centralize`, `gradientNoise`, or a function of your own. */
  readonly transform?: GradientTransform;
  /** What each parameter is made to keep after its update: `maxNorm`, `nonNegative`, or a function of your own. */
  readonly constraint?: Constraint;
  /**
   * Of parameters that are stored as half floats: whether a float32 copy is kept ("master weights"), to which updates are added,
   * and which is then rounded. Without it updates below a 256th (bfloat16) of a weight are lost. Default true.
   */
  readonly masterWeights?: boolean;
}

/** The options that have no default. */
type Unset = 'clip' | 'transform' | 'constraint' | 'masterWeights';
const unset: readonly Unset[] = ['clip', 'transform', 'constraint', 'masterWeights'];

/** The defaults of the options that have one. */
export type Defaults<Options extends OptimizerOptions> = Required<Omit<Options, Unset>>;

/** Options with every default filled in. */
export type Complete<Options extends OptimizerOptions> = Defaults<Options> & Pick<Options, Unset>;

/** Parameters (a model or a list) that share options; what it does not name comes from the optimizer's options. */
export type ParameterGroup<Options> = Partial<Omit<Options, 'clip'>> & { readonly parameters: object };

/** A model, a list of parameters, or a list of groups. */
export type ParameterSource<Options> = object | readonly ParameterGroup<Options>[];

/** A group as an optimizer keeps it. */
export interface Group<Options> {
  readonly parameters: readonly Parameter[];
  readonly options: Options;
  /** A number, or a function of the step. */
  learningRate: number | Schedule;
}

/** What numbers an option takes: from `low` to `high`, both included unless `below`. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly below?: boolean;
}

const fromZero: Range = { low: 0, high: Number.MAX_VALUE };
const share: Range = { low: 0, high: 1 };
const negativeShare: Range = { low: -1, high: 0 };

/** The options of all optimizers that are numbers, or lists of them, and not just 0 or more. */
const ranges: Readonly<Record<string, Range>> = {
  alpha: share,
  dampening: share,
  rho: share,
  betas: { low: 0, high: 1, below: true },
  learningRatePower: negativeShare,
  decayPower: negativeShare,
  coefficients: { low: -Number.MAX_VALUE, high: Number.MAX_VALUE },
};

const counts: readonly string[] = ['no', 'one', 'two', 'three'];

/** The options with every default filled in. Throws ValueError for one that does not exist, or of another kind or range. */
export function complete<Options extends OptimizerOptions>(
  optimizer: string,
  defaults: Defaults<Options>,
  options: Options,
): Complete<Options> {
  checkOptions(optimizer, options, [...Object.keys(defaults), ...unset]);
  const all = { ...defaults, ...options };
  checkValues(optimizer, all, defaults);
  return all;
}

/** Checks numbers and lists of numbers; what they are is told by `defaults`. */
function checkValues(optimizer: string, options: object, defaults: object): void {
  const kinds = new Map<string, unknown>(Object.entries(defaults));
  for (const [name, value] of Object.entries(options)) {
    const kind = kinds.get(name);
    const range = ranges[name] ?? fromZero;
    if (name === 'masterWeights') {
      if (typeof value === 'boolean' || value === undefined) continue;
      throw new ValueError(optimizer, `masterWeights must be true or false, got ${String(value)}.`, { [name]: value });
    }
    if (name === 'transform' || name === 'constraint') {
      if (typeof value === 'function' || value === undefined) continue;
      throw new ValueError(optimizer, `${name} must be a function of a tensor, got ${typeof value}.`);
    }
    if (name === 'learningRate') checkRate(optimizer, value);
    else if (typeof kind === 'number') checkNumber(optimizer, name, value, range);
    else if (!Array.isArray(kind)) continue;
    else if (!Array.isArray(value) || value.length !== kind.length) {
      const count = counts[kind.length] ?? kind.length;
      throw new ValueError(optimizer, `${name} must be ${count} numbers, got ${String(value)}.`, { [name]: value });
    } else value.forEach((item: unknown, k) => void checkNumber(optimizer, `${name}[${k}]`, item, range));
  }
}

/** Throws ValueError unless `rate` is a schedule or a finite number of at least 0. */
export function checkRate(optimizer: string, rate: unknown): void {
  if (typeof rate !== 'function') checkNumber(optimizer, 'learningRate', rate, fromZero, ' or a function of the step');
}

function checkNumber(optimizer: string, name: string, value: unknown, range: Range, or = ''): void {
  const { low, high, below = false } = range;
  if (typeof value === 'number' && value >= low && (below ? value < high : value <= high)) return;
  const isOpen = high === Number.MAX_VALUE;
  const least = low === -high ? 'finite' : `finite and at least ${low}`;
  const bounds = isOpen ? least : `from ${low} to ${below ? `below ${high}` : high}`;
  const shown = typeof value === 'string' ? `'${value}', a string` : String(value);
  throw new ValueError(optimizer, `${name} is ${shown}: it must be a number, ${bounds}${or}.`, { [name]: value });
}

/**
 * The parameters of all groups in order, each once, without buffers; the group of each; and the name of each in
 * checkpoints: its path in the model that was given, so that state finds its parameter in any order; of a list the name
 * that it has already. One that shares its name with another (two models in two groups) is called by its position.
 */
export function readGroups<Options extends { readonly learningRate: number | Schedule }>(
  optimizer: string,
  source: ParameterSource<Options>,
  options: Options,
): {
  readonly parameters: Parameter[];
  readonly groups: Group<Options>[];
  readonly groupOf: Group<Options>[];
  readonly names: string[];
} {
  const paths: string[] = [];
  const given: readonly { readonly parameters: object }[] = isGroupList(source) ? source : [{ parameters: source }];
  const groups = given.map(({ parameters: members, ...own }): Group<Options> => {
    const known = [...Object.keys(options), 'transform', 'constraint', 'masterWeights'].filter(
      (name) => name !== 'clip',
    );
    checkOptions(`${optimizer}: a group`, own, known);
    const merged = { ...options, ...own };
    checkValues(`${optimizer}: a group`, merged, options);
    const named = [...namedParameters(members)].filter(([, { isBuffer }]) => !isBuffer);
    const parameters = named.map(([, member]) => member);
    paths.push(...named.map(([path, member]) => (Array.isArray(members) ? member.name : path)));
    return { parameters, options: merged, learningRate: merged.learningRate };
  });
  const parameters = groups.flatMap((group) => group.parameters);
  if (parameters.length === 0) {
    throw new ValueError(
      optimizer,
      'there is no parameter to train in what it was given: a model, a list of parameters or of groups.',
    );
  }
  if (new Set(parameters).size !== parameters.length) {
    throw new ValueError(optimizer, 'a parameter stands in two groups: name each in one.');
  }
  const count = new Map<string, number>();
  for (const path of paths) count.set(path, (count.get(path) ?? 0) + 1);
  const names = paths.map((path, i) => (path === '' || count.get(path) !== 1 ? `#${i}` : path));
  return { parameters, groups, groupOf: groups.flatMap((group) => group.parameters.map(() => group)), names };
}

function isGroupList(source: object): source is readonly { readonly parameters: object }[] {
  return (
    Array.isArray(source) &&
    source.length > 0 &&
    source.every((item) => typeof item === 'object' && item !== null && Object.hasOwn(item, 'parameters'))
  );
}

/** The learning rate of a group at a step, which counts from 0. */
export function rateAt(group: Group<unknown>, step: number): number {
  const rate = typeof group.learningRate === 'number' ? group.learningRate : group.learningRate(step);
  if (!(Number.isFinite(rate) && rate >= 0)) {
    throw new ValueError(
      '/learning-rate',
      `The learning rate at step ${step} is ${rate}: it must be a finite number of at least 0.`,
      {
        step,
        rate,
      },
    );
  }
  return rate;
}
