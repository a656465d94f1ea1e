/** Limits on gradients, as functions of a list of gradients; optimizers take them as the option `clip`. */
import { stack, type Tensor, ValueError } from '@nn/core';

/** Exactly one limit: on each value, on the norm of each gradient, or on the norm of all together. */
export type Clip = { readonly value: number } | { readonly norm: number } | { readonly globalNorm: number };

function requirePositive(what: string, limit: number): void {
  if (!(limit > 0)) throw new ValueError(what, `the limit is ${limit}: it must be above 0.`, { limit });
}

/**
 * Every value clamped to ±limit, as PyTorch's `clip_grad_value_`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { clipByValue } from '@nn/optim';
 * console.log(await clipByValue([tensor([3, -4])], 1)[0]?.array()); // => [1, -1]
 */
export function clipByValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  requirePositive('clipByValue', limit);
  return gradients.map((gradient) => gradient.clamp(-limit, limit));
}

/** min(1, limit / (norm + 1e-6)), the factor that PyTorch's `clip_grad_norm_` uses. */
function factorFor(norm: Tensor, limit: number): Tensor {
  return norm.add(1e-6).reciprocal().mul(limit).minimum(1);
}

/**
 * Each gradient scaled down to a Euclidean norm of at most `limit`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { clipByNorm } from '@nn/optim';
 * console.log((await clipByNorm([tensor([3, -4])], 1)[0]?.norm().item())?.toFixed(3)); // => 1.000
 */
export function clipByNorm(gradients: readonly Tensor[], limit: number): Tensor[] {
  requirePositive('clipByNorm', limit);
  return gradients.map((gradient) => gradient.mul(factorFor(globalNorm([gradient]), limit)));
}

/**
 * The Euclidean norm of all gradients as one long vector; a scalar, good to watch during training.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { globalNorm } from '@nn/optim';
 * console.log(await globalNorm([tensor([3, 0]), tensor([[4]])]).item()); // => 5
 */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  const [first, ...rest] = gradients.map((gradient) => gradient.norm());
  if (first === undefined) throw new ValueError('globalNorm', 'there are no gradients.');
  return rest.length === 0 ? first : stack([first, ...rest]).norm();
}

/**
 * All gradients scaled by one factor, so that their norm together is at most `limit`: the direction stays.
 * PyTorch's `clip_grad_norm_`. (Pascanu et al. 2013.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { clipByGlobalNorm, globalNorm } from '@nn/optim';
 * const clipped = clipByGlobalNorm([tensor([3, 0]), tensor([[4]])], 1);
 * console.log((await globalNorm(clipped).item()).toFixed(3)); // => 1.000
 */
export function clipByGlobalNorm(gradients: readonly Tensor[], limit: number): Tensor[] {
  requirePositive('clipByGlobalNorm', limit);
  const factor = factorFor(globalNorm(gradients), limit);
  return gradients.map((gradient) => gradient.mul(factor));
}

/** Throws ValueError unless an optimizer's option `clip` is one limit above 0. */
export function checkClip(optimizer: string, clip: unknown): void {
  const limits = typeof clip === 'object' && clip !== null ? Object.entries(clip) : [];
  const isLimit = ([name, limit]: [string, unknown]): boolean =>
    ['value', 'norm', 'globalNorm'].includes(name) && typeof limit === 'number' && limit > 0;
  if (limits.length === 1 && limits.every(isLimit)) return;
  const shown = limits.length === 0 ? String(clip) : limits.map(([name, limit]) => `${name}: ${limit}`).join(', ');
  throw new ValueError(
    optimizer,
    `clip is ${shown}: it must be one limit above 0, as { value }, { norm } or { globalNorm }.`,
    { clip },
  );
}

/** Applies an optimizer's option `clip`. */
export function clipBy(clip: Clip, gradients: readonly Tensor[]): Tensor[] {
  if ('value' in clip) return clipByValue(gradients, clip.value);
  return 'norm' in clip ? clipByNorm(gradients, clip.norm) : clipByGlobalNorm(gradients, clip.globalNorm);
}
