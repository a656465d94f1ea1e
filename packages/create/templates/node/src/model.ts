/** The network, in a file of its own: who trains it and who uses it must build the same one. */
import { Linear, ReLU, Sequential } from '@nn/layers';

export function buildModel(): Sequential {
  return new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 16), new ReLU(), new Linear(16, 2));
}

/** Where the trained parameters are. */
export const modelFile = 'model.safetensors';
