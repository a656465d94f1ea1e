/** Compiling a model's programs ahead of their first use. */
import {
  type AbortSignalLike,
  checkOptions,
  type DType,
  evaluate,
  gradientsOrNull,
  isTraining,
  parameters,
  prepare,
  type Shape,
  setTraining,
  zeros,
} from '@nn/core';
import type { Layer } from './layer.ts';

export interface WarmupOptions {
  /** The dtype of the input. Default float32. */
  readonly dtype?: DType;
  /** Whether to compile the gradients of training too. Default true. */
  readonly training?: boolean;
  /** Called after each program, with the part that is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void;
  /** Ends the waiting: the promise rejects with the signal's reason. What was compiled stays. */
  readonly signal?: AbortSignalLike;
}

/**
 * Compiles what a model will need for inputs of `inputShape`: the forward pass of evaluation, and that of training with
 * the gradients of all parameters. Runs nothing and changes nothing. On a GPU the shaders are kept, so that the first
 * step, which adds a loss and an update, finds most of them ready.
 *
 * @example
 * import { Linear, ReLU, Sequential, warmup } from '@nn/layers';
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * const progress: number[] = [];
 * await warmup(model, [16, 4], { onProgress: (done) => progress.push(done) });
 * console.log(progress); // => [0.5, 1]
 */
export async function warmup(model: Layer, inputShape: Shape, options: WarmupOptions = {}): Promise<void> {
  checkOptions('warmup', options, ['dtype', 'training', 'onProgress', 'signal']);
  const { dtype = 'float32', training = true, onProgress, signal } = options;
  const ending = signal === undefined ? {} : { signal };
  const forward = (): ReturnType<Layer['forward']> => model.forward(zeros(inputShape, { dtype }));
  const programs = [() => prepare(() => evaluate(forward), ending)];
  if (training) {
    programs.push(() =>
      prepare(() => {
        const mode = isTraining();
        setTraining(true);
        try {
          const result = forward();
          const gradients = gradientsOrNull(result.sum(), parameters(model));
          return [result, ...gradients.filter((gradient) => gradient !== null)];
        } finally {
          setTraining(mode);
        }
      }, ending),
    );
  }
  for (const [k, compile] of programs.entries()) {
    await compile();
    onProgress?.((k + 1) / programs.length);
  }
}
