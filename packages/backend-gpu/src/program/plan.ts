/**
 * Owns: a program made ready for a device: compiled kernels, when each buffer is born and when it dies, and running it.
 * Does not own: which shaders there are (`steps.ts`) and how a device works (`device.ts`).
 */
import { BackendError, type Executable, type Program } from '@nn/core';
import type { Device, Memory } from '../device/device.ts';
import { nextTurn } from '../device/turn.ts';
import { scalarOf } from '../shader/shader.ts';
import { lowerProgram } from '../steps/steps.ts';
import { Cell } from './cell.ts';
import type { KernelCache, Lease } from './kernel-cache.ts';
import { type Argument, Lowering, texelsOf } from './lowering.ts';

interface Launch {
  readonly lease: Lease;
  readonly texels: number;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly numbers: readonly Argument[];
  /** Slots that no later launch reads. */
  readonly dead: readonly number[];
}

/** Building kernels on the thread gives way to the page after this many milliseconds. */
const patience = 8;

/** All kernels of a program; devices that compile beside the thread get all of them at once. */
async function compile(lowering: Lowering, cache: KernelCache): Promise<readonly Lease[]> {
  const started: Promise<Lease>[] = [];
  let last = performance.now();
  for (const { shader, writes } of lowering.stages) {
    const lease = (async () => cache.lease(shader, writes.length))();
    // Failures are looked at when all have ended.
    lease.catch(() => {});
    started.push(lease);
    if (performance.now() - last > patience) {
      await nextTurn();
      last = performance.now();
    }
  }
  const settled = await Promise.allSettled(started);
  const leases = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed === undefined) return leases;
  for (const lease of leases) lease.release();
  throw failed.reason;
}

export async function plan(
  program: Program,
  device: Device,
  cache: KernelCache,
  always = false,
): Promise<Executable<Cell>> {
  const { language, maxReads, maxLength, maxWrites } = device;
  const lowering = new Lowering(program, { language, maxReads, maxLength, maxWrites, always });
  lowerProgram(program, lowering);
  const leases = await compile(lowering, cache);
  const { stages, slots } = lowering;
  const kept = new Set(program.outputs);
  const lastUse = new Map<number, number>();
  for (const [at, { reads, writes }] of stages.entries())
    for (const slot of [...reads, ...writes]) lastUse.set(slot, at);
  const launches = stages.map((stage, at): Launch => {
    const dead = new Set(
      [...stage.reads, ...stage.writes].filter(
        (slot) => slot >= program.inputs && !kept.has(slot) && lastUse.get(slot) === at,
      ),
    );
    return {
      lease: leases[at]!,
      texels: stage.texels,
      reads: stage.reads,
      writes: stage.writes,
      numbers: stage.numbers,
      dead: [...dead],
    };
  });
  const donated = program.donations.map(({ input }) => input);

  /** Launches everything; gives the step of each launch. */
  function* launch(inputs: readonly Cell[], scalars: Float64Array): Generator<number, readonly Cell[]> {
    device.check();
    const memory = new Array<Memory | undefined>(slots.length);
    for (let input = 0; input < program.inputs; input++) memory[input] = inputs[input]!.memory;
    const of = (slot: number): Memory => memory[slot]!;
    try {
      for (const [at, { lease, texels, reads, writes, numbers, dead }] of launches.entries()) {
        for (const slot of writes) {
          const { length, dtype } = slots[slot]!;
          memory[slot] = device.allocate(texelsOf(length), scalarOf(dtype));
        }
        const values = numbers.map((number) => ('value' in number ? number.value : scalars[number.scalar]!));
        lease.kernel.launch(texels, reads.map(of), values, writes.map(of));
        for (const slot of dead) {
          device.free(of(slot));
          memory[slot] = undefined;
        }
        yield stages[at]!.step;
      }
      device.flush();
      device.check();
    } catch (error) {
      for (let slot = program.inputs; slot < memory.length; slot++) {
        const left = memory[slot];
        if (left !== undefined) device.free(left);
      }
      throw error instanceof BackendError
        ? error
        : new BackendError('gpu', `a program failed to run: ${String(error)}`, {}, error);
    }
    const outputs = program.outputs.map((output) => {
      const { length, dtype } = slots[output]!;
      return new Cell(of(output), dtype, length);
    });
    for (const input of donated) inputs[input]!.release(device);
    return outputs;
  }

  return {
    run(inputs, scalars) {
      const turns = launch(inputs, scalars);
      for (;;) {
        const turn = turns.next();
        if (turn.done === true) return turn.value;
      }
    },
    async profile(inputs, scalars) {
      const milliseconds = new Array<number>(program.steps.length).fill(0);
      await device.idle();
      const turns = launch(inputs, scalars);
      for (;;) {
        const start = performance.now();
        const turn = turns.next();
        if (turn.done === true) return { outputs: turn.value, milliseconds };
        await device.idle();
        milliseconds[turn.value] = milliseconds[turn.value]! + performance.now() - start;
      }
    },
    release() {
      for (const lease of leases) lease.release();
    },
  };
}
