/**
 * Owns: finding out what a device really does, by running programs on it whose answers are known.
 * Does not own: what a device claims (`gl-device.ts`, `webgpu-device.ts`), nor the choice between devices (`gpu.ts`).
 */
import { BackendError, type Program } from '@nn/core';
import type { Capabilities } from '../backend.ts';
import { BodyWriter } from '../nest/body-writer.ts';
import { Cell } from '../program/cell.ts';
import { KernelCache } from '../program/kernel-cache.ts';
import { texelsOf } from '../program/lowering.ts';
import { plan } from '../program/plan.ts';
import type { Device } from './device.ts';

const rows = 6;
const terms = 1200;

/** Throws BackendError where the device computes wrong numbers; else what it lacks beyond that. */
export async function probe(device: Device): Promise<Capabilities> {
  const cache = new KernelCache(device);
  await checkLoop(device, cache);
  const [nan, infinity, largest, tiny, zero, maximum] = (await special(device, cache)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const lacks: { -readonly [name in keyof Capabilities['lacks']]: string } = {};
  if (!Number.isNaN(nan) || !Number.isNaN(maximum)) lacks.nan = 'this device loses NaN';
  if (infinity !== Number.POSITIVE_INFINITY || largest !== Number.POSITIVE_INFINITY)
    lacks.infinity = 'this device loses infinities';
  if (tiny === 0) lacks.subnormal = 'this device makes numbers below 1.2e-38 zero';
  if (!Object.is(zero, -0)) lacks.negativeZero = 'this device loses the sign of zero';
  return { lacks, functionError: 1e-6 };
}

/** Row sums of more than 1000 terms, read across rows: loops that stop early, low precision and wrong addresses all show. */
async function checkLoop(device: Device, cache: KernelCache): Promise<void> {
  const data = Float32Array.from({ length: rows * terms }, (_, index) => ((index * 7) % 64) / 8);
  const body = new BodyWriter();
  body.load(
    0,
    body.index([
      [0, 1],
      [1, rows],
    ]),
  );
  const sums = await run(device, cache, data, {
    domain: [rows],
    reduce: { op: 'sum', extents: [terms], dtype: 'float32' },
    value: body.ops,
  });
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let term = 0; term < terms; term++) sum += data[term * rows + row]!;
    if (sums[row] !== sum) {
      throw new BackendError(
        'gpu/wrong-sums',
        `${device.mode} on ${device.description} computes wrong sums (${sums[row]} instead of ${sum}), so it is not used. Choose another mode or the CPU backend.`,
        { mode: device.mode, device: device.description, wrong: sums[row], right: sum },
      );
    }
  }
}

/** [NaN + 1, inf + 1, 3e38 + 3e38, 1e-40 + 1e-40, -0 + -0, max(NaN, 1)] as the device sees it. */
async function special(device: Device, cache: KernelCache): Promise<readonly number[]> {
  const pairs = [Number.NaN, 1, Number.POSITIVE_INFINITY, 1, 3e38, 3e38, 1e-40, 1e-40, -0, -0, Number.NaN, 1];
  const body = new BodyWriter();
  const a = body.load(0, body.index([[0, 2]]));
  const b = body.load(0, body.index([[0, 2]], 1));
  const last = body.alu('equal', 'bool', body.index([[0, 1]]), body.integer(5));
  body.alu('where', 'float32', last, body.alu('max', 'float32', a, b), body.alu('add', 'float32', a, b));
  return run(device, cache, new Float32Array(pairs), { domain: [6], value: body.ops });
}

type Part = Pick<Program['steps'][number]['kernel'], 'domain' | 'value' | 'reduce'>;

async function run(device: Device, cache: KernelCache, data: Float32Array, part: Part): Promise<readonly number[]> {
  const program: Program = {
    buffers: [
      { dtype: 'float32', shape: [data.length], slot: 0 },
      { dtype: 'float32', shape: part.domain, slot: 1 },
    ],
    inputs: 1,
    donations: [],
    scalars: [],
    steps: [
      {
        kernel: { ...part, key: 'probe', dtype: 'float32', reads: ['float32'], scalars: [] },
        write: 1,
        reads: [{ buffer: 0, offset: 0 }],
        scalars: [],
      },
    ],
    groups: [],
    outputs: [1],
  };
  const memory = device.allocate(texelsOf(data.length), 'F');
  device.write(memory, data);
  const input = new Cell(memory, 'float32', data.length);
  const executable = await plan(program, device, cache);
  const [output] = executable.run([input], new Float64Array(0)) as [Cell];
  const numbers = await device.read(output.memory, output.length);
  input.release(device);
  output.release(device);
  executable.release();
  return [...numbers];
}
