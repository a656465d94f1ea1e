/** What is taken along as files: ONNX, a page that predicts, and a folder that trains and predicts in TypeScript and in PyTorch. */
import { namedParameters, type Parameter, randomState, setRandomState, ValueError } from '@nn/core';
import { type DataArray, encodeIdx, shuffledOrder } from '@nn/data';
import { BatchNorm1d, BatchNorm2d, Conv2d, LayerNorm, Linear } from '@nn/layers';
import { encodeNpz, encodeZip } from '@nn/serialize';
import { buildNetwork } from '../model/build.ts';
import { type PageFacts, type PageField, predictPage } from '../model/export/predict-page.ts';
import { predictName, predictProgram } from '../model/export/predict-program.ts';
import type { PlainLayer } from '../model/export/predictor.ts';
import { torchName, torchProgram } from '../model/export/torch-program.ts';
import { featureFacts } from '../model/features.ts';
import { factsOf, programName, programOf } from '../model/program.ts';
import { mostMeasured, readTable, type Samples, tableOf } from '../model/samples.ts';
import { unitOf } from '../model/tables.ts';
import { dropsLast, rateOf } from '../model/training.ts';
import { numbers } from './look.ts';
import type { ExportKind } from './protocol.ts';
import type { Session } from './session.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (value: unknown): Uint8Array => bytesOf(`${JSON.stringify(value, null, 2)}\n`);

export async function exported(session: Session, as: ExportKind, version: string): Promise<Uint8Array> {
  switch (as) {
    case 'onnx':
      return onnxOf(session);
    case 'page':
      return bytesOf(predictPage(await pageFacts(session)));
    case 'zip':
      return encodeZip(await folderOf(session, version));
  }
}

/** Input and output are named so; the size of a batch is free. */
async function onnxOf({ network, problem }: Session): Promise<Uint8Array> {
  const { encodeOnnx } = await import('@nn/onnx');
  return encodeOnnx(network.model, [1, ...problem.inputShape], { dynamic: { batch: 0 } });
}

/** Steps of the training that the programs take. */
const stepsOf = (session: Session): number => session.step || 1000;

async function folderOf(session: Session, version: string): Promise<Map<string, Uint8Array>> {
  const { spec, problem, dropped } = session;
  const facts = factsOf(session.describe(), spec);
  const steps = stepsOf(session);
  const files = new Map<string, Uint8Array>([
    ['README.md', bytesOf(readme(spec.task))],
    ['package.json', json(packageOf(spec.task, version))],
    [programName, bytesOf(programOf(spec, facts, steps, 'model.safetensors'))],
    [
      predictName,
      bytesOf(
        predictProgram(spec, {
          ...facts,
          classNames: problem.classNames,
          inputScale: problem.normalization,
          targetScale: problem.targetNormalization,
        }),
      ),
    ],
    ['model.safetensors', await session.save('model')],
    ['model.onnx', await onnxOf(session)],
    ['example.json', json(exampleOf(session))],
    [`pytorch/${torchName}`, bytesOf(torchProgram(spec, facts))],
    ['pytorch/data.npz', await torchData(session, steps)],
  ]);
  if (problem.encoding !== null) files.set('encoding.json', json(problem.encoding));
  const table = spec.task === 'table' ? tableOf(spec, dropped) : undefined;
  if (table !== undefined) files.set(table.name, bytesOf(table.text));
  if (spec.task === 'idx' && dropped.images) {
    const { pixels, labels, shape } = dropped.images;
    files.set('train-images-idx3-ubyte', encodeIdx({ data: pixels, shape: [shape[0] ?? 0, 28, 28] }));
    files.set('train-labels-idx1-ubyte', encodeIdx({ data: Uint8Array.from(labels), shape: [labels.length] }));
  }
  if (!hasDates(session)) files.set('predict.html', bytesOf(predictPage(await pageFacts(session))));
  return files;
}

