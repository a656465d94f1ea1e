/** Transforms of signals and their windows. */
import { concat, fft, ifft, type Tensor, tensor } from '@nn/core';
import { type Call, device, type Operator, type Result, type Steps } from '../run/call.ts';
import { hostTensor } from '../values/value.ts';
import { narrow } from './movement.ts';

/** Complex numbers as pairs in a last axis of 2, from real ones in a last axis of 1. */
function asPairs(x: Tensor): Tensor {
  return x.shape.at(-1) === 2 ? x : concat([x, x.mul(0)], x.rank - 1);
}

function* transform(call: Call): Steps<Result> {
  const x = call.tensor(0);
  const asked =
    call.version >= 20 ? (call.has(2) ? ((yield* call.host(2)).data[0] ?? -2) : -2) : call.integer('axis', 1);
  const axis = call.axis(asked, x.rank);
  const length = call.has(1) ? (yield* call.host(1)).data[0]! : x.shape[axis]!;
  const isOneSided = call.flag('onesided');
  const isInverse = call.flag('inverse');
  let z = asPairs(x);
  if (isOneSided && isInverse) z = mirrored(z, axis, length);
  const y = isInverse ? ifft(z, { axis, length }) : fft(z, { axis, length });
  if (!isOneSided) return device(call.type(0), y);
  if (isInverse) return device(call.type(0), narrow(y, y.rank - 1, 0, 1));
  return device(call.type(0), narrow(y, axis, 0, Math.floor(length / 2) + 1));
}

/** The whole spectrum of a real signal, from its first half: the other half is its mirror image, conjugated. */
function mirrored(z: Tensor, axis: number, length: number): Tensor {
  const half = z.shape[axis]!;
  const rest = length - half;
  if (rest <= 0) return z;
  const image = narrow(z, axis, half - rest - (length % 2 === 0 ? 1 : 0), half - (length % 2 === 0 ? 1 : 0)).flip(axis);
  return concat([z, image.mul(tensor([1, -1]))], axis);
}

function* shortTime(call: Call): Steps<Result> {
  const x = call.tensor(0);
  const step = (yield* call.host(1)).data[0] ?? 1;
  const window = call.optionalTensor(2);
  const length = call.has(3) ? (yield* call.host(3)).data[0]! : (window?.size ?? x.shape[1]!);
  const frames = Math.floor((x.shape[1]! - length) / step) + 1;
  const starts = Int32Array.from({ length: frames * length }, (_, k) => Math.floor(k / length) * step + (k % length));
  const [batch, , parts] = x.shape as [number, number, number];
  let framed = x.gather(tensor(starts), 1).reshape([batch, frames, length, parts]);
  if (window !== null) framed = framed.mul(window.reshape([length, 1]));
  const y = fft(asPairs(framed), { axis: 2 });
  return device(call.type(0), call.flag('onesided', true) ? narrow(y, 2, 0, Math.floor(length / 2) + 1) : y);
}

/** a0 - a1 cos(2 pi k / n) + a2 cos(4 pi k / n) */
function windowed(a0: number, a1: number, a2: number): Operator {
  return function* (call): Steps<Result> {
    const size = call.count((yield* call.host(0)).data[0] ?? 0);
    const turns = call.flag('periodic', true) ? size : size - 1;
    const values = Float32Array.from({ length: size }, (_, k) => {
      const angle = (2 * Math.PI * k) / turns;
      return a0 - a1 * Math.cos(angle) + a2 * Math.cos(2 * angle);
    });
    return hostTensor(call.elementType('output_datatype', 'float32'), [size], values);
  };
}

/** Triangles on the scale of mels, for spectra of sound. */
function* mels(call: Call): Steps<Result> {
  const given: number[] = [];
  for (let k = 0; k < 5; k++) given.push((yield* call.host(k)).data[0] ?? 0);
  const [count, length, sampleRate, lowest, highest] = given as [number, number, number, number, number];
  const toMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
  const bins = Array.from({ length: count + 2 }, (_, k) => {
    const step = (toMel(highest) - toMel(lowest)) / (count + 2);
    const hertz = 700 * (10 ** ((k * step + toMel(lowest)) / 2595) - 1);
    return Math.floor(((length + 1) * hertz) / sampleRate);
  });
  const rows = Math.floor(length / 2) + 1;
  const data = new Float32Array(call.count(rows * count));
  for (let band = 0; band < count; band++) {
    const [left, centre, right] = bins.slice(band, band + 3) as [number, number, number];
    if (left === centre) data[centre * count + band] = 1;
    else for (let row = left; row <= centre; row++) data[row * count + band] = (row - left) / (centre - left);
    if (right > centre)
      for (let row = centre; row < right; row++) data[row * count + band] = (right - row) / (right - centre);
  }
  return hostTensor(call.elementType('output_datatype', 'float32'), [rows, count], data);
}

export const signal: Readonly<Record<string, Operator>> = {
  DFT: transform,
  STFT: shortTime,
  HannWindow: windowed(0.5, 0.5, 0),
  HammingWindow: windowed(25 / 46, 21 / 46, 0),
  BlackmanWindow: windowed(0.42, 0.5, 0.08),
  MelWeightMatrix: mels,
};
