/**
 * Training steps of the project's workloads: time of the first step, median of the following, and where the time goes.
 * `node --conditions=@nn/source --import tsx bench/steps.ts [workload] [engine] [profile]`
 */
import { cpu } from '@nn/backend-cpu';
import { compile, profile, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import {
  Conv2d,
  crossEntropy,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
  TransformerEncoderLayer,
} from '@nn/layers';
import { Adam, SGD } from '@nn/optim';
import { print } from './print.ts';

const only = process.argv[2] ?? 'all';
const engine = (process.argv[3] ?? 'auto') as 'auto';
const profiled = process.argv[4] === 'profile';
const threads = Number(process.env.THREADS ?? 1);
const backend = cpu({ engine, ...(threads > 1 && { threads }) } as { engine: 'auto' });
setDefaultBackend(backend);
let compiling = 0;
const compileProgram = backend.compile.bind(backend);
backend.compile = (program) => {
  const begin = performance.now();
  const made = compileProgram(program);
  compiling += performance.now() - begin;
  return made;
};
setSeed(1);

let state = 12345;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 8) / 2 ** 24;
};
const floats = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1),
    { shape },
  );
const labels = (count: number, classes: number): Tensor =>
  tensor(Int32Array.from({ length: count }, () => Math.floor(random() * classes)));

type Workload = { step: () => Promise<unknown>; turns: number };

const workloads: Record<string, () => Workload> = {
  mlp: () => {
    const model = new Sequential(
      new Linear(784, 512),
      new ReLU(),
      new Linear(512, 256),
      new ReLU(),
      new Linear(256, 10),
    );
    const optimizer = new Adam(model, { learningRate: 1e-3 });
    const [x, y] = [floats(128, 784), labels(128, 10)];
    return { turns: 40, step: () => optimizer.step(crossEntropy(model.forward(x), y)) };
  },
  cnn: () => {
    const model = new Sequential(
      new Conv2d(1, 32, 3),
      new ReLU(),
      new Conv2d(32, 64, 3),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(9216, 128),
      new ReLU(),
      new Linear(128, 10),
    );
    const optimizer = new Adam(model, { learningRate: 1e-3 });
    const [x, y] = [floats(32, 1, 28, 28), labels(32, 10)];
    return { turns: Number(process.env.TURNS ?? 15), step: () => optimizer.step(crossEntropy(model.forward(x), y)) };
  },
  lstm: () => {
    const lstm = new LSTM(32, 128, { batchFirst: true });
    const head = new Linear(128, 10);
    const optimizer = new Adam({ lstm, head }, { learningRate: 1e-3 });
    const [x, y] = [floats(32, 50, 32), labels(32, 10)];
    return {
      turns: Number(process.env.TURNS ?? 15),
      step: () => {
        const { output } = lstm.forward(x) as { output: Tensor };
        return optimizer.step(crossEntropy(head.forward(output.at([], -1)), y));
      },
    };
  },
  transformer: () => {
    const model = {
      embedding: new Embedding(128, 128),
      layers: [1, 2].map(
        () =>
          new TransformerEncoderLayer(128, 4, { feedForward: 512, dropout: 0, batchFirst: true, activation: 'gelu' }),
      ),
      norm: new LayerNorm(128),
      head: new Linear(128, 128),
    };
    const optimizer = new Adam(model, { learningRate: 1e-3 });
    const [x, y] = [labels(16 * 64, 128).reshape([16, 64]), labels(16 * 64, 128)];
    return {
      turns: Number(process.env.TURNS ?? 15),
      step: () => {
        let h = model.embedding.forward(x);
        for (const layer of model.layers) h = layer.forward(h);
        return optimizer.step(crossEntropy(model.head.forward(model.norm.forward(h)).reshape([16 * 64, 128]), y));
      },
    };
  },
  tiny: () => {
    const model = new Sequential(new Linear(2, 4), new Tanh(), new Linear(4, 1), new Sigmoid());
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const [x, y] = [floats(100, 2), floats(100, 1)];
    return { turns: 2000, step: () => optimizer.step(model.forward(x).sub(y).square().mean()) };
  },
  tinyCompiled: () => {
    const model = new Sequential(new Linear(2, 4), new Tanh(), new Linear(4, 1), new Sigmoid());
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const [x, y] = [floats(100, 2), floats(100, 1)];
    const step = compile((a: Tensor, b: Tensor) => {
      const loss = model.forward(a).sub(b).square().mean();
      optimizer.step(loss);
      return loss;
    });
    return { turns: 5000, step: async () => step(x, y) };
  },
  mlp1: () => {
    const model = new Sequential(
      new Linear(784, 512),
      new ReLU(),
      new Linear(512, 256),
      new ReLU(),
      new Linear(256, 10),
    );
    const forward = compile((x: Tensor) => model.forward(x));
    const x = floats(1, 784);
    return { turns: 200, step: async () => ((await forward(x)) as Tensor).data() };
  },
  cnn1: () => {
    const model = new Sequential(
      new Conv2d(1, 32, 3),
      new ReLU(),
      new Conv2d(32, 64, 3),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(9216, 128),
      new ReLU(),
      new Linear(128, 10),
    );
    const forward = compile((x: Tensor) => model.forward(x));
    const x = floats(1, 1, 28, 28);
    return { turns: 100, step: async () => ((await forward(x)) as Tensor).data() };
  },
  softmax: () => {
    const x = floats(1024, 1024);
    return { turns: 20, step: () => x.softmax().sum().data() };
  },
  chain: () => {
    const [a, b, c, d] = [1, 2, 3, 4].map(() => floats(1_000_000)) as [Tensor, Tensor, Tensor, Tensor];
    return { turns: 20, step: () => a.mul(b).add(c).tanh().mul(d.sigmoid()).sum().data() };
  },
};

