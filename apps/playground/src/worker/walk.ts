/** One sample goes forward, and the gradient of its loss comes back: every number on the way, for the walk-through. */
import { evaluate, gradients, type Tensor, tensor } from '@nn/core';
import { Conv2d } from '@nn/layers';
import { lossNameOf, lossOf } from '../model/training.ts';
import { numbers, pass } from './look.ts';
import type { Recognised, Walk, WalkLayer } from './protocol.ts';
import type { Session } from './session.ts';

/** `index` counts through the training samples and then the test samples. */
export async function walk(session: Session, index: number): Promise<Walk> {
  const { problem, network, spec } = session;
  const whole = index < problem.train.size ? problem.train : problem.test;
  const sample = Math.max(0, index < problem.train.size ? index : Math.min(index - problem.train.size, whole.size - 1));
  const { inputs, targets } = whole.take([sample]).fields;
  const pixels = Float32Array.from(inputs.data, (value) => (problem.pixels ? value / 255 : value));
  const input = tensor(pixels, { shape: inputs.shape });
  const target = tensor(targets.data, { shape: targets.shape });
  const { passage, loss, back } = evaluate(() => {
    const passage = pass(network, input);
    const loss = lossOf(problem.goal, spec.loss, passage.output, target);
    const wanted = network.weighted.flatMap(({ weight, bias }, block) => [
      weight,
      bias ?? weight,
      passage.sums[block] as Tensor,
      passage.outputs[block] as Tensor,
    ]);
    return { passage, loss, back: gradients(loss, wanted) };
  });
  const [lossValue, output, layers] = await Promise.all([
    loss.item(),
    numbers(passage.output),
    Promise.all(
      network.weighted.map(async (layer, block): Promise<WalkLayer> => {
        const { activation = 'linear', norm = 'none' } = spec.layers[block] ?? {};
        const outputs = passage.outputs[block] as Tensor;
        const read = [
          passage.inputs[block] as Tensor,
          passage.sums[block] as Tensor,
          outputs,
          layer.weight,
          layer.bias ?? layer.weight,
          ...back.slice(4 * block, 4 * block + 4),
        ];
        const values = await Promise.all(read.map(numbers));
        const at = (position: number): Float32Array => values[position] as Float32Array;
        const isOutput = block === network.weighted.length - 1;
        return {
          kind: isOutput ? 'output' : layer instanceof Conv2d ? 'conv' : 'dense',
          activation,
          norm,
          inputs: at(0),
          sums: at(1),
          outputs: at(2),
          outputShape: outputs.shape.slice(1),
          weights: at(3),
          weightShape: layer.weight.shape,
          biases: at(4),
          weightGradients: at(5),
          biasGradients: at(6),
          sumGradients: at(7),
          outputGradients: at(8),
        };
      }),
    ),
  ]);
  return {
    sample: index,
    inputs: pixels,
    inputShape: problem.inputShape,
    target: targets.data[0] as number,
    output,
    loss: lossValue,
    lossName: lossNameOf(problem.goal, spec.loss),
    layers,
  };
}

/** What the network takes an image for: pixels 0 to 1. */
export async function recognise(session: Session, pixels: Float32Array): Promise<Recognised> {
  const { network, problem } = session;
  const input = tensor(pixels, { shape: [1, ...problem.inputShape] });
  const shares = await numbers(evaluate(() => network.model.forward(input).softmax()));
  const best = shares.reduce((top, share, k) => (share > (shares[top] as number) ? k : top), 0);
  return { shares, best };
}
