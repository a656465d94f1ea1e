/**
 * A model's file that says how the model is used: what becomes of a raw row before it, and what its outputs mean. Text
 * in the metadata of `saveModel`, read back whole or not at all, and applied in another process. The network itself is code, and stays
 * with the caller: a file that names what to construct is a file that can construct anything.
 */
import {
  type AbortSignalLike,
  evaluate,
  excerpt,
  FormatError,
  noGradient,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import {
  denormalize,
  encodeRows,
  inputNames,
  type Normalization,
  normalize,
  parseTableEncoding,
  type RawRow,
  type TableEncoding,
} from '@nn/data';
import type { Source } from './files.ts';
import { readBytes } from './files.ts';
import { loadModel } from './model.ts';
import { parseSafetensors } from './safetensors.ts';

/** How a model is used. All of it is plain JSON. */
export interface ModelUse {
  /** How a raw row becomes inputs, as `fitTable` found it. Without it inputs are numbers of `inputShape`. */
  readonly encoding?: TableEncoding;
  /** What is done to the inputs then, as `fitNormalization` found it. */
  readonly normalize?: Normalization;
  /** The inputs of one sample, without the axis of samples; that of the encoding where there is one. */
  readonly inputShape?: readonly number[];
  /** What the inputs are: float32 where not given; tokens are int32. */
  readonly inputType?: 'float32' | 'int32';
  /** The names of the classes in the order of the outputs; those of the encoding's target where it has some. */
  readonly classes?: readonly string[];
  /**
   * What the outputs are. 'logits' go through softmax, or, where there are two classes and one output, through sigmoid: the default
   * where there are classes. 'values' are numbers as they are: the default elsewhere.
   */
  readonly output?: 'logits' | 'probabilities' | 'values';
  /** Takes the scale of the targets back from 'values'. */
  readonly targetNormalization?: Normalization;
}

/** The facts that a network is built by. */
export interface ModelFacts {
  /** The inputs of one sample. */
  readonly inputShape: readonly number[];
  /** How many numbers those are. */
  readonly inputSize: number;
  readonly classes: readonly string[] | null;
}

/** What the model says of one input. */
export interface ModelPrediction {
  /** The most likely class; null where there are no classes. */
  readonly label: string | null;
  /** By class; null where there are no classes. */
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** The outputs in their own scale: logits, probabilities, or values. */
  readonly values: readonly number[];
}

interface CheckedUse extends ModelFacts {
  readonly encoding: TableEncoding | null;
  readonly normalize: Normalization | null;
  readonly inputType: 'float32' | 'int32';
  readonly output: 'logits' | 'probabilities' | 'values';
  readonly targetNormalization: Normalization | null;
}

/** Where the metadata has it. */
const useKey = 'nn.use';

const names = ['encoding', 'normalize', 'inputShape', 'inputType', 'classes', 'output', 'targetNormalization'];

/**
 * How a model is used, as metadata for `saveModel` and `encodeModel`: the fitted encoding of raw rows, scales, names of classes, the shape
 * of inputs. `loadPipeline` reads it back. Throws a `ValueError` where its parts do not fit together.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { encodeModel, loadPipeline, modelUse } from '@nn/serialize';
 * const use = modelUse({ inputShape: [2], classes: ['no', 'yes'], normalize: { per: 'array', offset: [0], divisor: [10] } });
 * const file = await encodeModel(new Linear(2, 1), { metadata: use });
 * const pipeline = await loadPipeline(file, ({ inputSize }) => new Linear(inputSize, 1));
 * const { probabilities } = await pipeline.predict([3, 4]);
 * console.log(Object.keys(probabilities ?? {})); // => [ 'no', 'yes' ]
 */
export function modelUse(use: ModelUse): Record<string, string> {
  checkUse(use, (what) => {
    throw new ValueError('modelUse', what);
  });
  return { [useKey]: JSON.stringify({ version: 1, ...use }) };
}

/** The same, checked, with all that follows from it; `fail` throws. */
function checkUse(use: unknown, fail: (what: string) => never): CheckedUse {
  if (typeof use !== 'object' || use === null) return fail('it is no object.');
  const { version = 1, ...given } = use as ModelUse & { readonly version?: unknown };
  if (version !== 1) return fail(`it has version ${JSON.stringify(version)}, this package reads version 1.`);
  const wrong = Object.keys(given).find((name) => !names.includes(name));
  if (wrong !== undefined) return fail(`there is no ${excerpt(wrong, 40)}: ${names.join(', ')}.`);
  const encoding = given.encoding === undefined ? null : parseTableEncoding(JSON.stringify(given.encoding));
  const width = encoding && inputNames(encoding).length;
  const { inputShape = width === null ? undefined : [width], inputType = 'float32' } = given;
  const isShape = Array.isArray(inputShape) && inputShape.every((size) => Number.isInteger(size) && size >= 0);
  if (!isShape) return fail('neither an encoding nor an inputShape of whole numbers is given.');
  const inputSize = inputShape.reduce((product, size) => product * size, 1);
  if (width !== null && inputSize !== width) {
    return fail(`inputShape [${inputShape.join(', ')}] has ${inputSize} numbers, the encoding makes ${width}.`);
  }
  const [target] = encoding?.targets ?? [];
  const ownClasses = encoding?.targets.length === 1 && target?.kind === 'index' ? target.categories : null;
  const { classes = ownClasses } = given;
  const isNames = classes === null || (Array.isArray(classes) && classes.every((name) => typeof name === 'string'));
  if (!isNames || (classes && (classes.length < 2 || new Set(classes).size < classes.length))) {
    return fail('classes must be two different names or more.');
  }
  if (classes && ownClasses && classes.join('\n') !== ownClasses.join('\n')) {
    return fail(
      `classes are ${classes.join(', ')}, those of the encoding ${ownClasses.join(', ')}; leave classes out.`,
    );
  }
  const { output = classes ? 'logits' : 'values' } = given;
  if (!['logits', 'probabilities', 'values'].includes(output))
    return fail(`output ${excerpt(String(output), 40)} is unknown.`);
  if ((output === 'values') === (classes !== null)) {
    return fail(
      classes ? "output is 'values', but there are classes." : `output is '${output}', but there are no classes.`,
    );
  }
  if (!['float32', 'int32'].includes(inputType)) return fail(`inputType ${excerpt(String(inputType), 40)} is unknown.`);
  for (const name of ['normalize', 'targetNormalization'] as const) {
    if (given[name] !== undefined && !isNormalization(given[name])) {
      return fail(`${name} is no normalisation, as fitNormalization makes it.`);
    }
  }
  return {
    ...{ encoding, inputShape, inputSize, classes, output, inputType },
    normalize: given.normalize ?? null,
    targetNormalization: given.targetNormalization ?? null,
  };
}

function isNormalization(value: unknown): boolean {
  const { per, offset, divisor } = Object(value) as Partial<Record<keyof Normalization, unknown>>;
  const isList = (list: unknown): list is number[] => Array.isArray(list) && list.every(Number.isFinite);
  return (
    ['element', 'channel', 'array'].includes(String(per)) &&
    isList(offset) &&
    isList(divisor) &&
    offset.length === divisor.length &&
    divisor.every((by) => by !== 0)
  );
}

export interface LoadPipelineOptions {
  /** Ends the loading: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/** A model that is used as it was meant to be: `loadPipeline` makes it. */
export class ModelPipeline<M extends { forward(inputs: Tensor): Tensor }> {
  readonly model: M;
  readonly #use: CheckedUse;

  constructor(model: M, use: CheckedUse) {
    this.model = model;
    this.#use = use;
  }

  get inputShape(): readonly number[] {
    return this.#use.inputShape;
  }

  get classes(): readonly string[] | null {
    return this.#use.classes;
  }

  /** What the model says of a raw row, or of the numbers of one sample. Rejects as `predictAll`. */
  async predict(input: RawRow | ArrayLike<number>): Promise<ModelPrediction> {
    const [prediction] = await this.predictAll([input]);
    return prediction!;
  }

  /**
   * The same for many at once, in evaluation mode. Rejects with a `ValueError` for an input that is not as those the model learned
   * from (columns, categories, sizes), and where its outputs do not fit the classes.
   */
  async predictAll(inputs: readonly (RawRow | ArrayLike<number>)[]): Promise<ModelPrediction[]> {
    if (inputs.length === 0) return [];
    const x = this.#inputs(inputs);
    const output = noGradient(() => evaluate(() => this.model.forward(x)));
    const rows = inputs.length;
    if (output.shape[0] !== rows) {
      throw new ValueError(
        'ModelPipeline.predict',
        `${rows} samples went in, [${output.shape.join(', ')}] came out; the model must keep the first axis.`,
        { shape: output.shape },
      );
    }
    const data = await output.cast('float32').data();
    const width = data.length / rows;
    const { targetNormalization } = this.#use;
    const values = targetNormalization
      ? denormalize({ data: Float32Array.from(data), shape: output.shape }, targetNormalization).data
      : data;
    return inputs.map((_, row) => this.#prediction(Array.from(values.subarray(row * width, (row + 1) * width))));
  }

  #inputs(inputs: readonly (RawRow | ArrayLike<number>)[]): Tensor {
    const { encoding, inputShape, inputSize, inputType, normalize: normalization } = this.#use;
    const shape = [inputs.length, ...inputShape];
    let numbers: ArrayLike<number>;
    if (encoding) {
      // The one cast: encodeRows looks at each row.
      numbers = encodeRows(inputs as readonly RawRow[], encoding).data;
    } else {
      const all = new Float64Array(inputs.length * inputSize);
      inputs.forEach((input, row) => {
        const { length } = input as ArrayLike<number>;
        if (length !== inputSize) {
          throw new ValueError(
            'ModelPipeline.predict',
            `sample ${row} has ${length} numbers, the model takes [${inputShape.join(', ')}], which are ${inputSize}.`,
            { row, length },
          );
        }
        all.set(input as ArrayLike<number>, row * inputSize);
      });
      numbers = all;
    }
    if (normalization) numbers = normalize({ data: Float64Array.from(numbers), shape }, normalization).data;
    const data = inputType === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
    return tensor(data, { shape, borrow: true });
  }

  #prediction(values: readonly number[]): ModelPrediction {
    const { classes, output } = this.#use;
    if (!classes) return { label: null, probabilities: null, values };
    const isBinary = classes.length === 2 && values.length === 1;
    if (!isBinary && values.length !== classes.length) {
      throw new ValueError(
        'ModelPipeline.predict',
        `the model gives ${values.length} outputs for a sample, there are ${classes.length} classes (${classes.slice(0, 8).join(', ')}).`,
        { outputs: values.length, classes: classes.length },
      );
    }
    const shares = output === 'logits' ? (isBinary ? [sigmoid(values[0]!)] : softmax(values)) : values;
    const each = isBinary ? [1 - shares[0]!, shares[0]!] : shares;
    const probabilities: Record<string, number> = Object.create(null);
    classes.forEach((name, i) => {
      probabilities[name] = each[i]!;
    });
    return { label: classes[each.indexOf(Math.max(...each))] ?? null, probabilities, values };
  }
}

/** 1 / (1 + e^-x), from the side where e is small. */
function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return (x < 0 ? small : 1) / (1 + small);
}

