/**
 * The experiment as a TypeScript program that rebuilds and trains the same model with the public names of the packages.
 * It writes what build.ts, samples.ts and training.ts do; a test runs it and compares the numbers.
 */
import type { CsvReading } from '@nn/data';
import type { Built } from '../worker/protocol.ts';
import { planLayers } from './build.ts';
import { featureFacts, isPlain } from './features.ts';
import { balanceOf, mostMeasured } from './samples.ts';
import { type Goal, hasFeatures, type Initializer, isBinaryTask, isRegressionTask, type Spec } from './spec.ts';
import { dropsLast, isPenalized, lossNameOf } from './training.ts';

/** `.mts`, so that it is a module in any folder, whatever a package.json there says. */
export const programName = 'program.mts';

/** What the samples decided. */
export interface ProgramFacts {
  readonly goal: Goal;
  readonly inputShape: readonly number[];
  readonly outputs: number;
  readonly trainSize: number;
  readonly testSize: number;
  /** For tables: the chosen columns. */
  readonly target: string;
  readonly inputs: readonly string[];
  readonly fileName: string;
  readonly encoding: string;
  readonly reading: Pick<CsvReading, 'separator' | 'header'> | null;
}

/** Names to import, by package. */
class Imports {
  readonly #names = new Map<string, Set<string>>();

  /** Notes the names and gives back the first. */
  use(from: string, ...names: readonly string[]): string {
    const known = this.#names.get(from) ?? new Set();
    this.#names.set(from, known);
    for (const name of names) known.add(name);
    return names[0] ?? '';
  }

