/** What the host computes between programs: values cross from the device and back, and so do their gradients. */
import {
  cholesky,
  det,
  eigh,
  eye,
  fft,
  inverse,
  irfft,
  pinv,
  qr,
  rfft,
  solve,
  svd,
  type Tensor,
  tensor,
} from '@nn/core';
import { type Operation, operation } from '../operation.ts';
import { any } from '../samples.ts';

/** Far from singular. */
const regular = (a: Tensor): Tensor => a.add(eye(a.shape.at(-1) as number).mul(6));
/** Symmetric, with eigenvalues that lie apart. */
const symmetric = (a: Tensor): Tensor => {
  const size = a.shape.at(-1) as number;
  const spread = eye(size).mul(tensor(Float32Array.from({ length: size }, (_, k) => 8 * (k + 1))));
  return a.add(a.transpose()).div(2).add(spread);
};

export function hostOperations(): Operation[] {
  const operations = [
    operation('inverse: a batch', [any(2, 3, 3)], (a) => inverse(regular(a)), { slack: 2 }),
    operation('solve: a batch shares its matrix', [any(3, 3), any(2, 3, 2)], (a, b) => solve(regular(a), b), {
      slack: 2,
    }),
    operation('det', [any(2, 3, 3)], (a) => det(regular(a).div(4)), { slack: 4 }),
    operation('cholesky', [any(3, 3)], (a) => cholesky(symmetric(a)), { slack: 4 }),
    operation('qr', [any(4, 3)], (a) => qr(a.add(eye(4).slice([0, 0], [4, 3]).mul(4))).r, { slack: 8 }),
    operation('eigh', [any(3, 3)], (a) => eigh(symmetric(a)).eigenvalues, { slack: 8 }),
    operation(
      'svd',
      [any(3, 4)],
      (a) =>
        svd(
          a.add(
            tensor([
              [8, 0, 0, 0],
              [0, 16, 0, 0],
              [0, 0, 24, 0],
            ]),
          ),
        ).s,
      { slack: 8 },
    ),
    operation('pinv', [any(4, 2)], (a) => pinv(a.add(eye(4).slice([0, 0], [4, 2]).mul(6))), { slack: 8 }),
    operation('fft: of 12 numbers', [any(2, 12, 2)], (z) => fft(z), { slack: 4 }),
    operation('fft: of 64 numbers along the first axis', [any(64, 3, 2)], (z) => fft(z, { axis: 0 }), { slack: 4 }),
    operation('rfft and irfft: of 9 numbers', [any(2, 9)], (x) => irfft(rfft(x).mul(2), { length: 9 }), { slack: 4 }),
    operation('rfft: of 128 numbers', [any(2, 128)], (x) => rfft(x), { slack: 4 }),
  ];
  return operations.map((each) => ({ ...each, onHost: true }));
}
