import { describe, expect, it } from 'vitest';
import { makeProblem, type Problem } from '../model/samples.ts';
import { defaults, withTask } from '../model/spec.ts';
import { chooseAxes, cutOf, viewOf } from './view.ts';

const wave = (i: number): number => Math.sin(i * 12.9898) * 0.5;

function tableOf(header: string, row: (i: number) => string): Problem {
  const text = `${header}\n${Array.from({ length: 90 }, (_, i) => row(i)).join('\n')}\n`;
  return makeProblem(withTask(defaults, 'table'), { table: { name: 't.csv', text, encoding: 'utf-8' } });
}

describe('the plane of a table', () => {
  it('is spanned by the two columns that tell the classes apart, not by the first two', () => {
    const problem = tableOf('noise,also noise,long,wide,kind', (i) => {
      const kind = i % 3;
      return [wave(i), wave(i + 7), kind + wave(i + 3), 2 * kind - wave(i + 5), 'abc'[kind]].join();
    });
    expect([...chooseAxes(problem)].sort()).toEqual([2, 3]);
  });

  it('is not spanned by two columns that say the same', () => {
    const problem = tableOf('a,twice a,b,sum', (i) => {
      const [a, b] = [wave(i), wave(i + 11)];
      return [a, 2 * a, b, 3 * a + b / 2 + i / 1000].join();
    });
    expect([...chooseAxes(problem)].sort()).toEqual([0, 2]);
  });

  it('goes through the samples: what depends on the axes follows them', () => {
    const problem = tableOf('a,b,both,sum', (i) => {
      const [a, b] = [wave(i), wave(i + 11)];
      return [a, b, 2 * a - b, a + b + i / 1000].join();
    });
    const cut = cutOf(problem, [0, 1]);
    const { data } = problem.train.fields.inputs;
    for (const i of [0, 5, 9]) {
      const [a, b, both] = data.subarray(3 * i, 3 * i + 3) as Float32Array;
      const place = cut(a as number, b as number);
      expect([place[0], place[1]]).toEqual([a, b]);
      expect(place[2]).toBeCloseTo(both as number, 4);
    }
  });

  it('holds all samples, also those of the test part', () => {
    const problem = tableOf('a,b,c,sum', (i) => [wave(i), i, wave(i + 4), i + 0.5].join());
    const { axes, bounds } = viewOf(problem, [1, 2], false);
    const [left, right, bottom, top] = bounds;
    for (const { fields } of [problem.train, problem.test]) {
      const { data } = fields.inputs;
      for (let i = 0; i < data.length; i += 3) {
        const [x, y] = axes.map((axis) => data[i + axis] as number) as [number, number];
        expect(x > left && x < right && y > bottom && y < top).toBe(true);
      }
    }
  });

  it('of one column is its line', () => {
    const problem = tableOf('hours,price', (i) => `${i / 4},${100 + 50 * wave(i)}`);
    expect(chooseAxes(problem)).toEqual([0, 0]);
    expect([...cutOf(problem, [0, 0])(0.5, 0.5)]).toEqual([0.5]);
  });
});
