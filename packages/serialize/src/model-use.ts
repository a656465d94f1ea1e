/**
 * How a model is used, as text in the metadata of its file: what becomes of a raw row before it, and what its outputs mean. Read back
 * whole or not at all. Applying it is `model-pipeline.ts`.
 */
import { excerpt, ValueError } from '@nn/core';
import { inputNames, type Normalization, parseTableEncoding, type TableEncoding } from '@nn/data';

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

/** A use that was looked at, with all that follows from it. */
export interface CheckedUse extends ModelFacts {
  readonly encoding: TableEncoding | null;
  readonly normalize: Normalization | null;
  readonly inputType: 'float32' | 'int32';
  readonly output: 'logits' | 'probabilities' | 'values';
  readonly targetNormalization: Normalization | null;
}

/** Where the metadata has it. */
export const useKey = 'nn.use';

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
export function checkUse(use: unknown, fail: (what: string) => never): CheckedUse {
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
