/**
 * The experiment as the part of an address after `#`, and back. Only what differs from the task's start values stands
 * there, so links stay short. Reading never throws: what it does not understand keeps its default.
 */
import { type Feature, features, isPlain } from './features.ts';
import {
  activations,
  backends,
  clamp,
  coverages,
  type DrawnPoint,
  defaults,
  hasFeatures,
  initializers,
  type LayerSpec,
  losses,
  mostLayers,
  mostPoints,
  norms,
  optimizers,
  penalties,
  type Spec,
  schedules,
  startOf,
  tasks,
} from './spec.ts';
import { exampleNames } from './tables.ts';

const numbers = [
  'samples',
  'noise',
  'testFraction',
  'seed',
  'balance',
  'learningRate',
  'scheduleSteps',
  'batchSize',
  'penaltyRate',
] as const;
const whole: ReadonlySet<string> = new Set(['samples', 'seed', 'scheduleSteps', 'batchSize']);
const choices = {
  initializer: initializers,
  loss: losses,
  optimizer: optimizers,
  schedule: schedules,
  penalty: penalties,
  backend: backends,
  coverage: coverages,
} as const;

/** `task=moons&layers=d6.tanh_d4.tanh&seed=3` */
export function encodeSpec(spec: Spec): string {
  const start: Spec = { ...defaults, ...startOf(spec.task) };
  const query = new URLSearchParams({ task: spec.task });
  for (const name of numbers) if (spec[name] !== start[name]) query.set(name, String(spec[name]));
  for (const name of keysOf(choices)) if (spec[name] !== start[name]) query.set(name, spec[name]);
  const layers = spec.layers.map(encodeLayer).join('_');
  if (layers !== start.layers.map(encodeLayer).join('_')) query.set('layers', layers === '' ? 'none' : layers);
  if (hasFeatures(spec.task) && !isPlain(spec.features)) query.set('features', spec.features.join('_'));
  if (spec.points.length > 0) query.set('points', encodePoints(spec.points));
  const { target, inputs, as, example } = spec.table;
  if (spec.task === 'table' && (target !== '' || inputs.length > 0 || as !== 'auto' || example !== undefined)) {
    query.set('table', JSON.stringify([target, inputs, as, ...(example === undefined ? [] : [example])]));
  }
  return query.toString();
}

