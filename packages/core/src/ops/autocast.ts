/**
 * What `autocast` asks of operations: the operands of products, and what gradients are computed from later, are stored as half
 * floats, and what comes back to them. That is a cast, in memory, and a cast back, which is free: operations after it see float32
 * numbers, rounded.
 */
import type { DType } from '../backend.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { constant, type Node } from '../graph/node.ts';
import { add, multiply } from './arithmetic.ts';
import { normalShare } from './composite.ts';
import { exp, square, tanhSlope } from './functions.ts';
import { type Storing, storedAs } from './halves.ts';

export function storingAs(dtype: DType): Storing {
  const stored = (x: Node): Node => storedAs(dtype, x);
  return {
    stored,
    kept: (x) => {
      const y = stored(x);
      return y === x ? x : customGradient(y, [x], (g) => [stored(g)]);
    },
    // of the result, as it is stored
    tanh: (exact, x) => {
      const y = stored(exact);
      return customGradient(y, [x], (g) => [stored(multiply(g, tanhSlope(y)))]);
    },
    // of the input alone: its erf would be a float32 tensor that is kept
    gelu: (y, x) => (x.dtype === 'float32' ? customGradient(y, [x], (g) => [multiply(g, geluSlope(x))]) : y),
  };
}

/** d gelu(x) = (Phi(x) + x phi(x)) dx, with the normal distribution Phi and its density phi. */
function geluSlope(x: Node): Node {
  const float = (value: number): Node => constant(value, 'float32');
  const density = multiply(exp(multiply(square(x), float(-0.5))), float(1 / Math.sqrt(2 * Math.PI)));
  return add(multiply(normalShare(x), float(0.5)), multiply(x, density));
}
