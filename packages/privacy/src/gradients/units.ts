/**
 * The parts of a model whose parameters' gradients are looked at one by one: the outermost layers that hold parameters
 * themselves. Owns finding them, refusing those that mix samples, and which parameter belongs to whom.
 */
import { namedParameters, type Parameter, parameters, ValueError } from '@nn/core';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, layersOf, type Watched } from '@nn/layers';

export interface Unit {
  /** '' is the model itself. */
  readonly path: string;
  readonly layer: Watched;
  /** All that is trained inside. */
  readonly parameters: readonly Parameter[];
}

/** Layers that hold parameters which no layer inside of them holds, and are inside of none of that kind. */
export function unitsOf(model: object): Unit[] {
  const layers = layersOf(model);
  const units: Unit[] = [];
  for (const { path, layer } of layers) {
    if (units.some((unit) => isInside(path, unit.path))) continue;
    const inner = layers.filter((other) => other.path !== path && isInside(other.path, path));
    const held = new Set(inner.flatMap((other) => parameters(other.layer)));
    const own = parameters(layer);
    if (own.some((each) => !held.has(each))) units.push({ path, layer, parameters: own });
  }
  return units;
}

const isInside = (path: string, outer: string): boolean => outer === '' || path.startsWith(`${outer}.`);

/**
 * Throws ValueError, with its path, for a layer that lets samples of a batch see each other: what one sample changes is then
 * not bounded by its own gradient.
 */
export function refuseMixing(operation: string, model: object): void {
  for (const { path, layer } of layersOf(model)) {
    const isBatchNorm = layer instanceof BatchNorm1d || layer instanceof BatchNorm2d || layer instanceof BatchNorm3d;
    const keepsStatistics = 'runningMean' in layer && layer.runningMean !== null;
    if (!isBatchNorm && !keepsStatistics) continue;
    const running = 'runningMean' in layer ? layer.runningMean : null;
    // with frozen statistics it is a scale and a shift, the same for every sample
    if (typeof running === 'object' && running !== null && 'frozen' in running && running.frozen === true) continue;
    throw new ValueError(
      operation,
      `${path === '' ? 'the model' : path} is ${String(layer)}, whose statistics mix the samples of a batch, which breaks the proof: use GroupNorm or LayerNorm, or freeze its running statistics.`,
      { path },
    );
  }
}

/** Throws ValueError for a trained parameter that no layer holds. */
export function checkCovered(operation: string, model: object, units: readonly Unit[]): void {
  const covered = new Set(units.flatMap((unit) => unit.parameters));
  for (const [name, member] of namedParameters(model)) {
    if (!member.trainable || covered.has(member)) continue;
    throw new ValueError(
      operation,
      `${name} is held by no layer, so its uses cannot be watched: put it into a class with a forward, or take { method: 'vmap' }.`,
      { parameter: name },
    );
  }
}
