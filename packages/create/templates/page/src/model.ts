/** The network, built alike in the worker that trains it and in the page that shows it. */
import { Linear, Sequential, Tanh } from '@nn/layers';

export function buildModel(): Sequential {
  return new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 16), new Tanh(), new Linear(16, 2));
}
