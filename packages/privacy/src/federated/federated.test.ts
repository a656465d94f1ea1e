import { cpu } from '@nn/backend-cpu';
import { parameters, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { digits, moons } from '@nn/data';
import { crossEntropy, Linear, Sequential, Tanh } from '@nn/layers';
import { SGD } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { describe, expect, it, test } from 'vitest';
import { type MaskedClient, maskedClient } from './masked.ts';
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
    again.loadHostState({ round: 7, vector: [0, 0], strategy: ['fedAvg', null] });
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
      addEventListener: (type: 'message' | 'close', listener: (event: { readonly data: unknown }) => void) => {
        if (type === 'close') return;
        port.addEventListener('message', ({ data }) => listener({ data: new Uint8Array(data).buffer }));
        port.start();
        listener({ data: 'no message' });
        listener({ data: new ArrayBuffer(3) });
      },
    };
  }
});

/** Clients that move a share of the way to a goal, as a training does, from what they are sent. */
const seeking = (goal: number, examples = 10): FederatedClient => ({
  train: async ({ vector, round }) => ({
    vector: vector.map((value, i) => value + (goal + i - value) / (2 + (round % 3))),
    examples,
  }),
});

describe('a checkpoint', () => {
  const strategies = [rules.fedAvg, rules.fedAvgM, rules.fedAdam, rules.fedYogi, rules.fedAdagrad];
  it.each(strategies.map((strategy) => [strategy.name, strategy] as const))(
    'of %s is resumed as if nothing had been',
    async (_, strategy) => {
      const clients = [1, -2, 5, 3].map((goal, k) => seeking(goal, 5 + k));
      const build = () => new FederatedServer(zero, clients, { strategy: strategy(), clientsPerRound: 3, seed: 4 });
      const whole = build();
      for (let round = 0; round < 6; round++) await whole.round();
      const [first, second] = [build(), build()];
      for (let round = 0; round < 3; round++) await first.round();
      const bytes = await encodeCheckpoint({ server: first });
      await second.round(); // what is restored takes nothing of what was before
      await loadCheckpoint(bytes, { server: second });
      expect(second.hostState()).toEqual(first.hostState());
      for (let round = 3; round < 6; round++) await second.round();
      expect(second.vector).toEqual(whole.vector);
    },
  );

  it('of another strategy, or another model, changes nothing', async () => {
    const server = new FederatedServer(zero, [seeking(1)], { strategy: rules.fedAdam() });
    await server.round();
    const before = server.hostState();
    const others = [
      [
        { ...before, strategy: ['fedAvg', null] },
        'FederatedServer: the state to restore is of a training by fedAvg, this one is by fedAdam: its moments do not fit.',
      ],
      [
        { ...before, strategy: ['fedAdam', { mean: [1, 2] }] },
        "fedAdam: the state to restore has no list of numbers 'squares': it is that of another strategy.",
      ],
      [{ ...before, vector: [1] }, 'FederatedServer: the state to restore is not that of a server of this model.'],
      [null, 'FederatedServer: the state to restore is not that of a server of this model.'],
    ] as const;
    for (const [state, message] of others) {
      expect(() => server.loadHostState(state)).toThrow(message);
      expect(server.hostState()).toEqual(before);
    }
  });
});