for (const [name, make] of Object.entries(workloads)) {
  if (only !== 'all' && only !== name) continue;
  const { step, turns } = make();
  const start = performance.now();
  await step();
  await backend.idle();
  const first = performance.now() - start;
  for (let turn = 0; turn < Math.min(turns, 20); turn++) await step();
  const times: number[] = [];
  const used = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) {
    const begin = performance.now();
    await step();
    await backend.idle();
    times.push(performance.now() - begin);
  }
  const { user } = process.cpuUsage(used);
  times.sort((p, q) => p - q);
  const [least, median] = [times[0]!, times[turns >> 1]!];
  print(
    name.padEnd(14),
    `first ${first.toFixed(0)} ms (compile ${compiling.toFixed(0)})  cpu ${(user / 1000 / turns).toFixed(4)} ms  median ${median.toFixed(4)} ms  least ${least.toFixed(4)} ms`,
  );
  if (profiled) {
    // The least of several runs for each kernel: the machine is shared.
    const least = new Map<string, { ms: number; calls: number; path: string; flops: number }>();
    for (let run = 0; run < 12; run++) {
      for (const { kernel, path, calls, milliseconds, gigaflops } of (await profile(step)).kernels) {
        const known = least.get(`${path} ${kernel}`);
        if (!known || milliseconds < known.ms) {
          least.set(`${path} ${kernel}`, { ms: milliseconds, calls, path, flops: gigaflops });
        }
      }
    }
    const rows = [...least].sort(([, a], [, b]) => b.ms - a.ms);
    print(`sum ${rows.reduce((sum, [, row]) => sum + row.ms, 0).toFixed(2)} ms`);
    for (const [kernel, { ms, calls, flops }] of rows.slice(0, Number(process.env.ROWS ?? 20))) {
      print(
        `${ms.toFixed(3).padStart(9)} ${String(calls).padStart(4)} ${flops.toFixed(1).padStart(6)}  ${kernel.slice(0, 150)}`,
      );
    }
  }
}
print(JSON.stringify(backend.info()), `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`);
