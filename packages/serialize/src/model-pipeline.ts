/**
 * A model that is used as its file says (`model-use.ts`): a raw row in, a class with its probability out. The network itself is code,
 * and stays with the caller: a file that names what to construct is a file that can construct anything.
 */
import { type AbortSignalLike, evaluate, FormatError, noGradient, type Tensor, tensor, ValueError } from '@nn/core';
import { denormalize, encodeRows, normalize, type RawRow } from '@nn/data';
import { readBytes } from './files.ts';
import { loadModel } from './model.ts';
import { type CheckedUse, checkUse, type ModelFacts, useKey } from './model-use.ts';
import { parseSafetensors } from './safetensors.ts';
import type { Source } from './sources/reader.ts';

/** What the model says of one input. */
export interface ModelPrediction {
  /** The most likely class; null where there are no classes. */
  readonly label: string | null;
  /** By class; null where there are no classes. */
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** The outputs in their own scale: logits, probabilities, or values. */
  readonly values: readonly number[];
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
    if (!Array.isArray(inputs)) {
      throw new ValueError('ModelPipeline.predictAll', 'takes a list of inputs; predict takes one.');
    }
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
        all.set(numbersOf(input, row, this.#use), row * inputSize);
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

/** The numbers of one sample. A typed array would make 0 of null and NaN of a text, from which a network says something, too. */
function numbersOf(input: unknown, row: number, { inputShape, inputSize, inputType }: CheckedUse): ArrayLike<number> {
  const fail = (what: string): never => {
    throw new ValueError(
      'ModelPipeline.predict',
      `sample ${row} ${what}, the model takes [${inputShape.join(', ')}], which are ${inputSize}.`,
      { row },
    );
  };
  if (!Array.isArray(input) && !(ArrayBuffer.isView(input) && 'length' in input)) return fail('is no list of numbers');
  // The one cast: each element is looked at.
  const values = input as ArrayLike<unknown>;
  if (values.length !== inputSize) fail(`has ${values.length} numbers`);
  for (let i = 0; i < inputSize; i++) {
    const value = values[i];
    const isRight = inputType === 'int32' ? Number.isInteger(value) : Number.isFinite(value);
    if (!isRight) {
      fail(`has ${String(value)} at ${i}, which is no ${inputType === 'int32' ? 'whole ' : ''}number`);
    }
  }
  return values as ArrayLike<number>;
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
  const bytes = await readBytes('loadPipeline', source, options.signal);
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