export function decodeSpec(text: string): Spec {
  const query = new URLSearchParams(text.replace(/^#/, ''));
  const task = pick(tasks, query.get('task')) ?? defaults.task;
  const spec: { -readonly [Name in keyof Spec]: Spec[Name] } = { ...defaults, ...startOf(task), task };
  for (const name of numbers) {
    const given = query.get(name);
    if (given === null || given.trim() === '' || !Number.isFinite(Number(given))) continue;
    spec[name] = clamp(name, whole.has(name) ? Math.round(Number(given)) : Number(given));
  }
  spec.initializer = pick(initializers, query.get('initializer')) ?? spec.initializer;
  spec.loss = pick(losses, query.get('loss')) ?? spec.loss;
  spec.optimizer = pick(optimizers, query.get('optimizer')) ?? spec.optimizer;
  spec.schedule = pick(schedules, query.get('schedule')) ?? spec.schedule;
  spec.penalty = pick(penalties, query.get('penalty')) ?? spec.penalty;
  spec.backend = pick(backends, query.get('backend')) ?? spec.backend;
  spec.coverage = pick(coverages, query.get('coverage')) ?? spec.coverage;
  const layers = query.get('layers');
  if (layers === 'none') spec.layers = [];
  else if (layers !== null) spec.layers = decodeLayers(layers) ?? spec.layers;
  spec.features = decodeFeatures(query.get('features')) ?? spec.features;
  spec.points = decodePoints(query.get('points') ?? '');
  spec.table = decodeTable(query.get('table')) ?? spec.table;
  return spec;
}

/** `d6.tanh`, `c8k5vp.relu.batch.x0.2`: kind and size (v: without padding, p: halved), activation, normalisation, dropout. */
function encodeLayer(layer: LayerSpec): string {
  const size =
    layer.kind === 'dense'
      ? `d${layer.units}`
      : `c${layer.filters}k${layer.kernel}${layer.pad ? '' : 'v'}${layer.pool ? 'p' : ''}`;
  const norm = layer.norm === 'none' ? '' : `.${layer.norm}`;
  const dropout = layer.dropout === 0 ? '' : `.x${layer.dropout}`;
  return `${size}.${layer.activation}${norm}${dropout}`;
}

function decodeLayers(text: string): LayerSpec[] | null {
  const layers = text.split('_').slice(0, mostLayers).map(decodeLayer);
  return layers.every((layer) => layer !== null) ? layers : null;
}

function decodeLayer(text: string): LayerSpec | null {
  const [size = '', activationName = '', ...rest] = text.split(/\.(?!\d)/);
  const activation = pick(activations, activationName);
  if (activation === undefined) return null;
  const norm = rest.map((item) => pick(norms, item)).find((item) => item !== undefined) ?? 'none';
  const dropped = rest.find((item) => /^x[\d.]+$/.test(item));
  const dropout = dropped === undefined ? 0 : clamp('dropout', Number(dropped.slice(1)));
  const isDense = /^d(\d+)$/.exec(size);
  if (isDense) return { kind: 'dense', units: clamp('units', Number(isDense[1])), activation, norm, dropout };
  const isConv = /^c(\d+)k(\d+)(v?)(p?)$/.exec(size);
  if (!isConv) return null;
  const kernel = clamp('kernel', Number(isConv[2]) | 1);
  return {
    kind: 'conv',
    filters: clamp('filters', Number(isConv[1])),
    kernel,
    pad: isConv[3] !== 'v',
    pool: isConv[4] === 'p',
    activation,
    norm,
    dropout,
  };
}

/** Two characters a coordinate (0 to 1295 in base 36) and one for the class, so that a link can be read and edited. */
function encodePoints(points: readonly DrawnPoint[]): string {
  const digits = (value: number): string =>
    Math.round(((value + 1) / 2) * 1295)
      .toString(36)
      .padStart(2, '0');
  return points.map(({ x, y, target }) => `${digits(x)}${digits(y)}${target}`).join('');
}

function decodePoints(text: string): DrawnPoint[] {
  const points: DrawnPoint[] = [];
  for (const [, x = '', y = '', target] of text.matchAll(/([0-9a-z]{2})([0-9a-z]{2})([01])/g)) {
    const value = (digits: string): number => (Number.parseInt(digits, 36) / 1295) * 2 - 1;
    points.push({ x: value(x), y: value(y), target: target === '1' ? 1 : 0 });
  }
  return points.slice(0, mostPoints);
}

/** A drawn point as its address keeps it, so that a page and its link train on the same numbers. */
export function roundPoint(point: DrawnPoint): DrawnPoint {
  return decodePoints(encodePoints([point]))[0] ?? point;
}

/** In their own order, each once; none where there are none that are known. */
function decodeFeatures(text: string | null): readonly Feature[] | null {
  const named = new Set(text?.split('_'));
  const known = features.filter((name) => named.has(name));
  return known.length > 0 ? known : null;
}

function decodeTable(text: string | null): Spec['table'] | null {
  if (text === null) return null;
  try {
    const [target, inputs, as, given] = JSON.parse(text) as readonly unknown[];
    const example = pick(exampleNames, given);
    const names = Array.isArray(inputs) ? inputs.filter((name) => typeof name === 'string') : [];
    return {
      target: typeof target === 'string' ? target : '',
      inputs: names,
      as: pick(['auto', 'classes', 'number'] as const, as) ?? 'auto',
      ...(example !== undefined && { example }),
    };
  } catch {
    return null;
  }
}

/** The experiment with what an address names put in the place of what it was: `learningRate=3&optimizer=sgd`. */
export function withChanges(spec: Spec, address: string): Spec {
  const query = new URLSearchParams(encodeSpec(spec));
  const changes = new URLSearchParams(address.replace(/^#/, ''));
  // another task starts from its own values
  if (changes.has('task') && changes.get('task') !== spec.task) return decodeSpec(changes.toString());
  for (const [name, value] of changes) query.set(name, value);
  return decodeSpec(query.toString());
}

function pick<Name extends string>(names: readonly Name[], value: unknown): Name | undefined {
  return names.find((name) => name === value);
}

function keysOf<Names extends object>(names: Names): (keyof Names)[] {
  return Object.keys(names) as (keyof Names)[]; // the one cast: a constant object has no other keys
}
