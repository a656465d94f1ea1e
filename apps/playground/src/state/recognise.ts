/** The digit that is shown to the network: asked about again when there is another, or when the network has learned. */
import { ask, complain } from './actions.ts';
import { recognised, sample } from './store.ts';

let isBusy = false;

export function recognise(pixels: Float32Array): void {
  sample.value = pixels;
  if (isBusy) return;
  isBusy = true;
  ask({ kind: 'recognise', pixels })
    .then((answer) => {
      if (sample.peek() !== null) recognised.value = answer;
    }, complain)
    .finally(() => {
      isBusy = false;
      const now = sample.peek();
      if (now !== null && now !== pixels) recognise(now);
    });
}

/** The network has learned something since. */
export function recogniseAgain(): void {
  const pixels = sample.peek();
  // the frame that follows a question has the same step, so this comes to rest
  if (pixels !== null && !isBusy) recognise(pixels);
}

export function forgetDigit(): void {
  recognised.value = null;
  sample.value = null;
}
