/** Differentiation for users: gradients, and the sugar on top of them. Everything nests, to any order. */

import { gradientNodes } from './autograd/gradients.ts';
import { isReal } from './dtype.ts';
import { GradientError } from './errors.ts';
import { customGradient as customGradientNode, stopGradient as stopGradientNode } from './graph/custom-gradient.ts';
import { constant, type Node } from './graph/node.ts';
import { inputsFirst } from './graph/walk.ts';
import { scope, withStoring } from './ops/halves.ts';
import { isParameter } from './parameter.ts';
import { recordDraws, replayDraws } from './random.ts';
import { checkSynchronous, settings } from './settings.ts';
import { show } from './shape.ts';
import { isRecord } from './shaped.ts';
import { nodeOf, Tensor, wrap } from './tensor.ts';

/**
 * The gradients of a scalar with respect to tensors: one tensor each, of the same shape. They are tensors like any other,
 * so gradients of gradients need nothing more.
 *
 * @example
 * import { gradients, tensor } from '@nn/core';
 * const x = tensor([1, 2, 3]);
 * const [slope] = gradients(x.pow(3).sum(), [x]);
 * const [curvature] = gradients(slope.sum(), [x]);
 * console.log(await slope.array(), await curvature.array()); // => [3, 12, 27] [6, 12, 18]
 */
export function gradients<const T extends readonly Tensor[]>(
  of: Tensor,
  withRespectTo: T,
  cotangent?: Tensor,
): { -readonly [K in keyof T]: Tensor } {
  checkTracking('gradients');
  const targets = withRespectTo.map((target) => nodeOf('gradients', target));
  const found = gradientNodes(nodeOf('gradients', of), targets, cotangent && nodeOf('gradients', cotangent));
  const result = found.map((gradient, k) => {
    if (gradient !== null) return wrap(gradient);
    const target = withRespectTo[k]!;
    const name = isParameter(target) && target.name !== '' ? target.name : `tensor ${k}, ${show(target.shape)}`;
    throw new GradientError(
      'gradients',
      `the result does not depend on ${name}: leave it out, or look for a stopGradient, a cast or a comparison on the way.`,
      { target: k },
    );
  });
  return result as { -readonly [K in keyof T]: Tensor };
}

/** As `gradients`, with null for tensors that the result does not depend on. */
export function gradientsOrNull(of: Tensor, withRespectTo: readonly Tensor[], cotangent?: Tensor): (Tensor | null)[] {
  checkTracking('gradients');
  const targets = withRespectTo.map((target) => nodeOf('gradients', target));
  return gradientNodes(nodeOf('gradients', of), targets, cotangent && nodeOf('gradients', cotangent)).map((gradient) =>
    gradient === null ? null : wrap(gradient),
  );
}

/**
 * The derivative of a function from tensors to a scalar, with respect to its first argument.
 *
 * @example
 * import { grad, type Tensor, tensor } from '@nn/core';
 * const cube = (x: Tensor) => x.pow(3).sum();
 * console.log(await grad((x) => grad(cube)(x).sum())(tensor([2])).array()); // => [12]
 */
export function grad<Rest extends readonly unknown[]>(
  f: (x: Tensor, ...rest: Rest) => Tensor,
): (x: Tensor, ...rest: Rest) => Tensor {
  return (x, ...rest) => valueAndGrad(f)(x, ...rest).gradient;
}

/** The value of a function and its derivative with respect to the first argument. */
export function valueAndGrad<Rest extends readonly unknown[]>(
  f: (x: Tensor, ...rest: Rest) => Tensor,
): (x: Tensor, ...rest: Rest) => { readonly value: Tensor; readonly gradient: Tensor } {
  return (x, ...rest) => {
    const value = checkSynchronous('grad', f(x, ...rest));
    const [gradient] = gradients(value, [x]);
    return { value, gradient };
  };
}

