/**
 * Looking on while a loss is computed: what every unit is given and gives, and along which axis the batch lies. Owns the
 * interception; what follows from it is `rules.ts`'.
 */
import {
  concat,
  gradientsOrNull,
  isTensor,
  type Parameter,
  randomState,
  type Shape,
  setRandomState,
  type Tensor,
  ValueError,
} from '@nn/core';
import { mapTensors, tensorsOf } from './tensors.ts';
import type { Unit } from './units.ts';

/** One call of a unit. */
export interface Call {
  readonly unit: Unit;
  readonly inputs: readonly unknown[];
  readonly output: unknown;
  /** Whether it drew random numbers, so that it cannot be done again. */
  readonly draws: boolean;
  /** Of a recurrent unit: for each of its cells the sequence and its product, [length, N, ...]. */
  readonly projections: readonly (readonly [sequence: Tensor, projected: Tensor])[];
}

/** The axes of the batch of the tensors of a call, in the order of `tensorsOf`; null: none. */
export interface CallAxes {
  readonly inputs: readonly (number | null)[];
  readonly outputs: readonly (number | null)[];
}

/** Replaces a method while `work` runs. */
function intercept(
  owner: object,
  name: string,
  change: (method: (...inputs: unknown[]) => unknown) => (...inputs: unknown[]) => unknown,
): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  const method: unknown = Reflect.get(owner, name);
  if (typeof method !== 'function') return () => undefined;
  const value = change((...inputs) => Reflect.apply(method, owner, inputs));
  Object.defineProperty(owner, name, { configurable: true, writable: true, value });
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}

/** Calls `work` and keeps what units were given and gave; `cut` lets no gradient out of a unit. */
export function watchUnits<T>(
  units: readonly Unit[],
  work: () => T,
  cut = false,
): { readonly result: T; readonly calls: readonly Call[] } {
  const calls: Call[] = [];
  const restores: (() => void)[] = [];
  for (const unit of units) {
    let projections: (readonly [Tensor, Tensor])[] = [];
    const { layer } = unit;
    restores.push(
      intercept(layer, 'forward', (forward) => (...inputs) => {
        projections = [];
        const before = randomState().counter;
        const given = forward(...inputs);
        const output = cut ? mapTensors(given, (x) => x.stopGradient()) : given;
        calls.push({ unit, inputs, output, draws: randomState().counter !== before, projections });
        return output;
      }),
    );
    for (const cell of cellsOf(layer)) {
      restores.push(
        intercept(cell, 'project', (project) => (...inputs) => {
          const projected = project(...inputs);
          const [sequence] = inputs;
          if (isTensor(sequence) && isTensor(projected)) projections.push([sequence, projected]);
          return projected;
        }),
      );
    }
  }
  try {
    return { result: work(), calls };
  } finally {
    for (const restore of restores.reverse()) restore();
  }
}

function cellsOf(layer: object): readonly object[] {
  return 'cells' in layer && Array.isArray(layer.cells) ? layer.cells : [];
}

/**
 * Where the batch lies in the tensors of each call: the loss is built a second time, for one sample more, and never
 * computed; the axes that grow by one are those of the batch. Throws ValueError for parameters that are used outside of
 * their layers.
 */
export function findAxes<B extends object>(
  operation: string,
  units: readonly Unit[],
  parameters: readonly Parameter[],
  batch: B,
  rows: number,
  losses: (batch: B) => Tensor,
): CallAxes[] {
  const state = randomState();
  try {
    const larger = mapTensors({ ...batch }, (x) => (x.shape[0] === rows ? concat([x, x.slice([0], [1])], 0) : x)) as B; // the cast: tensors stay tensors
    const small = watchUnits(units, () => losses(batch));
    setRandomState(state);
    const large = watchUnits(units, () => losses(larger), true);
    const outside = gradientsOrNull(large.result.sum(), parameters);
    const stray = parameters.find((_, k) => outside[k] !== null);
    if (stray !== undefined) {
      throw new ValueError(
        operation,
        `${stray.name || 'a parameter'} is used outside of its layer's forward, where it cannot be watched: call the layer, or take { method: 'vmap' }.`,
        { parameter: stray.name },
      );
    }
    return small.calls.map((call, k) => {
      const other = large.calls[k];
      const find = (of: (each: Call) => unknown): (number | null)[] => {
        const [a, b] = [tensorsOf(of(call)), other === undefined ? [] : tensorsOf(of(other))];
        return a.map((x, i) => axisOf(operation, call, x.shape, b[i]?.shape, rows));
      };
      return { inputs: find(({ inputs }) => inputs), outputs: find(({ output }) => output) };
    });
  } finally {
    setRandomState(state);
  }
}

/** The axis along which the second shape has one sample more. */
function axisOf(operation: string, { unit }: Call, a: Shape, b: Shape | undefined, rows: number): number | null {
  const grown = a.flatMap((size, axis) => (b?.[axis] === size ? [] : [axis]));
  const [axis] = grown;
  if (b?.length === a.length && axis === undefined) return null;
  if (b?.length === a.length && grown.length === 1 && a[axis!] === rows && b[axis!] === rows + 1) return axis!;
  throw new ValueError(
    operation,
    `${unit.path === '' ? 'the model' : unit.path} is given or gives [${a.join(', ')}], in which the batch of ${rows} is no axis of its own: keep it apart, or take { method: 'vmap' }.`,
    { path: unit.path, shape: a },
  );
}
