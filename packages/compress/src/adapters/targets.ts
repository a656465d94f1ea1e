/** Layers that adapters can stand beside, and what they need to know of them. Owns telling the kinds apart. */
import { isParameter, type Parameter, type Tensor, ValueError } from '@nn/core';
import { Conv1d, Conv2d, Conv3d, Embedding, type Found, Linear, layersOf, MultiheadAttention } from '@nn/layers';
import { listed } from '../model.ts';
import { baseWeight } from './host.ts';

/** Which layers: their paths or the ends of paths ('q_proj', as in PEFT), a regular expression, or a test. */
export type AdapterTargets = string | readonly string[] | RegExp | ((path: string) => boolean);

export interface Target {
  readonly path: string;
  readonly layer: object;
  readonly kind: 'linear' | 'conv' | 'embedding' | 'attention';
  readonly field: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Whether the weight is [inputs, outputs]. */
  readonly isTransposed: boolean;
  readonly window?: Pick<Conv2d, 'kernelSize' | 'stride' | 'padding' | 'dilation'>;
  /** Null where it is no float32 parameter. */
  readonly weight: () => Parameter | null;
  readonly bias: () => Tensor | null;
}

/** The chosen layers. Throws ValueError where none is, and for one of a kind without adapters that is named by itself. */
export function targetsOf(operation: string, model: object, targets: AdapterTargets | undefined): Target[] {
  const all = layersOf(model).flatMap((found) => targetOf(found) ?? []);
  const chosen = all.filter(({ path, kind }) => (targets === undefined ? kind !== 'embedding' : fits(targets, path)));
  if (chosen.length > 0) return chosen;
  throw new ValueError(
    operation,
    `no layer that an adapter can stand beside fits${shown(targets)}: ${listed(all.map(({ path }) => path))}.`,
  );
}

/** Targets for messages. */
export function shown(targets: AdapterTargets | undefined): string {
  if (targets === undefined) return '';
  return ` ${targets instanceof RegExp || typeof targets !== 'object' ? String(targets) : targets.join(', ')}`;
}

/** Whether targets mean a path. */
export function fits(targets: AdapterTargets, path: string): boolean {
  if (typeof targets === 'function') return targets(path);
  if (targets instanceof RegExp) return path.search(targets) >= 0;
  const names: readonly string[] = typeof targets === 'string' ? [targets] : targets;
  return names.some((name) => path === name || path.endsWith(`.${name}`));
}

function targetOf({ path, layer }: Found): Target | null {
  const base = (field: string): Pick<Target, 'weight' | 'bias' | 'field' | 'path' | 'layer'> => ({
    path,
    layer,
    field,
    weight: () => baseWeight({ layer, field }),
    bias: () => {
      const bias: unknown = Reflect.get(layer, 'bias');
      return isParameter(bias) ? bias : null;
    },
  });
  if (layer instanceof MultiheadAttention) {
    const { dimension, heads, headDimension } = layer;
    // layers whose keys have a width of their own have three weights
    if (layer.inProjWeight === null) return null;
    return {
      ...base('inProjWeight'),
      kind: 'attention',
      inputs: dimension,
      outputs: 3 * heads * headDimension,
      isTransposed: false,
    };
  }
  if (layer instanceof Embedding) {
    return { ...base('weight'), kind: 'embedding', inputs: layer.count, outputs: layer.dimension, isTransposed: true };
  }
  if (layer instanceof Conv1d || layer instanceof Conv2d || layer instanceof Conv3d) {
    const { inputs, outputs, kernelSize, stride, padding, dilation, groups } = layer;
    if (groups !== 1) return null;
    return {
      ...base('weight'),
      kind: 'conv',
      inputs,
      outputs,
      isTransposed: false,
      window: { kernelSize, stride, padding, dilation },
    };
  }
  // any layer of rows to rows: of other packages, or with a weight of few bits
  const [inputs, outputs] = [Reflect.get(layer, 'inputs'), Reflect.get(layer, 'outputs')];
  if (typeof inputs !== 'number' || typeof outputs !== 'number' || 'kernelSize' in layer) return null;
  if (!(layer instanceof Linear) && !('weight' in layer)) return null;
  return {
    ...base('weight'),
    kind: 'linear',
    inputs,
    outputs,
    isTransposed: Reflect.get(layer, 'fanInFanOut') === true,
  };
}