describe('secure sums in a round', () => {
  const goals = [1, -2, 5, 3, 0.5];
  const masked = (): MaskedClient[] => goals.map((goal, k) => maskedClient(seeking(goal, 20 * (k + 1))));
  const server = (clients: readonly MaskedClient[], options: object = {}) =>
    new FederatedServer(Float32Array.of(0, 1, 2), clients, { strategy: rules.fedAvg(), secure: {}, ...options });
  const plain = (options: object = {}, of = goals.map((goal, k) => seeking(goal, 20 * (k + 1)))) =>
    new FederatedServer(Float32Array.of(0, 1, 2), of, { strategy: rules.fedAvg(), ...options });
  const distance = (a: Float32Array, b: Float32Array): number =>
    Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

  it('give the model that plain ones give, with every strategy of the mean', async () => {
    for (const strategy of [rules.fedAvg, rules.fedAvgM, rules.fedAdagrad]) {
      const [hidden, open] = [server(masked(), { strategy: strategy() }), plain({ strategy: strategy() })];
      for (let round = 0; round < 3; round++) {
        const [a, b] = [await hidden.round(), await open.round()];
        expect(a).toEqual(b);
      }
      // half a step of 16 / 2^22 for each client, times 1000 / 300 examples, in each of three rounds
      expect(distance(hidden.vector, open.vector)).toBeLessThan(2e-4);
    }
  });

  it('leave out whoever goes, at every stage, and are exact for the rest', async () => {
    for (const [stage, stays] of [
      ['prepare', [0, 1, 3, 4]],
      ['share', [0, 1, 3, 4]],
      ['mask', [0, 1, 3, 4]],
      ['unmask', [0, 1, 2, 3, 4]],
    ] as const) {
      const clients = masked();
      clients[2] = { ...clients[2]!, [stage]: () => Promise.reject(new Error('battery empty')) };
      const hidden = server(clients);
      const { used, left } = await hidden.round();
      expect([stage, used, Object.fromEntries(left)]).toEqual([stage, stays, { 2: 'battery empty' }]);
      const open = plain(
        {},
        stays.map((k) => seeking(goals[k]!, 20 * (k + 1))),
      );
      await open.round();
      expect(distance(hidden.vector, open.vector), stage).toBeLessThan(1e-4);
    }
  });

  it('fail where too few stay, and the model stays, too', async () => {
    const gone = () => Promise.reject(new Error('out of reach'));
    const clients = masked().map((client, k): MaskedClient => (k < 2 ? { ...client, mask: gone } : client));
    const hidden = server(clients);
    await expect(hidden.round()).rejects.toThrow(
      'round: 3 of 5 clients answered, 4 are needed (client 0: out of reach; client 1: out of reach).',
    );
    expect([...hidden.vector]).toEqual([0, 1, 2]);
  });

  it('leave out who sends nonsense, and who trained on too much or changed too far', async () => {
    const clients = masked();
    const lie = (k: number, change: Partial<MaskedClient>) => {
      clients[k] = { ...clients[k]!, ...change };
    };
    lie(0, { share: async () => [] });
    lie(1, { mask: async () => new Uint32Array(3) });
    const few = { secure: { threshold: 3 } };
    expect(Object.fromEntries((await server(clients, few).round()).left)).toEqual({
      0: 'its shares are not one for each other client',
      1: 'the answer is no masked vector',
    });
    lie(0, maskedClient(seeking(1, 1001)));
    lie(1, maskedClient(seeking(50_000, 500)));
    expect(Object.fromEntries((await server(clients, few).round()).left)).toEqual({
      0: 'prepare: the client trained on 1001 examples: a secure sum takes 1 to mostExamples, 1000.',
      1: 'prepare: a number changed by 25000: times examples / mostExamples, 500 / 1000, it must be within ±8.',
    });
    const liar = masked();
    liar[3] = { ...liar[3]!, mask: async () => Uint32Array.of(2 ** 31, 5, 6, 7) };
    await expect(server(liar).round()).rejects.toThrow(
      /round: the sum of 5 clients says \d+ examples, which cannot be: one of them sent a false vector or false shares\./,
    );
  });

  it('are refused where they could not be', () => {
    const refused = [
      [{ strategy: rules.krum({ malicious: 1 }) }, 'krum needs single updates, which secure sums do not show'],
      [{ clientsPerRound: 2 }, 'a secure sum takes 3 to 255 clients a round, not 2.'],
      [{ secure: { threshold: 2 } }, 'threshold is 2: of 5 clients it must be more than half, and not more than all.'],
      [{ secure: { mostExamples: 0 } }, 'mostExamples is 0: it must be a whole number from 1 to 4194303.'],
      [{ secure: undefined }, 'client 0 tells its update under masks only: give { secure: {} }.'],
    ] as const;
    for (const [options, message] of refused) expect(() => server(masked(), options)).toThrow(message);
    expect(() => plain({ secure: {} })).toThrow(
      'client 0 tells its plain update: make it maskedClient(client), or leave out secure.',
    );
  });

  it('show the server no plain number, and answer nothing out of turn', async () => {
    const seen: Uint32Array[] = [];
    const clients = masked().map(
      (client): MaskedClient => ({
        ...client,
        mask: async (received) => {
          const words = await client.mask(received);
          seen.push(words);
          return words;
        },
      }),
    );
    await server(clients).round();
    const examples = seen.map(([first]) => first!);
    expect(examples.filter((word) => word <= 1000)).toEqual([]);
    await expect(maskedClient(seeking(1)).share([])).rejects.toThrow(
      'share: no round has begun: prepare() comes first.',
    );
    const slow = maskedClient({ train: async (request) => seeking(1).train(request) });
    const request = { round: 0, vector: zero, client: 0, threshold: 2, mostExamples: 100 };
    const [first, second] = [slow.prepare(request), slow.prepare({ ...request, round: 1 })];
    await expect(first).rejects.toThrow('prepare: round 0 was given up: another one has begun.');
    expect((await second).client).toBe(0);
  });
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
