/** What a group of one and the words of launchers give, and what is refused. */

import { cpu } from '@nn/backend-cpu';
import { compile, parameter, setDefaultBackend, type Tensor, tensor, ValueError } from '@nn/core';
import { Adam, SGD } from '@nn/optim';
import { describe, expect, it } from 'vitest';
import {
  alone,
  DataParallel,
  dataParallel,
  GroupError,
  launchOf,
  localSgd,
  partOf,
  powerSgd,
  sharded,
  shardsOf,
} from './index.ts';

setDefaultBackend(cpu());

describe('a group of one', () => {
  it('gives back what it is given', async () => {
    const group = alone();
    expect([group.name, group.rank, group.size]).toEqual(['alone', 0, 1]);
    expect(await group.allReduce(Float32Array.of(1, 2), 'max')).toEqual(Float32Array.of(1, 2));
    expect(await group.allGather(Int32Array.of(3))).toEqual(Int32Array.of(3));
    expect(await group.reduceScatter(Float64Array.of(4, 5))).toEqual(Float64Array.of(4, 5));
    expect(await group.allToAll(Int32Array.of(6))).toEqual(Int32Array.of(6));
  });

  it('refuses what is no numbers, no rank and no reduction, and any call after its end', async () => {
    const group = alone();
    expect(() => group.allReduce([1] as never)).toThrow('allReduce: takes a Float32Array, Float64Array or Int32Array');
    expect(() => group.allReduce(Float32Array.of(1), 'mean' as never)).toThrow("'mean' is no reduction");
    expect(() => group.broadcast(Float32Array.of(1), 1)).toThrow('broadcast: there is no rank 1: ranks are 0 to 0.');
    await group.close();
    await group.close();
    await expect(group.barrier()).rejects.toThrow(GroupError);
    await expect(group.barrier()).rejects.toThrow('barrier: the group is closed: make calls before close().');
  });

  it('throws from every call what ended the work', async () => {
    const group = alone();
    group.abort(new Error('the disk is full'));
    await expect(group.barrier()).rejects.toThrow('abort: rank 0 ended the work: the disk is full');
  });

  it('trains bit for bit as the optimizer alone', async () => {
    const found = await Promise.all(
      [false, true].map(async (isParallel) => {
        const x = parameter([0.3, -0.7]);
        const plain = new SGD([x], { learningRate: 0.3, momentum: 0.9 });
        const optimizer = isParallel ? await dataParallel(plain, alone()) : plain;
        for (let step = 0; step < 10; step++) {
          const loss = x.sin().square().mean();
          await (optimizer instanceof DataParallel ? optimizer.stepOf(3, loss) : optimizer.step(loss));
        }
        return [...(await x.data())];
      }),
    );
    expect(found[1]).toEqual(found[0]);
  });
});

