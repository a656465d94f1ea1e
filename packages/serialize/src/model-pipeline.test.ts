/** A model with what belongs around it: saved, read back, and applied to raw rows as it was to the training rows. */
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { encodeTable, fitNormalization, fitTable, normalize, parseCsv } from '@nn/data';
import { Dropout, Linear, Sequential } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from './model.ts';
import { loadPipeline } from './model-pipeline.ts';
import { type ModelUse, modelUse } from './model-use.ts';

beforeAll(() => setDefaultBackend(cpu()));

const table = parseCsv(
  'age,sex,joined,survived\n22,male,2020-05-01,no\n38,female,2021-11-30,yes\n,female,2019-01-15,yes\n',
);
const encoding = fitTable(table, {
  targets: 'survived',
  scale: 'standard',
  unknown: 'ignore',
  columns: { age: { fill: 'median', indicator: true }, joined: { encode: 'date', parts: ['year', 'month'] } },
});
const build = ({ inputSize, classes }: { inputSize: number; classes: readonly string[] | null }) =>
  new Sequential(new Dropout(0.5), new Linear(inputSize, classes?.length ?? 1));

describe('loadPipeline', () => {
  it('makes the same numbers of a raw row as of the table, in evaluation mode', async () => {
    const { inputs } = encodeTable(table, encoding).fields;
    const fitted = fitNormalization(inputs);
    const model = build({ inputSize: inputs.shape[1]!, classes: ['no', 'yes'] });
    const file = await encodeModel(model, { metadata: modelUse({ encoding, normalize: fitted }) });
    const pipeline = await loadPipeline(file, build);
    expect([pipeline.classes, pipeline.inputShape]).toEqual([['no', 'yes'], [inputs.shape[1]!]]);
    const rows = [
      { age: '22', sex: 'male', joined: '2020-05-01', other: 'x' },
      { age: 38, sex: 'female', joined: new Date('2021-11-30') },
      { age: null, sex: 'female', joined: '2019-01-15' },
    ];
    const { data, shape } = normalize(inputs, fitted);
    const linear = model.layers[1] as Linear;
    const logits = (await linear.forward(tensor(data, { shape })).array()) as number[][];
    const shares = (await linear.forward(tensor(data, { shape })).softmax(1).array()) as number[][];
    const predictions = await pipeline.predictAll(rows);
    predictions.forEach(({ label, probabilities, values }, row) => {
      expect(values).toEqual(logits[row]);
      expect(probabilities?.no).toBeCloseTo(shares[row]![0]!, 6);
      expect(label).toBe(shares[row]![0]! > shares[row]![1]! ? 'no' : 'yes');
    });
    expect(await pipeline.predict(rows[1]!)).toEqual(predictions[1]);
    expect(await pipeline.predictAll([])).toEqual([]);
    await expect(pipeline.predict({ age: 3 })).rejects.toThrow("encodeRows: row 0 has no 'sex'");
  });

  const answers = async (outputs: readonly number[], use: ModelUse) => {
    const model = {
      bias: parameter(outputs),
      forward: (x: Tensor) => x.sum(1).unsqueeze(1).mul(0).add(model.bias),
    };
    const file = await encodeModel(model, { metadata: modelUse({ inputShape: [2], ...use }) });
    const other = {
      bias: parameter(outputs.map(() => 0)),
      forward: (x: Tensor) => x.sum(1).unsqueeze(1).mul(0).add(other.bias),
    };
    return loadPipeline(file, () => other);
  };

  it('reads one output as the second of two classes, probabilities as they are, and values in the scale of the targets', async () => {
    const binary = await (await answers([2], { classes: ['no', 'yes'] })).predict([1, 2]);
    expect(binary.label).toBe('yes');
    expect(binary.probabilities?.yes).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    const given = await (await answers([0.25, 0.75], { classes: ['a', 'b'], output: 'probabilities' })).predict([1, 2]);
    expect({ ...given.probabilities }).toEqual({ a: 0.25, b: 0.75 });
    const targetNormalization = { per: 'element', offset: [10], divisor: [4] } as const;
    const value = await (await answers([0.5], { targetNormalization })).predict([1, 2]);
    expect(value).toEqual({ label: null, probabilities: null, values: [12] });
  });

  it('says what does not fit', async () => {
    const three = await answers([1, 2, 3], { classes: ['a', 'b'] });
    await expect(three.predict([1, 2])).rejects.toThrow(
      'ModelPipeline.predict: the model gives 3 outputs for a sample, there are 2 classes (a, b).',
    );
    for (const [sample, words] of [
      [[null, 1], 'has null at 0, which is no number'],
      [['1', 2], 'has 1 at 0, which is no number'],
      [[1, undefined], 'has undefined at 1, which is no number'],
      [[1, Number.NaN], 'has NaN at 1, which is no number'],
      ['12', 'is no list of numbers'],
      [null, 'is no list of numbers'],
      [{ a: 1, b: 2 }, 'is no list of numbers'],
    ] as const) {
      await expect(three.predict(sample as unknown as number[])).rejects.toThrow(
        `ModelPipeline.predict: sample 0 ${words}, the model takes [2], which are 2.`,
      );
    }
    await expect(three.predictAll({ a: 1 } as unknown as number[][])).rejects.toThrow(
      'predictAll: takes a list of inputs',
    );
    await expect(three.predict([1])).rejects.toThrow(
      'ModelPipeline.predict: sample 0 has 1 numbers, the model takes [2], which are 2.',
    );
    const linear = new Linear(2, 1);
    await expect(loadPipeline(await encodeModel(linear), () => linear)).rejects.toThrow(
      'loadPipeline: the file does not say how its model is used: save it with saveModel(path, model, { metadata: modelUse({ ... }) }), or load the parameters alone with loadModel.',
    );
    const other = await encodeModel(linear, { metadata: modelUse({ inputShape: [2] }) });
    await expect(loadPipeline(other, () => new Linear(3, 1))).rejects.toThrow('loadModel: the file does not fit');
  });

  it.each([
    ['{', 'it is no JSON.'],
    ['3', 'it is no object.'],
    ['{"version":2}', 'it has version 2, this package reads version 1.'],
    [
      '{"inputShape":[2],"normalize":{"per":"array","offset":[0],"divisor":[0]}}',
      'normalize is no normalisation, as fitNormalization makes it.',
    ],
    ['{"inputShape":["2"]}', 'neither an encoding nor an inputShape of whole numbers is given.'],
    ['{"inputShape":[2],"classes":["a","a"]}', 'classes must be two different names or more.'],
    ['{"inputShape":[2],"__proto__":1,"script":1}', 'there is no __proto__'],
  ])('refuses %s in a file', async (text, what) => {
    const linear = new Linear(2, 1);
    const file = await encodeModel(linear, { metadata: { 'nn.use': text } });
    await expect(loadPipeline(file, () => linear)).rejects.toThrow(
      `loadPipeline: the metadata 'nn.use' is damaged: ${what}`,
    );
  });
});

describe('modelUse', () => {
  it.each([
    [{}, 'modelUse: neither an encoding nor an inputShape of whole numbers is given.'],
    [{ encoding, inputShape: [3] }, 'modelUse: inputShape [3] has 3 numbers, the encoding makes 7.'],
    [
      { encoding, classes: ['yes', 'no'] },
      'modelUse: classes are yes, no, those of the encoding no, yes; leave classes out.',
    ],
    [{ inputShape: [1], output: 'logits' as const }, "modelUse: output is 'logits', but there are no classes."],
    [
      { inputShape: [1], classes: ['a', 'b'], output: 'values' as const },
      "modelUse: output is 'values', but there are classes.",
    ],
  ])('refuses %j', (use, message) => {
    expect(() => modelUse(use)).toThrow(message);
  });
});
