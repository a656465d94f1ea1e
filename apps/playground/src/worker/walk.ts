/** One sample goes forward, and the gradient of its loss comes back: every number on the way, for the walk-through. */
import { evaluate, gradients, randomState, setRandomState, type Tensor, tensor } from '@nn/core';
import { Conv2d } from '@nn/layers';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { buildNetwork } from '../model/build.ts';
import type { Problem } from '../model/samples.ts';
import { lossNameOf, lossOf, makeOptimizer, penaltyOf } from '../model/training.ts';
import { numbers, pass } from './look.ts';
import type { Recognised, Update, Walk, WalkLayer } from './protocol.ts';
import type { Session } from './session.ts';

/** One sample as a batch; `index` counts through the training samples and then the test samples. */
function take({ train, test, pixels }: Problem, index: number) {
  const whole = index < train.size ? train : test;
  const sample = Math.max(0, index < train.size ? index : Math.min(index - train.size, whole.size - 1));
  const { inputs, targets } = whole.take([sample]).fields;
  const values = Float32Array.from(inputs.data, (value) => (pixels ? value / 255 : value));
  const input = tensor(values, { shape: inputs.shape });
  return { values, input, truth: targets.data[0] as number, target: tensor(targets.data, { shape: targets.shape }) };
}

/** `index` counts through the training samples and then the test samples. */
export async function walk(session: Session, index: number): Promise<Walk> {
  const { problem, network, spec } = session;
  const { values, input, truth, target } = take(problem, index);
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
        const [inputs, sums, outputs] = [passage.inputs, passage.sums, passage.outputs].map(
          (of) => of[block] as Tensor,
        ) as [Tensor, Tensor, Tensor];
        const read = [
          inputs,
          sums,
          outputs,
          layer.weight,
          layer.bias ?? layer.weight,
          ...back.slice(4 * block, 4 * block + 4),
        ];
        const found = await Promise.all(read.map(numbers));
        const at = (position: number): Float32Array => found[position] as Float32Array;
        const isOutput = block === network.weighted.length - 1;
        return {
          kind: isOutput ? 'output' : layer instanceof Conv2d ? 'conv' : 'dense',
          activation,
          norm,
          inputs: at(0),
          inputShape: inputs.shape.slice(1),
          sums: at(1),
          sumShape: sums.shape.slice(1),
          padding: paddingOf(layer),
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
    inputs: values,
    inputShape: problem.inputShape,
    target: truth,
    output,
    loss: lossValue,
    lossName: lossNameOf(problem.goal, spec.loss),
    layers,
  };
}

/** Zeros on each side; the layers of build.ts are padded alike on all. */
function paddingOf(layer: object): number {
  return layer instanceof Conv2d && typeof layer.padding !== 'string' ? (layer.padding[0] ?? 0) : 0;
}

/**
 * What one step on this sample alone would make of the weights: a twin with the optimizer's memory takes it, in evaluation
 * mode, so that nothing of the session moves and no random number is drawn from it.
 */
export async function updateOf(session: Session, index: number): Promise<Update> {
  const { problem, spec, network } = session;
  const bytes = await encodeCheckpoint({ model: network.model, optimizer: session.optimizer });
  const random = randomState();
  const twin = buildNetwork(spec, problem.inputShape, problem.outputs);
  const optimizer = makeOptimizer(spec, twin.model);
  setRandomState(random);
  await loadCheckpoint(bytes, { model: twin.model, optimizer }, { random: false });
  const { input, target } = take(problem, index);
  const loss = (): Tensor => evaluate(() => lossOf(problem.goal, spec.loss, twin.model.forward(input), target));
  const penalty = penaltyOf(
    spec,
    twin.weighted.map(({ weight }) => weight),
  );
  await optimizer.step(penalty === null ? loss() : loss().add(penalty));
  const layers = await Promise.all(
    twin.weighted.map(async ({ weight, bias }) => ({
      weights: await numbers(weight),
      biases: bias === null ? new Float32Array(0) : await numbers(bias),
    })),
  );
  return { sample: index, layers, loss: await loss().item() };
}

/** What the network takes an image for: pixels 0 to 1. */
export async function recognise(session: Session, pixels: Float32Array): Promise<Recognised> {
  const { network, problem } = session;
  const input = tensor(pixels, { shape: [1, ...problem.inputShape] });
  const shares = await numbers(evaluate(() => network.model.forward(input).softmax()));
  const best = shares.reduce((top, share, k) => (share > (shares[top] as number) ? k : top), 0);
  return { shares, best };
}