/** The Hessian of f at x times v, at the cost of two gradients. */
export function hvp(f: (x: Tensor) => Tensor, x: Tensor, v: Tensor): Tensor {
  const slope = grad(f)(x);
  const [product] = gradientsOrNull(slope.mul(v.stopGradient()).sum(), [x]);
  return product ?? wrap(constant(0, 'float32', x.shape));
}

/** The same value, through which no gradient passes. */
export function stopGradient(x: Tensor): Tensor {
  return x.stopGradient();
}

/**
 * A function with a gradient of its own: `rule` gets the cotangent of the result and gives one for each input (null: none).
 *
 * @example
 * import { customGradient, gradients, tensor } from '@nn/core';
 * // rounds, but lets the gradient pass ("straight through", Bengio et al. 2013)
 * const roundThrough = customGradient((x) => x.round(), (g) => [g]);
 * const x = tensor([1.4]);
 * console.log(await gradients(roundThrough(x).sum(), [x])[0].array()); // => [1]
 */
export function customGradient(
  f: (...inputs: Tensor[]) => Tensor,
  rule: (cotangent: Tensor, inputs: readonly Tensor[], result: Tensor) => readonly (Tensor | null)[],
): (...inputs: Tensor[]) => Tensor {
  return (...inputs) => {
    const result = f(...inputs);
    const { storing } = scope;
    return wrap(
      customGradientNode(
        nodeOf('customGradient', result),
        inputs.map((input) => nodeOf('customGradient', input)),
        (g) =>
          withStoring(storing, () => checkSynchronous('customGradient', rule(wrap(g), inputs, result))).map(
            (gradient) => gradient && nodeOf('customGradient', gradient),
          ),
      ),
    );
  };
}

/**
 * Gradient checkpointing (Chen et al. 2016): the result of `f` is kept, what lies inside is computed again for the
 * gradient, with the same random numbers. Saves memory, costs one more forward pass.
 */
export function checkpoint(f: (...inputs: Tensor[]) => Tensor): (...inputs: Tensor[]) => Tensor {
  return (...inputs) => {
    const { result, draws } = recordDraws(() => checkSynchronous('checkpoint', f(...inputs)));
    const given = new Set(inputs.map((input) => nodeOf('checkpoint', input)));
    // the parameters that f uses besides its inputs
    const captured = inputsFirst([result.node], (node) => (given.has(node) ? [] : node.inputs)).filter(
      (node) => !given.has(node) && node.inputs.length === 0 && node.storage !== null && isReal(node.dtype),
    );
    const sources: Node[] = [...inputs.map(({ node }) => node), ...captured];
    const { storing } = scope;
    return wrap(
      customGradientNode(result.node, sources, (g) => {
        const again = withStoring(storing, () => replayDraws(draws, () => f(...inputs)));
        return gradientNodes(again.node, sources, g);
      }),
    );
  };
}

/**
 * Runs `work` without a graph behind its tensors: no gradient passes through them, and nothing is kept for one.
 *
 * @example
 * import { noGradient, tensor } from '@nn/core';
 * const y = noGradient(() => tensor([1, 2]).mul(2));
 * console.log(await y.array()); // => [2, 4]
 */
export function noGradient<T>(work: () => T): T {
  const outer = settings.isTracking;
  settings.isTracking = false;
  try {
    return detach(checkSynchronous('noGradient', work()));
  } finally {
    settings.isTracking = outer;
  }
}

/** The tensors of a result (alone, in arrays or in plain objects) behind stopGradient. */
function detach<T>(result: T): T {
  if (result instanceof Tensor && !isParameter(result)) return wrap(stopGradientNode(result.node)) as T;
  if (Array.isArray(result)) return result.map(detach) as T;
  if (isRecord(result)) {
    return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, detach(value)])) as T;
  }
  return result;
}

function checkTracking(operation: string): void {
  if (settings.isTracking) return;
  throw new GradientError(operation, 'called inside noGradient, where no graph is kept: call it outside.');
}
