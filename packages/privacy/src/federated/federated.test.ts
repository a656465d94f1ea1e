import { cpu } from '@nn/backend-cpu';
import { parameters, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { digits, moons } from '@nn/data';
import { crossEntropy, Linear, Sequential, Tanh } from '@nn/layers';
import { SGD } from '@nn/optim';
import { describe, expect, it, test } from 'vitest';
import { remoteClient, type SocketLike, serveClient, socketPort } from './ports.ts';
import { type FederatedClient, FederatedServer } from './server.ts';
import { dirichletSplit } from './skew.ts';
import * as rules from './strategies.ts';
import { loadModelVector, modelVector, proximalTerm } from './vectors.ts';

setDefaultBackend(cpu({ threads: 1 }));
const update = (...values: number[]): rules.ClientUpdate => ({ vector: Float32Array.from(values), examples: 1 });
const zero = Float32Array.of(0, 0);

describe('strategies', () => {
  it('server optimizers do the arithmetic of their paper', () => {
    const [b1, b2, rate, tau] = [0.9, 0.99, 0.1, 1e-3];
    const changes = [0.5, -0.25, 0.125];
    const squares: Record<string, (v: number, d: number) => number> = {
      fedAdam: (v, d) => b2 * v + (1 - b2) * d * d,
      fedYogi: (v, d) => v - (1 - b2) * d * d * Math.sign(v - d * d),
      fedAdagrad: (v, d) => v + d * d,
    };
    for (const [name, next] of Object.entries(squares)) {
      const momentum = name === 'fedAdagrad' ? 0 : b1;
      const strategy = { fedAdam: rules.fedAdam, fedYogi: rules.fedYogi, fedAdagrad: rules.fedAdagrad }[name]!();
      let [m, v, w, current] = [0, tau * tau, 0, Float32Array.of(0)];
      for (const d of changes) {
        m = momentum * m + (1 - momentum) * d;
        v = next(v, d);
        w += (rate * m) / (Math.sqrt(v) + tau);
        current = new Float32Array(strategy.aggregate(current, [update(current[0]! + d)]));
        expect(current[0]).toBeCloseTo(w, 4);
      }
    }
    const momentum = rules.fedAvgM({ momentum: 0.5 });
    expect(momentum.aggregate(Float32Array.of(0), [update(1)])[0]).toBe(1);
    expect(momentum.aggregate(Float32Array.of(1), [update(2)])[0]).toBe(2.5);
  });

  it('robust ones stay among the honest, where the mean is carried off', () => {
    const honest = [update(1, 2), update(1.1, 2.1), update(0.9, 1.9), update(1, 2.05)];
    const all = [...honest, update(1e6, -1e6)];
    expect(rules.fedAvg().aggregate(zero, all)[0]).toBeGreaterThan(1e4);
    for (const strategy of [
      rules.coordinateMedian(),
      rules.trimmedMean(0.25),
      rules.krum({ malicious: 1 }),
      rules.krum({ malicious: 1, keep: 2 }),
    ]) {
      const [a, b] = strategy.aggregate(zero, all);
      expect([a! >= 0.9 && a! <= 1.1, b! >= 1.9 && b! <= 2.1], strategy.name).toEqual([true, true]);
    }
    expect(rules.coordinateMedian().aggregate(zero, honest)[0]).toBe(1);
    expect(rules.trimmedMean(0.25).aggregate(zero, honest)[0]).toBe(1);
    expect(() => rules.krum({ malicious: 2 }).aggregate(zero, honest)).toThrow(
      'krum: 4 updates are too few to find 2 malicious ones: at least 5 are needed.',
    );
    expect(() => rules.trimmedMean(0.5)).toThrow('trimmedMean: share is 0.5: it must be from 0 to below 0.5.');
  });
});

describe('a training', () => {
  const build = () => new Sequential(new Linear(2, 4), new Tanh(), new Linear(4, 2));
  const data = moons(60, { seed: 1 });
  const tensorsOf = (indices: ArrayLike<number>) => {
    const { inputs, targets } = data.take(indices).fields;
    return { x: tensor(inputs.data, { shape: inputs.shape }), y: tensor(targets.data) };
  };

  it('of one step on all data at each client is the step of one model on all of it', async () => {
    setSeed(2);
    const model = build();
    const start = await modelVector(model);
    const parts = [
      [0, 10],
      [10, 25],
      [25, 60],
    ].map(([from, to]) => Int32Array.from({ length: to! - from! }, (_, i) => from! + i));
    const clients = parts.map((part): FederatedClient => {
      const own = build();
      return {
        async train({ vector }) {
          loadModelVector(own, vector);
          const { x, y } = tensorsOf(part);
          await new SGD(own, { learningRate: 0.5 }).step(crossEntropy(own.forward(x), y));
          return { vector: await modelVector(own), examples: part.length };
        },
      };
    });
    const server = new FederatedServer(start, clients, { strategy: rules.fedAvg() });
    await server.round();
    const { x, y } = tensorsOf(Int32Array.from({ length: 60 }, (_, i) => i));
    await new SGD(model, { learningRate: 0.5 }).step(crossEntropy(model.forward(x), y));
    const central = await modelVector(model);
    expect(Math.max(...central.map((value, i) => Math.abs(value - server.vector[i]!)))).toBeLessThan(1e-6);
  });

  it('FedProx holds a client back', async () => {
    const model = { w: new Linear(2, 1, { bias: false }) };
    const sent = await modelVector(model);
    loadModelVector(
      model,
      sent.map((value) => value + 2),
    );
    expect(await proximalTerm(model, sent, 0.1).item()).toBeCloseTo((0.1 / 2) * 8, 5);
    expect(parameters(model)).toHaveLength(1);
    expect(() => loadModelVector(model, new Float32Array(3))).toThrow(
      'loadModelVector: the vector has 3 numbers, the model 2.',
    );
  });
});

describe('clients', () => {
  const good = (goal: number): FederatedClient => ({
    train: async ({ vector }) => ({ vector: vector.map(() => goal), examples: 1 }),
  });
  const failing: FederatedClient = { train: () => Promise.reject(new Error('battery empty')) };
  const silent: FederatedClient = { train: () => new Promise(() => undefined) };
  const wrong = (answer: unknown): FederatedClient => ({ train: async () => answer as rules.ClientUpdate });

  it('that fail, are late or send nonsense are left out, and named', async () => {
    const clients = [
      good(1),
      failing,
      silent,
      wrong({ vector: Float32Array.of(1), examples: 1 }),
      wrong({ vector: Float32Array.of(1, Number.NaN), examples: 1 }),
      wrong({ vector: zero, examples: -5 }),
      wrong(null),
      good(3),
    ];
    const server = new FederatedServer(zero, clients, { strategy: rules.fedAvg(), timeout: 50 });
    const { used, left } = await server.round();
    expect(used).toEqual([0, 7]);
    expect(Object.fromEntries(left)).toEqual({
      1: 'battery empty',
      2: 'late: no answer within 50 ms',
      3: 'the update has 1 numbers, the model 2',
      4: 'the update is not finite',
      5: 'the update is of -5 examples',
      6: 'the answer is no update',
    });
    expect([...server.vector]).toEqual([2, 2]);
  });

  it('that are too few fail the round, and the model stays', async () => {
    const server = new FederatedServer(zero, [good(1), failing], { strategy: rules.fedAvg(), minimum: 2 });
    await expect(server.round()).rejects.toThrow(
      'round: 1 of 2 clients answered, 2 are needed (client 1: battery empty).',
    );
    expect(server.vector).toBe(zero);
  });

  it('are chosen anew in each round by the seed; hundreds are no burden', async () => {
    const asked = new Float64Array(300);
    const clients = Array.from(
      asked,
      (_, k): FederatedClient => ({
        train: async ({ vector }) => {
          asked[k]!++;
          return { vector: vector.slice(), examples: 1 };
        },
      }),
    );
    const server = new FederatedServer(zero, clients, { strategy: rules.fedAvg(), clientsPerRound: 30, seed: 1 });
    const rounds = [];
    for (let round = 0; round < 20; round++) rounds.push((await server.round()).used.join());
    expect(new Set(rounds).size).toBe(20);
    expect(asked.reduce((a, b) => a + b, 0)).toBe(600);
    const again = new FederatedServer(zero, clients, { strategy: rules.fedAvg(), clientsPerRound: 30, seed: 1 });
    again.loadHostState({ round: 7, vector: [0, 0] });
    expect((await again.round()).used.join()).toBe(rounds[7]);
    expect(() => new FederatedServer(zero, clients, { strategy: rules.fedAvg(), clientsPerRound: 301 })).toThrow(
      'clientsPerRound is 301: it must be a whole number from 1 to 300, the clients.',
    );
  });

  test.each(['port', 'socket'] as const)('at the other end of a %s train as here', async (kind) => {
    const { port1, port2 } = new MessageChannel();
    const [here, there] = kind === 'port' ? [port1, port2] : [socketPort(socketOf(port1)), socketPort(socketOf(port2))];
    let rounds = 0;
    serveClient(there, {
      train: async ({ vector, round }) => {
        rounds = round;
        if (round === 2) throw new Error('no data: ☃');
        return { vector: vector.map((value) => value + 0.25), examples: 4 };
      },
    });
    const server = new FederatedServer(zero, [remoteClient(here)], { strategy: rules.fedAvg() });
    await server.round();
    await server.round();
    expect([[...server.vector], rounds]).toEqual([[0.5, 0.5], 1]);
    await expect(server.round()).rejects.toThrow('client 0: remoteClient: the client failed: Error: no data: ☃');
    port1.close();
    port2.close();
  });

  /** A WebSocket over a port, as strict as one: bytes alone. */
  function socketOf(port: MessagePort): SocketLike {
    return {
      binaryType: 'blob',
      send: (data) => {
        expect(data).toBeInstanceOf(ArrayBuffer);
        port.postMessage(new Uint8Array(data));
      },
      addEventListener: (_, listener) => {
        port.addEventListener('message', ({ data }) => listener({ data: new Uint8Array(data).buffer }));
        port.start();
        listener({ data: 'no message' });
        listener({ data: new ArrayBuffer(3) });
      },
    };
  }
});

describe('data of many clients', () => {
  const { data } = digits(500, { seed: 1 }).fields.targets;

  it.each([
    [0.1, 0.5, 1],
    [100, 0, 0.2],
  ])('with a concentration of %f', (concentration, least, most) => {
    const parts = dirichletSplit(data, 10, { concentration, seed: 3 });
    expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const largest = parts.map((part) => {
      const counts = new Float64Array(10);
      for (const index of part) counts[data[index]!]!++;
      return Math.max(...counts) / part.length;
    });
    const mean = largest.reduce((a, b) => a + b, 0) / 10;
    expect(mean).toBeGreaterThan(least);
    expect(mean).toBeLessThanOrEqual(most);
  });

  it('leaves no client with nothing', () => {
    for (const part of dirichletSplit(data.slice(0, 40), 30, { concentration: 0.01 }))
      expect(part.length).toBeGreaterThan(0);
    expect(() => dirichletSplit(data, 501)).toThrow(
      'dirichletSplit: clients is 501: it must be a whole number from 1 to 500, the samples.',
    );
    expect(() => dirichletSplit(data, 5, { concentration: 0 })).toThrow(
      'dirichletSplit: concentration is 0: it must be above 0.',
    );
  });
});
