/**
 * Parameter groups: what an optimizer may be given, and its options filled in for each parameter.
 * Owns no update and no counting.
 */
import { checkOptions, type Parameter, parameters as parametersOf, ValueError } from '@nn/core';
import type { Clip } from './clipping.ts';
import type { Schedule } from './schedules.ts';

/** Options of every optimizer; each may differ between groups, except `clip`. */
export interface OptimizerOptions {
  /** A number, or a function of the step. */
  readonly learningRate?: number | Schedule;
  /** Share of the parameter that is added to its gradient (AdamW: taken off the parameter itself). Default 0, AdamW 0.01. */
  readonly weightDecay?: number;
  /** Whether to climb instead of to descend. Default false. */
  readonly maximize?: boolean;
  /** A limit on the gradients of all groups. */
  readonly clip?: Clip;
}

/** Options with every default filled in. */
export type Complete<Options extends OptimizerOptions> = Required<Omit<Options, 'clip'>> & Pick<Options, 'clip'>;

/** Parameters (a model or a list) that share options; what it does not name comes from the optimizer's options. */
export type ParameterGroup<Options> = Partial<Omit<Options, 'clip'>> & { readonly parameters: object };

/** A model, a list of parameters, or a list of groups. */
export type ParameterSource<Options> = object | readonly ParameterGroup<Options>[];

/** A group as an optimizer keeps it; its learning rate may be set anew. */
export interface Group<Options> {
  readonly options: Options;
  learningRate: number | Schedule;
}

/** The options with every default filled in. Throws a `ValueError` for one that does not exist. */
export function complete<Options extends OptimizerOptions>(
  optimizer: string,
  defaults: Required<Omit<Options, 'clip'>>,
  options: Options,
): Complete<Options> {
  checkOptions(optimizer, options, [...Object.keys(defaults), 'clip']);
  return { ...defaults, ...options };
}

/** The parameters of all groups in order, each once, and the group of each. */
export function readGroups<Options extends { readonly learningRate: number | Schedule }>(
  optimizer: string,
  source: ParameterSource<Options>,
  options: Options,
): { readonly parameters: Parameter[]; readonly groups: Group<Options>[]; readonly groupOf: Group<Options>[] } {
  const parameters: Parameter[] = [];
  const groupOf: Group<Options>[] = [];
  const given: readonly { readonly parameters: object }[] = isGroupList(source) ? source : [{ parameters: source }];
  const groups = given.map(({ parameters: members, ...own }) => {
    const merged = { ...options, ...own };
    const group: Group<Options> = { options: merged, learningRate: merged.learningRate };
    for (const member of parametersOf(members)) {
      parameters.push(member);
      groupOf.push(group);
    }
    return group;
  });
  if (parameters.length === 0) {
    throw new ValueError(
      `${optimizer}: there is no trainable parameter in what it was given: a model, a list of parameters or of groups.`,
    );
  }
  if (new Set(parameters).size !== parameters.length) {
    throw new ValueError(`${optimizer}: a parameter stands in two groups: name each in one.`);
  }
  return { parameters, groups, groupOf };
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
  if (!Number.isFinite(rate)) {
    throw new ValueError(`The learning rate at step ${step} is ${rate}: it must be a finite number.`, { step, rate });
  }
  return rate;
}
