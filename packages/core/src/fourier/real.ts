/**
 * Transforms of real rows, at half the cost: a row of even length n is a complex one of n / 2, whose transform is then taken
 * apart. Only k = 0 ... n / 2 are kept, the others are their conjugates.
 */
import { byLength, roots, type Transform, transformOf } from './transform.ts';

/** From n real numbers to n / 2 + 1 pairs. */
export const realTransformOf: (n: number) => Transform = /* @__PURE__ */ byLength(makeReal);

/** From n / 2 + 1 pairs, which stand for a whole row, to n real numbers: the inverse, not scaled. */
export const realInverseOf: (n: number) => Transform = /* @__PURE__ */ byLength(makeInverse);

/** How many pairs are kept. */
export const halfOf = (n: number): number => Math.floor(n / 2) + 1;

function makeReal(n: number): Transform {
  const half = halfOf(n);
  const result = new Float64Array(2 * half);
  if (n % 2 === 1) {
    const input = new Float64Array(n);
    return {
      input,
      run: () => {
        const whole = transformOf(n);
        for (let t = 0; t < n; t++) {
          whole.input[2 * t] = input[t]!;
          whole.input[2 * t + 1] = 0;
        }
        result.set(whole.run().subarray(0, 2 * half));
        return result;
      },
    };
  }
  const middle = n / 2;
  const inside = transformOf(middle);
  const w = roots(n, half);
  return {
    input: inside.input, // x_0, x_1, x_2, ... are the pairs x_0 + i x_1, x_2 + i x_3, ... as they lie
    run: () => {
      const z = inside.run();
      for (let k = 0; k < half; k++) {
        const a = k === middle ? 0 : 2 * k;
        const b = k === 0 ? 0 : 2 * (middle - k);
        // the transforms of the even and of the odd elements
        const [evenR, evenI] = [(z[a]! + z[b]!) / 2, (z[a + 1]! - z[b + 1]!) / 2];
        const [oddR, oddI] = [(z[a + 1]! + z[b + 1]!) / 2, (z[b]! - z[a]!) / 2];
        const [c, d] = [w[2 * k]!, w[2 * k + 1]!];
        result[2 * k] = evenR + oddR * c - oddI * d;
        result[2 * k + 1] = evenI + oddR * d + oddI * c;
      }
      return result;
    },
  };
}

function makeInverse(n: number): Transform {
  const half = halfOf(n);
  const input = new Float64Array(2 * half);
  const result = new Float64Array(n);
  if (n % 2 === 1) {
    return {
      input,
      run: () => {
        const whole = transformOf(n);
        // with both parts exchanged, before and after, the transform is its own inverse; of the result only one part is left
        for (let k = 0; k < n; k++) {
          const at = 2 * Math.min(k, n - k);
          whole.input[2 * k] = k === 0 ? 0 : k < half ? input[at + 1]! : -input[at + 1]!;
          whole.input[2 * k + 1] = input[at]!;
        }
        const y = whole.run();
        for (let t = 0; t < n; t++) result[t] = y[2 * t + 1]!;
        return result;
      },
    };
  }
  const middle = n / 2;
  const w = roots(n, half);
  return {
    input,
    run: () => {
      const inside = transformOf(middle);
      for (let k = 0; k < middle; k++) {
        const [a, b] = [2 * k, 2 * (middle - k)];
        // nothing is read of the imaginary parts at both ends
        const [aI, bI] = k === 0 ? [0, 0] : [input[a + 1]!, input[b + 1]!];
        const [evenR, evenI] = [input[a]! + input[b]!, aI - bI];
        const [diffR, diffI] = [input[a]! - input[b]!, aI + bI];
        const [c, d] = [w[2 * k]!, -w[2 * k + 1]!];
        const [oddR, oddI] = [diffR * c - diffI * d, diffR * d + diffI * c];
        inside.input[2 * k + 1] = evenR - oddI;
        inside.input[2 * k] = evenI + oddR;
      }
      const y = inside.run();
      for (let t = 0; t < n; t += 2) {
        result[t] = y[t + 1]!;
        result[t + 1] = y[t]!;
      }
      return result;
    },
  };
}
