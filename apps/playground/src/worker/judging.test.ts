import { expect, it } from 'vitest';
import { defaults, type Spec, withTask } from '../model/spec.ts';
import { type ExampleName, exampleNames, exampleTable, unitOf } from '../model/tables.ts';
import { look } from './look.ts';
import { metrics } from './metrics.ts';
import { answers } from './mistakes.ts';
import { predict } from './predict.ts';
import { Session } from './session.ts';

const about = (example: ExampleName, more: Partial<Spec> = {}): Spec => ({
  ...withTask(defaults, 'table'),
  table: { target: '', inputs: [], as: 'auto', example },
  ...more,
});

async function trained(spec: Spec, steps: number): Promise<Session> {
  const session = await Session.make(spec, {});
  for (let i = 0; i < steps; i++) await session.trainStep();
  return session;
}

it('the tables that come with the page are the same everywhere, with units, categories and gaps', async () => {
  for (const name of exampleNames) expect(exampleTable(name)).toEqual(exampleTable(name));
  const { columns, goal, reading, file } = (await Session.make(about('houses'), {})).describe();
  expect([goal, file?.name, reading?.separator]).toEqual(['quantity', 'houses.csv', ';']);
  expect(columns.map(({ unit }) => unit)).toEqual(['m²', '', 'years', '', '', 'k€']);
  expect(columns[3]?.categories).toEqual(['centre', 'harbour', 'hills', 'north']);
  expect(columns[2]?.missing).toBeGreaterThan(5);
  expect(columns[0]?.range?.[0]).toBeGreaterThan(30);
  expect((await Session.make(about('flowers'), {})).problem.classNames).toEqual(['alba', 'lutea', 'rosea']);
  const loans = (await Session.make(about('loans'), {})).problem;
  const no = [...loans.train.fields.targets.data].filter((target) => target === 0).length / loans.train.size;
  expect(no).toBeGreaterThan(0.05);
  expect(no).toBeLessThan(0.22);
  expect([unitOf('area (m²)'), unitOf('speed [km/h]'), unitOf('f(x) of it')]).toEqual(['m²', 'km/h', '']);
});

it('metrics of two classes are those of the answers, and follow the threshold', async () => {
  const session = await trained(about('loans'), 60);
  const { test } = session.problem;
  const logits = await answers(session, test);
  const shares = Array.from(logits, (z) => 1 / (1 + Math.exp(-z)));
  const truth = [...test.fields.targets.data];
  for (const threshold of [0.5, 0.9]) {
    const found = await metrics(session, threshold);
    const value = (name: string): number => found.rows.find((row) => row.name === name)?.test ?? Number.NaN;
    const called = shares.map((share) => (share > threshold ? 1 : 0));
    const count = (guess: number, real: number): number =>
      called.filter((call, i) => call === guess && truth[i] === real).length;
    const [tp, fp, fn, tn] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)];
    expect(value('accuracy')).toBeCloseTo((tp + tn) / truth.length, 5);
    expect(value('precision')).toBeCloseTo(tp / (tp + fp), 5);
    expect(value('recall')).toBeCloseTo(tp / (tp + fn), 5);
    expect(value('balancedAccuracy')).toBeCloseTo((tp / (tp + fn) + tn / (tn + fp)) / 2, 5);
    // a pair of one of each class is in order, or half where both are equal
    let area = 0;
    for (const [i, one] of truth.entries()) {
      for (const [j, other] of truth.entries()) {
        if (one !== 1 || other !== 0) continue;
        const [a = 0, b = 0] = [logits[i], logits[j]];
        area += (a > b ? 1 : a === b ? 0.5 : 0) / ((tp + fn) * (fp + tn));
      }
    }
    expect(value('auroc')).toBeCloseTo(area, 4);
    expect(found.classes?.map((scores) => scores.count)).toEqual([fp + tn, tp + fn]);
    expect(found.classes?.[0]?.recall).toBeCloseTo(tn / (tn + fp), 5);
    expect(found.classes?.[1]?.recall).toBeCloseTo(tp / (tp + fn), 5);
  }
});

it('errors of a quantity are in its unit', async () => {
  const session = await trained(about('houses'), 150);
  const { rows, scatter, classes } = await metrics(session, 0.5);
  const { truth, predicted } = scatter!;
  const mean = truth.reduce((a, b) => a + b) / truth.length;
  const squares = truth.reduce((sum, value, i) => sum + (value - predicted[i]!) ** 2, 0);
  const error = Math.sqrt(squares / truth.length);
  expect(classes).toBeNull();
  expect(mean).toBeGreaterThan(150);
  expect(rows.find(({ name }) => name === 'rootMeanSquaredError')?.test).toBeCloseTo(error, 1);
  const total = truth.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  expect(rows.find(({ name }) => name === 'r2')?.test).toBeCloseTo(1 - squares / total, 3);
});

it('metrics of several classes are there, and agree with the accuracy of the frame', async () => {
  const session = await trained(about('flowers'), 60);
  const [{ rows, classes, roc }, frame] = [await metrics(session, 0.5), await look(session, false)];
  expect(rows.find(({ name }) => name === 'accuracy')?.test).toBeCloseTo(frame.testAccuracy ?? 0, 5);
  expect([classes?.length, roc]).toEqual([3, null]);
});

it('a row that is filled in is predicted as the samples are', async () => {
  const session = await trained(about('houses'), 100);
  const { problem } = session;
  const [line = ''] = exampleTable('houses').text.split('\n').slice(1);
  const [area = '', rooms = '', age = '', district = '', garden = ''] = line.split(';');
  const row = {
    'area (m²)': Number(area.replace(',', '.')),
    rooms: Number(rooms),
    'age (years)': age === '' ? null : Number(age),
    district: district === '' ? null : district,
    garden,
  };
  const { value, shares } = await predict(session, row);
  // the same sample stands somewhere in one of the parts
  const { offset, divisor } = problem.targetNormalization!;
  const all = (await Promise.all([problem.train, problem.test].map((part) => answers(session, part)))).flatMap(
    (part) => [...part],
  );
  const nearest = Math.min(...all.map((z) => Math.abs(offset[0]! + divisor[0]! * z - value!)));
  expect(nearest).toBeLessThan(1e-3);
  expect(shares).toBeNull();
  // a value that is not known is filled in; a category that is none is refused
  expect((await predict(session, { ...row, district: null })).value).toBeGreaterThan(50);
  await expect(predict(session, { ...row, district: 'moon' })).rejects.toThrow('moon');
  const moons = await trained(defaults, 100);
  const { shares: two } = await predict(moons, { x: -0.9, y: 0.3 });
  expect((two?.[0] ?? 0) + (two?.[1] ?? 0)).toBeCloseTo(1, 6);
  expect(two?.[0]).toBeGreaterThan(0.5);
});
