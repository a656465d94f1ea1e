/** Which samples of the training moved the loss of others: TracIn. */
import {
  checkOptions,
  evaluate,
  type Model,
  parameters,
  perSampleGradients,
  type Tensor,
  type TensorData,
  tensor,
  ValueError,
  zeros,
} from '@nn/core';

/** The weights at a time of the training. */
export interface WeightsAt {
  /** `await Promise.all(parameters(model).map((p) => p.data()))` */
  readonly weights: readonly TensorData[];
  readonly learningRate: number;
}

export interface TracInOptions {
  /** Times of the training. Default: the weights as they are, with a learning rate of 1. */
  readonly checkpoints?: readonly WeightsAt[];
}

/**
 * How much each sample of `train` lowered (or, negative, raised) the loss of each sample of `test`: the sum over checkpoints of
 * learning rate x (gradient of the one's loss) . (gradient of the other's), [tests, trains]. The sample itself and mislabelled
 * ones like it come out on top. `loss` is that of a batch, in evaluation mode. (Pruthi et al. 2020.)
 *
 * @example
 * import { parameter, tensor, type Tensor } from '@nn/core';
 * import { tracIn } from '@nn/explain';
 * const model = { weight: parameter([1]) };
 * const loss = (x: Tensor, y: Tensor) => x.mul(model.weight).sub(y).square().mean();
 * const found = await tracIn(loss, model, [tensor([1, 2]), tensor([3, 2])], [tensor([1]), tensor([3])]);
 * console.log(await found.array()); // => [[16, 0]]
 */
export async function tracIn<A extends readonly Tensor[]>(
  loss: (...batch: A) => Tensor,
  model: Model,
  train: A,
  test: A,
  options: TracInOptions = {},
): Promise<Tensor> {
  checkOptions('tracIn', options, ['checkpoints']);
  const { checkpoints } = options;
  const trained = parameters(model);
  const gradientsAt = perSampleGradients(loss, model);
  const products = (): Tensor =>
    evaluate(() => {
      const [ofTrain, ofTest] = [gradientsAt(...train).gradients, gradientsAt(...test).gradients];
      const flat = (x: Tensor): Tensor => x.reshape([x.shape[0] as number, x.size / (x.shape[0] as number)]);
      return ofTest.map((g, k) => flat(g).matmul(flat(ofTrain[k] as Tensor).transpose())).reduce((a, b) => a.add(b));
    });
  if (checkpoints === undefined) return products();
  const now = await Promise.all(trained.map((p) => p.data()));
  const put = (weights: readonly TensorData[]): void => {
    for (const [k, p] of trained.entries()) p.assign(tensor(weights[k] as TensorData, { shape: p.shape }));
  };
  let total = zeros([test[0]?.shape[0] ?? 0, train[0]?.shape[0] ?? 0]);
  try {
    for (const { weights, learningRate } of checkpoints) {
      const fits = weights.length === trained.length && weights.every(({ length }, k) => length === trained[k]?.size);
      if (!fits) {
        throw new ValueError(
          'tracIn',
          'the weights of a checkpoint are not those of the model, in the order of parameters(model).',
        );
      }
      put(weights);
      total = total.add(products().mul(learningRate));
      await total.data();
    }
  } finally {
    put(now);
  }
  return total;
}
