import { digits } from '@nn/data';
import { describe, expect, it } from 'vitest';
import { makeProblem } from './samples.ts';
import { defaults, tasks, withTask } from './spec.ts';

const rows = (text: (i: number) => string, count = 40): string =>
  Array.from({ length: count }, (_, i) => text(i)).join('\n');

describe('the samples of an experiment', () => {
  it('are parted, and fit the network, for every task that is generated', () => {
    for (const task of tasks.filter((name) => name !== 'drawn' && name !== 'table' && name !== 'idx')) {
      const spec = { ...withTask(defaults, task), samples: 100 };
      const { train, test, inputShape, outputs, goal } = makeProblem(spec, {});
      expect(train.size + test.size).toBe(100);
      expect(test.size).toBe(Math.round(100 * spec.testFraction));
      expect(train.fields.inputs.shape.slice(1)).toEqual(inputShape);
      expect(outputs).toBe(goal === 'classes' ? 10 : 1);
    }
  });

  it('are few of class 1 where so asked, and as many together', () => {
    for (const task of ['moons', 'circles', 'xor', 'spirals', 'blobs'] as const) {
      const { train, test } = makeProblem({ ...withTask(defaults, task), samples: 200, balance: 0.1 }, {});
      const count = (part: typeof train): number =>
        [...part.fields.targets.data].filter((target) => target === 1).length;
      expect([train.size + test.size, count(train) + count(test), count(test)], task).toEqual([200, 20, 6]);
    }
  });

  it('come from the left half for training and from everywhere for testing where so asked', () => {
    const range = (part: ReturnType<typeof makeProblem>['train']): [number, number] => {
      const across = [...part.fields.inputs.data].filter((_, i) => i % 2 === 0);
      return [Math.min(...across), Math.max(...across)];
    };
    const spec = { ...withTask(defaults, 'circles'), samples: 200 };
    const whole = makeProblem(spec, {});
    const half = makeProblem({ ...spec, coverage: 'leftHalf' }, {});
    expect([half.train.size, half.test.size]).toEqual([70, 60]);
    expect(range(half.train)[1]).toBeLessThan(0.2);
    expect(range(half.train)[0]).toBe(range(whole.train)[0]);
    expect(half.test).toEqual(whole.test);
  });

  it('of a table are normalised by the training part, with categories for classes', () => {
    const text = `size,color,kind\n${rows((i) => `${i},${i % 2 ? 'red' : 'blue'},${'abc'[i % 3]}`)}`;
    const problem = makeProblem(withTask(defaults, 'table'), { table: { name: 't.csv', text, encoding: 'utf-8' } });
    expect(problem.goal).toBe('classes');
    expect(problem.classNames).toEqual(['a', 'b', 'c']);
    expect(problem.inputNames).toEqual(['size', 'color=blue', 'color=red']);
    const { data, shape } = problem.train.fields.inputs;
    const sizes = [...data].filter((_, i) => i % 3 === 0);
    expect(sizes.length).toBe(shape[0]);
    expect(sizes.reduce((sum, x) => sum + x, 0) / sizes.length).toBeCloseTo(0, 5);
  });

  it('of a table with many different numbers are a quantity, unless classes are asked for', () => {
    const text = `x,y\n${rows((i) => `${i},${i * 1.5}`)}`;
    const table = { name: 't.csv', text, encoding: 'utf-8' };
    expect(makeProblem(withTask(defaults, 'table'), { table }).goal).toBe('quantity');
    const few = { name: 't.csv', text: `x,y\n${rows((i) => `${i},${i % 2}`)}`, encoding: 'utf-8' };
    expect(makeProblem(withTask(defaults, 'table'), { table: few }).goal).toBe('binary');
    const asked = { ...withTask(defaults, 'table'), table: { target: 'y', inputs: [], as: 'number' as const } };
    expect(makeProblem(asked, { table: few }).goal).toBe('quantity');
  });

  it('of a table that cannot be learned from are refused in words', () => {
    const spec = withTask(defaults, 'table');
    const make = (text: string) => () => makeProblem(spec, { table: { name: 't.csv', text, encoding: 'utf-8' } });
    expect(make('x\n1\n2')).toThrow('t.csv has 1 column: one to predict and one to predict it from are needed.');
    expect(make('x,y\n1,2')).toThrow("t.csv has 1 rows with a value of 'y': 10 or more are needed.");
    expect(make(`x,y\n${rows((i) => `${i},same`)}`)).toThrow("'y' has a single value: there is nothing to tell apart.");
    expect(make(`x,y\n${rows((i) => `${i},name${i}`)}`)).toThrow(
      "'y' has 40 values, which are too many classes: at most 26.",
    );
    expect(() => makeProblem(spec, {})).toThrow('Drop a CSV file');
  });

  it('of dropped images are the first of them', () => {
    const { inputs, targets } = digits(50).fields;
    const images = { name: 'i', pixels: inputs.data, labels: targets.data, shape: inputs.shape };
    const { train, test, inputShape } = makeProblem({ ...withTask(defaults, 'idx'), samples: 40 }, { images });
    expect(train.size + test.size).toBe(40);
    expect(inputShape).toEqual([1, 28, 28]);
  });
});
