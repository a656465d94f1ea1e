/** What no table of values shows of Fourier transforms: messages, long rows, what happens at the ends. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import * as core from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const rows = core.ones([2, 8]);

describe('messages name the operation, both facts and the fix', () => {
  test.each<[string, () => unknown, string]>([
    [
      'fft',
      () => core.fft(rows),
      'fft: complex numbers are pairs in a last axis of 2, got [2, 8]: complex(x) makes them of real ones.',
    ],
    ['fft of a number', () => core.fft([1, 2]), 'fft: [2] has no axis to transform.'],
    [
      'rfft',
      () => core.rfft(rows, { length: 0 }),
      'rfft: the length must be a whole number from 1, got 0, along axis 1 of [2, 8].',
    ],
    [
      'irfft of one pair',
      () => core.irfft(core.ones([1, 2])),
      'irfft: the length must be a whole number from 1, got 0, along axis 0 of [1, 2].',
    ],
    [
      'norm',
      () => core.rfft(rows, { norm: 'none' as never }),
      "rfft: no norm 'none': 'backward', 'forward' or 'ortho'.",
    ],
    ['rfft2', () => core.rfft2(rows, { axes: [1, -1] }), 'rfft2: axis 1 is named twice.'],
    ['stft', () => core.stft(rows, { fftSize: 0 }), 'stft: fftSize must be a whole number from 1, got 0.'],
    [
      'window',
      () => core.stft(rows, { fftSize: 4, window: [1, 2, 3] }),
      'stft: a window of [3] for windowLength 4 and fftSize 4: it must be [windowLength], at most fftSize.',
    ],
    ['frame', () => core.stft(rows, { fftSize: 16, center: false }), 'stft: a frame of 16 does not fit a signal of 8.'],
    [
      'istft',
      () => core.istft(core.ones([4, 3, 2]), { fftSize: 4 }),
      'istft: [4, 3, 2] is not [..., F, T, 2] with the F = 3 frequencies of fftSize 4.',
    ],
    [
      'istft too long',
      () => core.istft(core.ones([3, 3, 2]), { fftSize: 4, length: 20 }),
      'istft: 3 frames reach 4 samples, not 20.',
    ],
    ['hannWindow', () => core.hannWindow(0), 'hannWindow: the length must be a whole number from 1, got 0.'],
  ])('%s', (_, work, message) => {
    expect(work).toThrow(message);
  });
});

test.each([1000, 1009, 2048, 4093, 6000])('rows of %i are told apart and put together again', async (n) => {
  core.setSeed(n);
  const x = core.normal([2, n]);
  const spectrum = core.rfft(x);
  const away = core.irfft(spectrum, { length: n }).sub(x).abs().max();
  expect(await away.item()).toBeLessThan(2e-6);
  // Parseval: half of the spectrum stands for both halves, but for its ends
  const powers = core
    .magnitude(core.fft(core.complex(x)))
    .square()
    .sum(-1)
    .div(n);
  const relative = powers.div(x.square().sum(-1)).sub(1).abs().max();
  expect(await relative.item()).toBeLessThan(1e-6);
});

test('a wave of whole periods is one number', async () => {
  const wave = core
    .linspace(0, 2 * Math.PI * 5, 65)
    .at([0, 64])
    .cos();
  const spectrum = core.magnitude(core.rfft(wave));
  expect(await spectrum.argMax().item()).toBe(5);
  expect(await spectrum.sum().item()).toBeCloseTo(32, 3);
});

test('transforms take gradients through a loss, inside of compiled functions and row by row', async () => {
  const x = core.normal([3, 12]);
  const loss = (row: core.Tensor): core.Tensor => core.magnitude(core.rfft(row)).sum();
  const each = core.vmap(core.grad(loss))(x);
  const whole = core.grad((all: core.Tensor) => loss(all))(x);
  expect(await each.sub(whole).abs().max().item()).toBeLessThan(1e-6);
  const compiled = core.compile((all: core.Tensor) => core.grad(loss)(all));
  for (let k = 0; k < 3; k++) expect(await (await compiled(x)).sub(whole).abs().max().item()).toBeLessThan(1e-6);
});

test('where no window reaches, the signal is not known', async () => {
  const options = { fftSize: 4, hopLength: 4, window: [0, 1, 1, 0], center: false };
  const signal = core.istft(core.stft(core.arange(8).cast('float32').add(1), options), options);
  expect(await signal.array()).toEqual([Number.NaN, 2, 3, Number.NaN, Number.NaN, 6, 7, Number.NaN]);
});