/** e^x / sum of e^x, with the largest x taken away from all. */
function softmax(values: readonly number[]): number[] {
  const most = Math.max(...values);
  const powers = values.map((x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/**
 * Opens the file of a model that was saved with `modelUse`, for predictions from raw rows: encoding, scaling, model and the names of the
 * classes in one. `build` makes the network, of the sizes that the file tells; its parameters come from the file. Rejects with a
 * `FormatError` where the file does not say how the model is used, or does not fit.
 *
 * @example
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { fitTable, inputNames, parseCsv } from '@nn/data';
 * import { Linear } from '@nn/layers';
 * import { loadPipeline, modelUse, saveModel } from '@nn/serialize';
 * const table = parseCsv('size,color,kind\n1,red,plum\n9,green,apple\n');
 * const encoding = fitTable(table, { targets: 'kind', scale: 'standard' });
 * const model = new Linear(inputNames(encoding).length, 2); // trained here
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/fruit.safetensors`;
 * await saveModel(path, model, { metadata: modelUse({ encoding }) });
 * // in another process:
 * const fruit = await loadPipeline(path, ({ inputSize }) => new Linear(inputSize, 2));
 * const { label, probabilities } = await fruit.predict({ size: '3', color: 'red' });
 * console.log(['plum', 'apple'].includes(label ?? ''), Object.keys(probabilities ?? {})); // => true [ 'apple', 'plum' ]
 */
export async function loadPipeline<M extends { forward(inputs: Tensor): Tensor }>(
  source: Source,
  build: (facts: ModelFacts) => M,
  options: LoadPipelineOptions = {},
): Promise<ModelPipeline<M>> {
  const bytes = await readBytes(source, options.signal);
  const text = parseSafetensors(bytes).metadata.get(useKey);
  if (text === undefined) {
    throw new FormatError(
      'loadPipeline',
      'the file does not say how its model is used: save it with saveModel(path, model, { metadata: modelUse({ ... }) }), or load the parameters alone with loadModel.',
    );
  }
  const fail = (what: string): never => {
    throw new FormatError('loadPipeline', `the metadata '${useKey}' is damaged: ${what}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return fail('it is no JSON.');
  }
  const use = checkUse(parsed, fail);
  const { inputShape, inputSize, classes } = use;
  const model = build({ inputShape, inputSize, classes });
  await loadModel(bytes, model, options);
  return new ModelPipeline(model, use);
}