const readme = (task: string): string => `# ${task}

Made by the nn playground: an experiment with its data, its network and what it has learned.

- \`npm install\`, then \`npm run train\` trains the network anew, to the numbers of the page, and writes \`model.safetensors\`.
- \`npm run predict\` predicts for the row in \`example.json\`; \`npx tsx ${predictName} '{...}'\` for another.
- \`predict.html\` predicts in any browser, from this file alone.
- \`model.onnx\` runs in onnxruntime and other readers of ONNX: \`input\` [batch, ...], \`output\` [batch, outputs].
- \`python3 pytorch/${torchName}\` trains the same network with PyTorch: from the same start, on the same batches, to the same numbers.
`;

function packageOf(task: string, version: string): object {
  const range = `^${version}`;
  const names = ['backend-cpu', 'core', 'data', 'layers', 'optim', 'serialize'];
  return {
    name: `nn-${task}`,
    private: true,
    type: 'module',
    scripts: { train: `tsx ${programName}`, predict: `tsx ${predictName}` },
    dependencies: Object.fromEntries(names.map((name) => [`@nn/${name}`, range])),
    devDependencies: { '@types/node': '^20.19.0', tsx: '^4.0.0' },
  };
}

/** A row to predict for: the first test point, the first row of the table, the first test image. */
function exampleOf({ problem, spec, dropped }: Session): object {
  const { data } = problem.shown.test.fields.inputs;
  if (problem.pixels) {
    const size = problem.inputShape.reduce((product, length) => product * length, 1);
    return { pixels: Array.from(data.subarray(0, size), (value) => Number((value / 255).toFixed(4))) };
  }
  if (problem.features !== null) return { x: data[0], y: data[1] };
  const table = tableOf(spec, dropped);
  if (table === undefined) return {};
  const wanted = new Set(problem.columns);
  const columns = readTable(table).columns.filter(({ name }) => wanted.has(name));
  return Object.fromEntries(
    columns.map(({ name, values }) => {
      const [value = null] = values;
      return [name, typeof value === 'number' && Number.isNaN(value) ? null : value];
    }),
  );
}

/** Samples as the network gets them, its start values, and the order and rates of all steps. */
async function torchData(session: Session, steps: number): Promise<Uint8Array> {
  const { problem, spec } = session;
  const random = randomState();
  const start = buildNetwork(spec, problem.inputShape, problem.outputs);
  setRandomState(random);
  const { size } = problem.train;
  const dropLast = dropsLast(size, spec.batchSize, spec.layers);
  const [order, sizes]: [number[], number[]] = [[], []];
  for (let epoch = 0; sizes.length < steps; epoch++) {
    const all = shuffledOrder(size, spec.seed, epoch);
    for (let at = 0; at < size && sizes.length < steps; at += spec.batchSize) {
      const batch = all.subarray(at, at + spec.batchSize);
      if (dropLast && batch.length < spec.batchSize) continue;
      order.push(...batch);
      sizes.push(batch.length);
    }
  }
  const rate = rateOf(spec);
  const rates = Float32Array.from({ length: steps }, (_, step) => (typeof rate === 'number' ? rate : rate(step)));
  const floats = (data: Float32Array, shape: readonly number[]) => ({ dtype: 'float32' as const, shape, data });
  const whole = (data: Int32Array, shape: readonly number[] = [data.length]) => ({
    dtype: 'int32' as const,
    shape,
    data,
  });
  const inputs = (part: Samples) => {
    const { data, shape } = part.fields.inputs;
    return floats(
      Float32Array.from(data, (value) => (problem.pixels ? value / 255 : value)),
      shape,
    );
  };
  const targets = ({ fields: { targets: of } }: Samples) => {
    const { data, shape }: DataArray = of;
    return problem.goal === 'quantity' ? floats(Float32Array.from(data), shape) : whole(Int32Array.from(data), shape);
  };
  const parameters = await Promise.all(
    [...namedParameters(start.model)].map(async ([name, parameter]) => {
      const isCount = parameter.dtype !== 'float32';
      return isCount ? null : ([`start.${name}`, floats(await numbers(parameter), parameter.shape)] as const);
    }),
  );
  return encodeNpz([
    ['train_inputs', inputs(problem.train)],
    ['train_targets', targets(problem.train)],
    ['test_inputs', inputs(problem.test)],
    ['test_targets', targets(problem.test)],
    ['order', whole(Int32Array.from(order))],
    ['sizes', whole(Int32Array.from(sizes))],
    ['rates', floats(rates, [steps])],
    ['measured', whole(Int32Array.of(mostMeasured(problem.pixels)), [])],
    ...parameters.filter((item) => item !== null),
  ]);
}

