/** Runs the optimizers of the packages on a loss of two weights, one after the other, step by step. */
import { parameter, type Tensor, tensor } from '@nn/core';
import { defaults, type OptimizerName, optimizers } from '../../model/spec.ts';
import { makeOptimizer } from '../../model/training.ts';
import { type Path, type RaceSettings, raceGrid } from './protocol.ts';
import { type SurfaceName, surfaces } from './surfaces.ts';

export async function paths(settings: RaceSettings): Promise<readonly Path[]> {
  const found: Path[] = [];
  for (const optimizer of optimizers) found.push({ optimizer, places: await pathOf(optimizer, settings) });
  return found;
}

async function pathOf(name: OptimizerName, { surface, start, rates, steps }: RaceSettings): Promise<Float32Array> {
  const { loss } = surfaces[surface];
  const model = { x: parameter([start[0]]), y: parameter([start[1]]) };
  const optimizer = makeOptimizer({ ...defaults, optimizer: name, learningRate: rates[name] }, model);
  const places: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const height = loss(model.x, model.y).sum();
    const [[x = 0], [y = 0], now] = await Promise.all([model.x.data(), model.y.data(), height.item()]);
    if (![x, y, now].every((value) => Number.isFinite(value))) break;
    places.push(x, y, now);
    if (step < steps) await optimizer.step(loss(model.x, model.y).sum());
  }
  return Float32Array.from(places);
}

export async function heights(surface: SurfaceName): Promise<Float32Array> {
  const { loss, bounds } = surfaces[surface];
  const [left, right, bottom, top] = bounds;
  const places = Array.from({ length: raceGrid * raceGrid }, (_, i) => [
    left + (((i % raceGrid) + 0.5) / raceGrid) * (right - left),
    top - ((Math.floor(i / raceGrid) + 0.5) / raceGrid) * (top - bottom),
  ]);
  const column = (axis: 0 | 1): Tensor => tensor(Float32Array.from(places, (place) => place[axis] as number));
  return Float32Array.from((await loss(column(0), column(1)).data()) as Float32Array);
}
