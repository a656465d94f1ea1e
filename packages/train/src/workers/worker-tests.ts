/** The training and the trial of workers.*.test.ts, made in the test and in its workers alike. */
import { cpu } from '@nn/backend-cpu/javascript';
import { setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { type Batch, type DataArray, DataLoader, moons } from '@nn/data';
import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW } from '@nn/optim';
import { Training } from '../index.ts';

setDefaultBackend(cpu());

export function makeModel(): Sequential {
  setSeed(3);
  return new Sequential(new Linear(2, 8), relu, new Linear(8, 2));
}

type Sample = Batch<{ readonly inputs: DataArray; readonly targets: DataArray<Int32Array> }>;
/** `waits`: milliseconds that each step waits before it learns, as one on another device does. */
export type Settings = { readonly learningRate: number; readonly epochs: number; readonly waits?: number };

export function makeTraining({
  learningRate,
  epochs,
  waits,
}: Settings): Training<Sample, { readonly accuracy: Accuracy }> {
  if (learningRate < 0) throw new RangeError('learningRate is below 0');
  const model = makeModel();
  const accuracy = new Accuracy();
  const optimizer = new AdamW(model, { learningRate });
  const step = ({ inputs, targets }: Sample): Tensor => {
    const logits = model.forward(inputs);
    accuracy.update(logits, targets);
    return crossEntropy(logits, targets);
  };
  const common = {
    model,
    data: new DataLoader(moons(100, { seed: 1 }), { batchSize: 20, shuffle: true, seed: 1 }),
    metrics: { accuracy },
    epochs,
    readEvery: 2,
  };
  if (waits === undefined) return new Training({ ...common, optimizer, step });
  const late = async (batch: Sample): Promise<Tensor> => {
    await new Promise((resolve) => setTimeout(resolve, waits));
    const loss = step(batch);
    await optimizer.step(loss);
    return loss;
  };
  return new Training({ ...common, step: late, parts: { optimizer } });
}

export async function trial({ learningRate }: { readonly learningRate: number }): Promise<number> {
  if (learningRate === 99) await new Promise(() => setInterval(() => undefined, 1000)); // hangs
  if (learningRate === 97 || learningRate === 98) {
    setTimeout(() => {
      if (learningRate === 98) process.exit(3);
      throw new Error('of no trial');
    }, 100);
    return 0;
  }
  if (learningRate > 100) process.exit(7);
  const { history } = await makeTraining({ learningRate, epochs: 2 }).run();
  return history.at(-1)!.values.loss;
}