const hasDates = ({ problem }: Session): boolean =>
  problem.encoding?.inputs.some(({ kind }) => kind === 'date') ?? false;

async function pageFacts(session: Session): Promise<PageFacts> {
  const { problem, spec } = session;
  if (hasDates(session)) {
    throw new ValueError(
      '/page-dates',
      'The page that predicts takes numbers and categories, and this table has dates.',
    );
  }
  const { features, normalization, targetNormalization: scale } = problem;
  return {
    title: `nn: ${problem.targetName || spec.task}`,
    layers: await plainLayers(session),
    inputShape: problem.inputShape,
    goal: problem.goal,
    classNames: problem.classNames,
    target: problem.targetName,
    unit: unitOf(problem.targetName),
    fields: fieldsOf(session),
    features: features === null ? null : `(x, y) => [${features.map((name) => featureFacts[name].code).join(', ')}]`,
    inputScale:
      normalization === null ? null : { offset: [...normalization.offset], divisor: [...normalization.divisor] },
    targetScale: scale === null ? null : { offset: scale.offset[0] ?? 0, divisor: scale.divisor[0] ?? 1 },
  };
}

function fieldsOf({ problem }: Session): PageField[] {
  if (problem.pixels) return [];
  if (problem.encoding === null) {
    return ['x', 'y'].map((label) => ({ kind: 'number', label, start: 0, fill: 0 }));
  }
  return problem.encoding.inputs.map((column): PageField => {
    if (column.kind === 'oneHot') {
      return { kind: 'choice', label: column.name, options: column.categories, fill: column.fill ?? '' };
    }
    const fill = column.kind === 'number' && column.fill !== null ? column.fill : 0;
    return { kind: 'number', label: column.name, start: Number(fill.toPrecision(4)), fill };
  });
}

async function plainLayers({ network, spec }: Session): Promise<PlainLayer[]> {
  const list = async (parameter: Parameter | null): Promise<number[]> =>
    parameter === null ? [] : [...(await numbers(parameter))];
  const found = await Promise.all(
    network.parts.map(async ({ layer, role, block }): Promise<PlainLayer | null> => {
      if (layer instanceof Linear)
        return { kind: 'linear', weight: await list(layer.weight), bias: await list(layer.bias) };
      if (layer instanceof Conv2d) {
        const [filters = 0, channels = 0, kernel = 0] = layer.weight.shape;
        const padding = typeof layer.padding === 'string' ? 0 : (layer.padding[0] ?? 0);
        const shape = [filters, channels, kernel, kernel] as const;
        return { kind: 'conv', shape, padding, weight: await list(layer.weight), bias: await list(layer.bias) };
      }
      if (layer instanceof BatchNorm1d || layer instanceof BatchNorm2d) {
        const { runningMean, runningVar, weight, bias, epsilon } = layer;
        const [mean, variance, scale, shift] = await Promise.all([runningMean, runningVar, weight, bias].map(list));
        return {
          kind: 'batchNorm',
          mean: mean ?? [],
          variance: variance ?? [],
          weight: scale ?? [],
          bias: shift ?? [],
          epsilon,
        };
      }
      if (layer instanceof LayerNorm) {
        const { weight, bias, epsilon } = layer;
        return { kind: 'layerNorm', weight: await list(weight), bias: await list(bias), epsilon };
      }
      const { activation = 'linear' } = spec.layers[block] ?? {};
      if (role === 'activation' && activation !== 'linear') return { kind: 'activation', name: activation };
      return role === 'pool' ? { kind: 'pool' } : null;
    }),
  );
  return found.filter((layer) => layer !== null);
}
