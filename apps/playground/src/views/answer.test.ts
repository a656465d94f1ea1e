import { describe, expect, it } from 'vitest';
import { defaults, dense, type Spec, withTask } from '../model/spec.ts';
import { look, turnPlane } from '../worker/look.ts';
import { grid } from '../worker/protocol.ts';
import { Session } from '../worker/session.ts';
import { answerOf, curvesOf, legendOf } from './answer.ts';

const rows = Array.from({ length: 60 }, (_, i) => `${i / 4},${200 + 50 * Math.sin(i / 9)},${'abc'[i % 3]}`);
const table = { name: 't.csv', text: `hours,price,kind\n${rows.join('\n')}\n`, encoding: 'utf-8' };
const of = (target: string, inputs: readonly string[]): Spec => ({
  ...withTask(defaults, 'table'),
  layers: [dense(3)],
  table: { target, inputs, as: 'auto' },
});

async function seen(spec: Spec) {
  const session = await Session.make(spec, { table });
  return { session, built: session.describe(), frame: await look(session, false) };
}

describe('the legend', () => {
  it('of a quantity is in the units of its column', async () => {
    const { built, frame } = await seen(of('price', ['hours', 'kind']));
    const answer = answerOf(built, frame, null)!;
    const [low = '', high = ''] = legendOf(built, answer)!;
    const { offset, divisor } = built.targetScale!;
    expect(Number(high) - Number(low)).toBeCloseTo(2 * answer.scale * divisor[0]!, 0);
    expect((Number(low) + Number(high)) / 2).toBeCloseTo(offset[0]!, 0);
    expect(Number(low)).toBeGreaterThan(100);
  });

  it('of a unit is of its own values, whatever the output is', async () => {
    for (const spec of [of('price', ['hours', 'kind']), of('kind', []), withTask(defaults, 'moons')]) {
      const { built, frame } = await seen(spec);
      const answer = answerOf(built, frame, { block: 0, unit: 1 })!;
      const most = Math.max(0.5, ...answer.values.map(Math.abs));
      expect(legendOf(built, answer)).toEqual([`−${most.toFixed(3)}`, most.toFixed(3)]);
    }
  });

  it('of classes names them: two at the ends, more by colour, and one of them by its own values', async () => {
    const moons = await seen(withTask(defaults, 'moons'));
    expect(legendOf(moons.built, answerOf(moons.built, moons.frame, null)!)).toEqual(['0', '1']);
    const { built, frame } = await seen(of('kind', []));
    expect(legendOf(built, answerOf(built, frame, null)!)).toBe(null);
    expect(answerOf(built, frame, { block: 1, unit: 2 })?.kind).toBe('unit');
  });
});

describe('a network with one input', () => {
  it('is a curve that holds the samples', async () => {
    const { built, frame } = await seen(of('price', ['hours']));
    const { lines, range } = curvesOf(built, answerOf(built, frame, null)!);
    expect(lines.map(({ length }) => length)).toEqual([grid]);
    expect(range[0]).toBeLessThan(Math.min(...built.test.targets, ...built.train.targets));
    expect(range[1]).toBeGreaterThan(Math.max(...lines[0]!));
  });

  it('has a share for each class, which add up to 1', async () => {
    const { built, frame } = await seen(of('kind', ['hours']));
    const { lines } = curvesOf(built, answerOf(built, frame, null)!);
    expect(lines.length).toBe(3);
    for (const i of [0, 17, 47]) expect(lines.reduce((sum, line) => sum + line[i]!, 0)).toBeCloseTo(1, 5);
  });
});

it('the plane is turned to other inputs without touching the network', async () => {
  const { session, built, frame } = await seen(of('kind', []));
  const axes = built.view.axes;
  turnPlane(session, [axes[1], axes[0]]);
  const turned = await look(session, false);
  expect(turned.view.axes).toEqual([axes[1], axes[0]]);
  expect(turned.trainLoss).toBe(frame.trainLoss);
  const at = (maps: Float32Array, row: number, column: number): number => maps[row * grid + column] as number;
  // the plane has equal sides, so what was across is now up
  const [before, after] = [frame.blocks[0]!.maps, turned.blocks[0]!.maps];
  const [first, last] = [at(before, grid - 1, 0), at(before, 0, grid - 1)];
  expect([at(after, grid - 1, 0), at(after, 0, grid - 1)]).toEqual(
    [first, last].map((value) => expect.closeTo(value, 4)),
  );
  expect(() => turnPlane(session, [0, 7])).toThrow('0 and 7 are not two of the 2 inputs.');
});
