/** What an answer about an image rests on: pixels by integrated gradients, places of feature maps by Grad-CAM. Fetched when asked. */
import { evaluate, tensor } from '@nn/core';
import { gradCam, integratedGradients } from '@nn/explain';
import { numbers } from './look.ts';
import type { Explanation } from './protocol.ts';
import type { Session } from './session.ts';

const steps = 32;

/** For `target`, or for the class that the network takes the image for. */
export async function explain(session: Session, pixels: Float32Array, target: number | null): Promise<Explanation> {
  const { network, problem, spec } = session;
  const { model, parts } = network;
  const input = tensor(pixels, { shape: [1, ...problem.inputShape] });
  const output = await numbers(evaluate(() => model.forward(input)));
  const best = output.indexOf(Math.max(...output));
  const explained = target ?? best;
  const found = integratedGradients(model, input, { target: explained, steps });
  const [attributions, scores, baselineScores] = await Promise.all(
    [found.attributions, found.scores, found.baselineScores].map(numbers),
  );
  const cams = await Promise.all(
    spec.layers.flatMap((layer, block) => {
      if (layer.kind !== 'conv') return [];
      // what the next layer gets before it is halved: after the activation, where there is one
      const part = parts.filter((one) => one.block === block && one.role !== 'pool' && one.role !== 'dropout').at(-1);
      if (part === undefined) return [];
      const cam = gradCam(model, input, { target: explained, layer: part.layer, relu: true });
      const [height = 1, width = 1] = cam.shape.slice(-2);
      return [numbers(cam).then((values) => ({ block, values, height, width }))];
    }),
  );
  return {
    target: explained,
    best,
    attributions: attributions as Float32Array,
    score: scores?.[0] as number,
    baselineScore: baselineScores?.[0] as number,
    cams,
  };
}