describe('training in a group', () => {
  it('is told what is wrong with it', async () => {
    const x = parameter([1]);
    const optimizer = await dataParallel(new SGD([x], { learningRate: 0.1 }), alone());
    await expect(optimizer.step(null)).rejects.toThrow('step: there is no loss and nothing was accumulated');
    await expect(optimizer.stepOf(-1, x.sum())).rejects.toThrow('stepOf: -1 is not a number of samples');
    await expect(dataParallel(new SGD([x], { learningRate: 0.1 }), alone(), { checkEvery: 0.5 })).rejects.toThrow(
      'checkEvery is 0.5',
    );
    await expect(dataParallel(new SGD([x], { learningRate: 0.1 }), alone(), { bucketBytes: 0 })).rejects.toThrow(
      'bucketBytes is 0',
    );
    await expect(localSgd(new SGD([x], { learningRate: 0.1 }), alone(), { every: 0 })).rejects.toThrow('every is 0');
    await expect(
      sharded((mine) => new SGD(mine, { learningRate: 1 }), [x], alone(), { globalNorm: -1 }),
    ).rejects.toThrow('globalNorm is -1');
    expect(() => powerSgd({ rank: 0 })).toThrow(ValueError);
  });

  it('says in a compiled function that it waits, and how to compile', async () => {
    const x = parameter([1]);
    const optimizer = await dataParallel(new SGD([x], { learningRate: 0.1 }), alone());
    const local = await localSgd(new SGD([x], { learningRate: 0.1 }), alone());
    const spread = await sharded((mine) => new SGD(mine, { learningRate: 0.1 }), [x], alone());
    const inside: readonly [string, () => unknown][] = [
      ['stepOf', () => optimizer.stepOf(1, x.sum())],
      ['accumulate', () => optimizer.accumulate(x.sum())],
      ['LocalSgd.step', () => local.step(x.sum())],
      ['Sharded.stepOf', () => spread.stepOf(1, x.sum())],
    ];
    for (const [name, call] of inside) {
      await expect(compile(() => void call())()).rejects.toThrow(
        `${name}: it waits for the other ranks, which a compiled function cannot: compile what comes before`,
      );
    }
    expect([await x.array(), optimizer.stepCount]).toEqual([[1], 0]);
  });

  it('steps on gradients that were compiled, accumulated ones too, as on the loss', async () => {
    const found = await Promise.all(
      [false, true].map(async (isCompiled) => {
        const [x, frozen] = [parameter([0.3, -0.7]), parameter([2], { trainable: false })];
        const adam = new Adam([x, frozen], {
          learningRate: (step: number) => 0.1 / (step + 1),
          clip: { globalNorm: 0.5 },
        });
        const optimizer = await dataParallel(adam, alone());
        const lossOf = (y: Tensor): Tensor => x.mul(y).sin().square().sum().mul(frozen.sum());
        const gradients = optimizer.compileGradients(lossOf);
        for (let step = 0; step < 6; step++) {
          const [first, second] = [tensor([1, step]), tensor([step, 2])];
          await optimizer.accumulate(isCompiled ? await gradients(first) : lossOf(first));
          await optimizer.stepOf(3, isCompiled ? await gradients(second) : lossOf(second));
          if (step === 3) frozen.trainable = true;
        }
        return [...(await x.data()), ...(await frozen.data())];
      }),
    );
    expect(found[1]).toEqual(found[0]!.map((value) => expect.closeTo(value, 6)));
    expect(found[0]![2]).not.toBe(2);
  });

  it('leaves everything as it was where no rank has a sample', async () => {
    const x = parameter([1]);
    const optimizer = await dataParallel(new SGD([x], { learningRate: 0.1 }), alone());
    expect(await optimizer.stepOf(0, x.div(0).sum())).toBeNaN();
    expect([await x.array(), optimizer.stepCount]).toEqual([[1], 0]);
  });

  it('saves what the optimizer saves, and not between accumulate and step', async () => {
    const x = parameter([1]);
    const inner = new SGD([x], { learningRate: 0.1 });
    const optimizer = await dataParallel(inner, alone());
    await optimizer.step(x.sum());
    expect(optimizer.hostState()).toEqual(inner.hostState());
    await optimizer.accumulate(x.sum());
    expect(() => optimizer.hostState()).toThrow('accumulated gradients wait for a step');
    await optimizer.step(null);
    expect(await x.array()).toEqual([expect.closeTo(0.8, 6)]);
  });
});

describe('what belongs to whom', () => {
  it('parts cover everything once', () => {
    for (const [length, size] of [
      [10, 3],
      [2, 4],
      [0, 2],
    ] as const) {
      const parts = Array.from({ length: size }, (_, rank) => partOf(length, rank, size));
      expect(parts.map(([from]) => from)).toEqual([0, ...parts.slice(0, -1).map(([, to]) => to)]);
      expect(parts.at(-1)?.[1]).toBe(length);
    }
  });

  it('shards are about equally heavy', () => {
    const sizes = [100, 60, 50, 10, 30];
    const all = sizes.map((size) => parameter(new Float32Array(size), { shape: [size] }));
    const loads = shardsOf(all, 2).map((shard) => shard.reduce((sum, at) => sum + sizes[at]!, 0));
    expect(loads.sort()).toEqual([120, 130]);
  });

  it.each([
    [{ OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_RANK: '1' }, 'Open MPI', 1, 4, 1],
    [{ PMI_RANK: '0', PMI_SIZE: '2', MPI_LOCALRANKID: '0' }, 'MPICH', 0, 2, 0],
    [{ SLURM_PROCID: '3', SLURM_NTASKS: '8', SLURM_LOCALID: '1' }, 'Slurm', 3, 8, 1],
    [{ RANK: '2', WORLD_SIZE: '3', LOCAL_RANK: '0' }, 'torchrun', 2, 3, 0],
    [{ JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '2' }, 'Kubernetes', 0, 2, null],
  ] as const)('%o is read', (environment, launcher, rank, size, localRank) => {
    expect(launchOf(environment)).toEqual({ launcher, rank, size, localRank });
  });

  it('nothing is read of what is no launcher', () => {
    expect(launchOf({})).toBe(null);
    expect(launchOf({ RANK: 'x', WORLD_SIZE: '2' })).toBe(null);
    expect(launchOf({ RANK: '2', WORLD_SIZE: '2' })).toBe(null);
  });
});