  /** Those that are installed, in order. */
  get packages(): string[] {
    return [...this.#names.keys()].filter((name) => name.startsWith('@')).sort();
  }

  toString(): string {
    const plain = (name: string): string => name.replace('type ', '').toLowerCase();
    const packages = [...this.#names].sort(([a], [b]) => (a < b ? -1 : 1));
    return packages
      .map(([from, names]) => {
        const sorted = [...names].sort((a, b) => (plain(a) < plain(b) ? -1 : 1));
        return `import { ${sorted.join(', ')} } from '${from}';`;
      })
      .join('\n');
  }
}

/** What the samples decided, from what the page knows of an experiment. */
export function factsOf(now: Built, spec: Spec): ProgramFacts {
  const { inputs } = spec.table;
  return {
    goal: now.goal,
    inputShape: now.inputShape,
    outputs: now.goal === 'classes' ? now.classNames.length : 1,
    trainSize: now.trainSize,
    testSize: now.testSize,
    target: now.target,
    inputs: inputs.length > 0 ? inputs : now.columns.map(({ name }) => name).filter((name) => name !== now.target),
    fileName: now.file?.name ?? 'data.csv',
    encoding: now.file?.encoding ?? 'utf-8',
    reading: now.reading,
  };
}

/** `saved`: the file that the trained model goes to; none where not given. */
export function programOf(spec: Spec, facts: ProgramFacts, steps: number, saved?: string): string {
  const imports = new Imports();
  imports.use('@nn/core', 'setDefaultBackend', 'setSeed', 'evaluate', 'tensor', 'type Tensor');
  const backend = backendCode(spec, imports);
  const data = dataCode(spec, facts, imports);
  const model = modelCode(spec, facts, imports);
  const loss = lossCode(spec, facts, imports);
  const optimizer = optimizerCode(spec, imports);
  const report = reportCode(facts);
  const training = trainingCode(spec, steps);
  const saving =
    saved === undefined ? [] : [`await ${imports.use('@nn/serialize', 'saveModel')}('${saved}', model);\n`];
  return [
    `/** ${spec.task}: made by the nn playground. It needs ${imports.packages.join(', ')}; run it with: npx tsx ${programName} */`,
    `${imports}\n`,
    backend,
    '// The samples.',
    data,
    '// The network, with start values that the seed decides.',
    model,
    loss,
    optimizer,
    training,
    report,
    ...saving,
  ].join('\n');
}

function backendCode({ backend }: Spec, imports: Imports): string {
  if (backend === 'cpu') return `setDefaultBackend(${imports.use('@nn/backend-cpu', 'cpu')}());\n`;
  return `setDefaultBackend(await ${imports.use('@nn/backend-gpu', 'gpu')}({ mode: '${backend}' }));\n`;
}

/**
 * Words that are not ours (names of files and columns) as a literal. Whatever could end it, break the line or hide what
 * stands there is written by its number.
 */
export function literal(value: string): string {
  const quoted = value.replace(/[\\'\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (letter) =>
    letter === '\\' || letter === "'" ? `\\${letter}` : `\\u{${(letter.codePointAt(0) as number).toString(16)}}`,
  );
  return `'${quoted}'`;
}

function dataCode(spec: Spec, facts: ProgramFacts, imports: Imports): string {
  const { task, samples, seed, noise, testFraction, batchSize, layers } = spec;
  const data = (...names: readonly string[]): string => imports.use('@nn/data', ...names);
  data('DataLoader', 'trainTestSplit');
  const stratify = facts.goal === 'quantity' ? '' : `, stratifyBy: 'targets'`;
  const split = `{ testFraction: ${testFraction}, seed: ${seed}${stratify} }`;
  const isPixels = task === 'digits' || task === 'idx';
  const options = [
    `batchSize: ${batchSize}`,
    'shuffle: true',
    `seed: ${seed}`,
    ...(dropsLast(facts.trainSize, batchSize, layers) ? ['dropLast: true'] : []),
    ...(isPixels ? [`normalize: { inputs: { per: 'array', offset: [0], divisor: [255] } }`] : []),
  ].join(', ');
  const loader = `const loader = new DataLoader(train, { ${options} });\n`;
  const parted = `${featureCode(spec, split, imports)}${loader}`;
  if (task === 'table') return tableCode(facts, split, loader, data, imports);
  if (task === 'drawn') {
    data('Dataset');
    const inputs = spec.points.flatMap(({ x, y }) => [x, y]);
    const targets = spec.points.map(({ target }) => target);
    return `const whole = new Dataset({
  inputs: { data: new Float32Array(${JSON.stringify(inputs)}), shape: [${targets.length}, 2] },
  targets: { data: new Int32Array(${JSON.stringify(targets)}), shape: [${targets.length}] },
});
${parted}`;
  }
  if (task === 'idx') {
    data('readIdxImages');
    imports.use('node:fs', 'readFileSync');
    return `const [images = 'train-images-idx3-ubyte', labels = 'train-labels-idx1-ubyte'] = process.argv.slice(2);
const all = await readIdxImages(readFileSync(images), readFileSync(labels));
const whole = all.take(Int32Array.from({ length: Math.min(${samples}, all.size) }, (_, i) => i));
${parted}`;
  }
  if (isRegressionTask(task)) {
    data('Dataset', 'RandomSequence');
    const formulas: Readonly<Record<string, string>> = {
      plane: '(x + y) / 2',
      hills: 'Math.exp(-4 * ((x - 0.4) ** 2 + (y - 0.4) ** 2)) - Math.exp(-4 * ((x + 0.4) ** 2 + (y + 0.4) ** 2))',
      ripple: 'Math.cos(5 * Math.hypot(x, y))',
    };
    return `const height = (x: number, y: number): number => ${formulas[task]};
const random = new RandomSequence(${seed});
const points = new Float32Array(2 * ${samples});
const heights = new Float32Array(${samples});
for (let i = 0; i < ${samples}; i++) {
  const x = random.uniform(-1, 1);
  const y = random.uniform(-1, 1);
  points.set([x, y], 2 * i);
  heights[i] = height(x, y) + random.normal(0, ${noise});
}
const whole = new Dataset({
  inputs: { data: points, shape: [${samples}, 2] },
  targets: { data: heights, shape: [${samples}, 1] },
});
${parted}`;
  }
  const generator = data(task);
  const extra =
    task === 'digits' ? `distortion: ${2 * noise}` : `noise: ${noise}${task === 'blobs' ? ', classes: 2' : ''}`;
  const made = (count: number): string => `${generator}(${count}, { seed: ${seed}, ${extra} })`;
  if (!isBinaryTask(task)) return `const whole = ${made(samples)};\n${parted}`;
  return `${balancedCode(spec, made)}${parted}`;
}

function balancedCode(spec: Spec, made: (count: number) => string): string {
  if (spec.balance === 0.5) return `const whole = ${made(spec.samples)};\n`;
  const { generated, ones } = balanceOf(spec);
  return `// All samples of class 0, and the first ${ones} of class 1.
const even = ${made(generated)};
let kept = 0;
const whole = even.take(
  Array.from({ length: even.size }, (_, i) => i).filter((i) => even.fields.targets.data[i] === 0 || kept++ < ${ones}),
);
`;
}

/** The two parts, and of points of the plane what the network gets of them. */
function featureCode(spec: Spec, split: string, imports: Imports): string {
  const { task, features, coverage } = spec;
  const isHalf = isBinaryTask(task) && coverage === 'leftHalf';
  const parts = isHalf ? halfCode(split) : `const parts = trainTestSplit(whole, ${split});\n`;
  if (!hasFeatures(task) || isPlain(features)) {
    return isHalf
      ? `${parts}const { train, test } = parts;\n`
      : `const { train, test } = trainTestSplit(whole, ${split});\n`;
  }
  imports.use('@nn/data', 'Dataset');
  return `${parts}const inputsAt = (x: number, y: number): number[] => [${features.map((name) => featureFacts[name].code).join(', ')}];
const featured = (part: typeof parts.train) => {
  const { inputs, targets } = part.fields;
  const rows = Array.from({ length: part.size }, (_, i) => inputsAt(inputs.data[2 * i]!, inputs.data[2 * i + 1]!));
  return new Dataset({ inputs: { data: Float32Array.from(rows.flat()), shape: [part.size, ${features.length}] }, targets });
};
const [train, test] = [featured(parts.train), featured(parts.test)];
`;
}

function halfCode(split: string): string {
  return `// Training samples come from the left half, test samples from everywhere.
const all = trainTestSplit(whole, ${split});
const across = Array.from({ length: all.train.size }, (_, i) => Number(all.train.fields.inputs.data[2 * i]));
const middle = [...across].sort((a, b) => a - b)[across.length >> 1] ?? 0;
const parts = { train: all.train.take(across.flatMap((x, i) => (x < middle ? [i] : []))), test: all.test };
`;
}

function tableCode(
  facts: ProgramFacts,
  split: string,
  loader: string,
  data: (...names: readonly string[]) => string,
  imports: Imports,
): string {
  data('Dataset', 'dropMissing', 'encodeTable', 'fitNormalization', 'fitTable', 'normalize', 'readCsv');
  imports.use('node:fs', 'readFileSync');
  const isQuantity = facts.goal === 'quantity';
  const kinds = isQuantity ? '' : `, kinds: { [${literal(facts.target)}]: 'category' as const }`;
  const { separator = ',', header = true } = facts.reading ?? {};
  const reading = [
    ...(separator === ',' ? [] : [`, separator: ${literal(separator)}`]),
    ...(header ? [] : [', header: false']),
    ...(facts.encoding === 'utf-8' ? [] : [`, encoding: ${literal(facts.encoding)}`]),
  ].join('');
  const targets = isQuantity ? 'normalize(part.fields.targets, targetScale)' : 'part.fields.targets';
  return `const name = process.argv[2] ?? ${literal(facts.fileName)};
const onWarning = () => {}; // the page has told what is doubtful
const file = await readCsv(readFileSync(name), { name, trim: true, onWarning${reading}${kinds} });
const table = dropMissing(file, [${literal(facts.target)}]);
const encoding = fitTable(table, {
  targets: ${literal(facts.target)},
  inputs: [${facts.inputs.map(literal).join(', ')}],
  missing: 'fill',
  onWarning,
});
const parts = trainTestSplit(encodeTable(table, encoding), ${split});
const scale = fitNormalization(parts.train.fields.inputs);
${isQuantity ? 'const targetScale = fitNormalization(parts.train.fields.targets);\n' : ''}const scaled = (part: typeof parts.train) =>
  new Dataset({ inputs: normalize(part.fields.inputs, scale), targets: ${targets} });
const [train, test] = [scaled(parts.train), scaled(parts.test)];
${loader}`;
}

function modelCode(spec: Spec, facts: ProgramFacts, imports: Imports): string {
  imports.use('@nn/layers', 'Sequential');
  const codes = planLayers(spec.layers, facts.inputShape, facts.outputs).map(({ code }) => code);
  for (const code of codes) imports.use('@nn/layers', /^new (\w+)/.exec(code)?.[1] ?? '');
  const model = `setSeed(${spec.seed});
const model = new Sequential(
${codes.map((code) => `  ${code},`).join('\n')}
);
`;
  return model + initializerCode(spec.initializer, codes, imports) + weightsCode(spec, codes, imports);
}

/** The layers that hold weights, by class; `default` start values need no code. */
function initializerCode(name: Initializer, codes: readonly string[], imports: Imports): string {
  if (name === 'default') return '';
  imports.use('@nn/core', 'zeros');
  const start = name === 'zeros' ? 'zeros' : imports.use('@nn/layers', name);
  return `for (const layer of model) {
  if (${isWeighted(codes)}) {
    layer.weight.assign(${start}(layer.weight.shape));
    if (layer.bias !== null) layer.bias.assign(zeros(layer.bias.shape));
  }
}
`;
}

const isWeighted = (codes: readonly string[]): string =>
  codes.some((code) => code.startsWith('new Conv2d'))
    ? 'layer instanceof Linear || layer instanceof Conv2d'
    : 'layer instanceof Linear';

function weightsCode(spec: Spec, codes: readonly string[], _: Imports): string {
  if (!isPenalized(spec)) return '';
  return `const weights = [...model].flatMap((layer) => (${isWeighted(codes)} ? [layer.weight] : []));
`;
}

function lossCode(spec: Spec, facts: ProgramFacts, imports: Imports): string {
  const layers = (...names: readonly string[]): string => imports.use('@nn/layers', ...names);
  const name = lossNameOf(facts.goal, spec.loss);
  let code: string;
  if (facts.goal === 'quantity') {
    code = `${layers(name)}(output, targets)`;
  } else if (facts.goal === 'binary') {
    code =
      name === 'crossEntropy'
        ? `${layers('bceWithLogits')}(output.reshape([-1]), targets.cast('float32'))`
        : `${layers('meanSquaredError', 'sigmoid')}(sigmoid(output.reshape([-1])), targets.cast('float32'))`;
  } else if (name === 'crossEntropy') {
    code = `${layers('crossEntropy')}(output, targets)`;
  } else {
    imports.use('@nn/core', 'oneHot');
    code = `${layers('meanSquaredError', 'softmax')}(softmax(output), oneHot(targets, ${facts.outputs}))`;
  }
  const penalty = !isPenalized(spec)
    ? ''
    : `
function penalty(): Tensor {
  const terms = weights.map((weight) => ${spec.penalty === 'l1' ? 'weight.abs().sum()' : 'weight.square().sum().div(2)'});
  return terms.reduce((sum, term) => sum.add(term)).mul(${spec.penaltyRate});
}
`;
  return `
function lossOf(output: Tensor, targets: Tensor): Tensor {
  return ${code};
}
${penalty}`;
}

function optimizerCode(spec: Spec, imports: Imports): string {
  const rate = rateCode(spec, imports);
  const [name, more] = {
    sgd: ['SGD', ''],
    momentum: ['SGD', ', momentum: 0.9'],
    nesterov: ['SGD', ', momentum: 0.9, nesterov: true'],
    rmsprop: ['RMSprop', ''],
    adam: ['Adam', ''],
    adamw: ['AdamW', ''],
  }[spec.optimizer] as [string, string];
  return `const optimizer = new ${imports.use('@nn/optim', name)}(model, { learningRate: ${rate}${more} });\n`;
}

function rateCode({ learningRate: rate, schedule, scheduleSteps: steps }: Spec, imports: Imports): string {
  const use = (...names: readonly string[]): string => imports.use('@nn/optim', ...names);
  switch (schedule) {
    case 'constant':
      return String(rate);
    case 'step':
      return `${use('stepDecay')}(${rate}, { every: ${Math.ceil(steps / 4)}, factor: 0.5 })`;
    case 'exponential':
      return `${use('exponentialDecay')}(${rate}, { factor: 0.01 ** (1 / ${steps}) })`;
    case 'cosine':
      return `${use('cosineDecay')}(${rate}, { steps: ${steps} })`;
    case 'warmUp':
      return `${use('warmUp', 'cosineDecay')}(cosineDecay(${rate}, { steps: ${Math.ceil(steps * 0.9)} }), { steps: ${Math.ceil(steps * 0.1)} })`;
    case 'oneCycle':
      return `${use('oneCycle')}(${rate}, { steps: ${steps} })`;
  }
}

function trainingCode(spec: Spec, steps: number): string {
  const loss = 'lossOf(model.forward(inputs), targets)';
  const total = isPenalized(spec) ? `${loss}.add(penalty())` : loss;
  return `const steps = ${steps};
while (optimizer.stepCount < steps) {
  for (const { inputs, targets } of loader) {
    await optimizer.step(${total});
    if (optimizer.stepCount === steps) break;
  }
}
`;
}

function reportCode({ goal, inputShape, trainSize, testSize }: ProgramFacts): string {
  const pixels = inputShape.length > 1;
  const most = mostMeasured(pixels);
  const isLarge = Math.max(trainSize, testSize) > most;
  const fields = isLarge
    ? `part.take(Array.from({ length: Math.min(${most}, part.size) }, (_, i) => i)).fields`
    : 'part.fields';
  const right = goal === 'binary' ? `output.reshape([-1]).greater(0).cast('int32')` : 'output.argMax(1)';
  const isQuantity = goal === 'quantity';
  const accuracy = isQuantity
    ? ''
    : `
  const accuracy = await ${right}.equal(targets).cast('float32').mean().item();`;
  const shown = isQuantity ? '' : `, accuracy \${accuracy.toFixed(4)}`;
  const inputs = pixels ? 'Float32Array.from(fields.inputs.data, (value) => value / 255)' : 'fields.inputs.data';
  return `${isLarge ? `// The first ${most} samples, as the page measures.\n` : ''}for (const [name, part] of Object.entries({ train, test })) {
  const fields = ${fields};
  const inputs = tensor(${inputs}, { shape: fields.inputs.shape });
  const targets = tensor(fields.targets.data, { shape: fields.targets.shape });
  const output = evaluate(() => model.forward(inputs));
  const loss = await lossOf(output, targets).item();${accuracy}
  console.log(\`\${name}: loss \${loss.toFixed(6)}${shown}\`);
}
`;
}
