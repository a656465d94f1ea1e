import { describe, expect, it } from 'vitest';
import { makeProblem, type Problem } from '../model/samples.ts';
import { defaults, withTask } from '../model/spec.ts';
import { placeIn } from './place.ts';
import { chooseAxes, componentsOf, cutOf, viewOf } from './view.ts';

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
    const cut = cutOf(problem, { axes: [0, 1], components: null });
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
    expect([...cutOf(problem, { axes: [0, 0], components: null })(0.5, 0.5)]).toEqual([0.5]);
  });

  it('of the principal components is that of the largest eigenvalues, and a sample on it stands where it is', () => {
    const problem = tableOf('a,b,c,sum', (i) => {
      const [a, b] = [wave(i), wave(i + 11)];
      return [a, a + b / 4, b / 9, a + b + i / 1000].join();
    });
    const components = componentsOf(problem);
    const { across, up, origin, explained } = components;
    const { data } = problem.train.fields.inputs;
    const rows = Array.from({ length: problem.train.size }, (_, i) => [...data.subarray(3 * i, 3 * i + 3)]);
    const along = (direction: readonly number[]): number[] =>
      rows.map((row) => row.reduce((sum, x, k) => sum + (x - origin[k]!) * direction[k]!, 0));
    const product = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, x, i) => sum + x * b[i]!, 0) / a.length;
    // of length 1, across one another, and what lies along them is uncorrelated
    expect(3 * product(across, across)).toBeCloseTo(1, 6);
    expect(product(across, up)).toBeCloseTo(0, 6);
    expect(product(along(across), along(up))).toBeCloseTo(0, 5);
    // the shares are the variances along them; two directions hold all of three columns that two numbers make
    const total =
      rows.reduce((sum, row) => sum + row.reduce((s, x, k) => s + (x - origin[k]!) ** 2, 0), 0) / rows.length;
    expect(explained[0]).toBeCloseTo(product(along(across), along(across)) / total, 5);
    expect(explained[0]).toBeGreaterThan(explained[1]);
    expect(explained[0] + explained[1]).toBeCloseTo(1, 3);
    // no other direction holds more
    for (const angle of [0.3, 1, 2]) {
      const other = across.map((x, k) => x * Math.cos(angle) + up[k]! * Math.sin(angle));
      expect(product(along(other), along(other)) / total).toBeLessThan(explained[0]);
    }
    const view = viewOf(problem, null, false);
    const [u, v] = placeIn(view, data, 6);
    const back = cutOf(problem, view)(u, v);
    back.forEach((value, k) => {
      expect(value).toBeCloseTo(rows[2]![k]!, 3);
    });
  });
});
