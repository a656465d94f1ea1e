/** The derivative of a function as a linear map, forwards and backwards, at the cost of a gradient or two for each use. */
import { gradientNodes } from './autograd/gradients.ts';
import { ShapeError } from './errors.ts';
import { gradientsOrNull } from './gradients.ts';
import { stopGradient } from './graph/custom-gradient.ts';
import { constant, type Node } from './graph/node.ts';
import { expandTo } from './ops/views.ts';
import { checkSynchronous } from './settings.ts';
import { sameShape, show } from './shape.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';

const zeros = ({ shape }: Tensor): Tensor => wrap(constant(0, 'float32', shape));

/**
 * The value of f, and what a cotangent of it [...shape of the value] gives each primal: the vector-Jacobian product. Reverse mode;
 * the pullback may be used again and again.
 *
 * @example
 * import { tensor, vjp } from '@nn/core';
 * const { value, pullback } = vjp((x) => x.square(), [tensor([1, 2])]);
 * const [back] = pullback(tensor([1, 10]));
 * console.log(await value.array(), await back?.array()); // => [1, 4] [2, 40]
 */
export function vjp(
  f: (...inputs: Tensor[]) => Tensor,
  primals: readonly Tensor[],
): { readonly value: Tensor; readonly pullback: (cotangent: Tensor) => Tensor[] } {
  const value = checkSynchronous('vjp', f(...primals));
  return {
    value,
    pullback: (cotangent) =>
      gradientsOrNull(value, primals, cotangent).map((gradient, k) => gradient ?? zeros(primals[k]!)),
  };
}

/**
 * The value of f, and what tangents of the primals give it: the Jacobian-vector product. Forward mode, as the transpose of the
 * transpose: a vector-Jacobian product is linear in its cotangent, and its gradient is the map that goes forwards. The
 * pushforward may be used again and again; f is called once.
 *
 * @example
 * import { linearize, tensor } from '@nn/core';
 * const { value, pushforward } = linearize((x) => x.square(), [tensor([1, 2])]);
 * console.log(await value.array(), await pushforward(tensor([1, 0])).array()); // => [1, 4] [2, 0]
 */
export function linearize(
  f: (...inputs: Tensor[]) => Tensor,
  primals: readonly Tensor[],
): { readonly value: Tensor; readonly pushforward: (...tangents: Tensor[]) => Tensor } {
  const value = checkSynchronous('linearize', f(...primals));
  const push = forwardMap(value, primals);
  return {
    value,
    pushforward: (...tangents) => {
      checkTangents('linearize', primals, tangents);
      return push(tangents);
    },
  };
}

/**
 * The value of f at the primals and its directional derivative along the tangents: `linearize`, used once.
 *
 * @example
 * import { jvp, tensor } from '@nn/core';
 * const { value, tangent } = jvp((x) => x.square(), [tensor([1, 2])], [tensor([1, 1])]);
 * console.log(await value.array(), await tangent.array()); // => [1, 4] [2, 4]
 */
export function jvp(
  f: (...inputs: Tensor[]) => Tensor,
  primals: readonly Tensor[],
  tangents: readonly Tensor[],
): { readonly value: Tensor; readonly tangent: Tensor } {
  checkTangents('jvp', primals, tangents);
  const value = checkSynchronous('jvp', f(...primals));
  return { value, tangent: forwardMap(value, primals)(tangents) };
}

/** What goes forwards from the primals to `value`. */
export function forwardMap(value: Tensor, primals: readonly Tensor[]): (tangents: readonly Tensor[]) => Tensor {
  // 0, but not a constant that sums may leave out
  const cotangent = stopGradient(expandTo(constant(0, 'float32'), value.shape));
  const pulled = gradientsOrNull(value, primals, wrap(cotangent));
  return (tangents) => {
    const parts = pulled.flatMap((gradient, k): Node[] => {
      if (gradient === null) return [];
      const [part] = gradientNodes(gradient.node, [cotangent], nodeOf('linearize', tangents[k]!));
      return part === null || part === undefined ? [] : [part];
    });
    if (parts.length === 0) return zeros(value);
    return parts.map((part) => wrap(part)).reduce((total, part) => total.add(part));
  };
}

function checkTangents(operation: string, primals: readonly Tensor[], tangents: readonly Tensor[]): void {
  if (tangents.length !== primals.length) {
    throw new ShapeError(operation, `${primals.length} primals and ${tangents.length} tangents.`);
  }
  tangents.forEach((tangent, k) => {
    const { shape } = primals[k]!;
    if (sameShape(tangent.shape, shape)) return;
    throw new ShapeError(operation, `tangent ${k} has the shape ${show(tangent.shape)}, its primal ${show(shape)}.`);
  });
}
