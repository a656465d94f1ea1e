import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

function stepsIn(pace: Pace, milliseconds: number, every: number): number {
  let steps = 0;
  pace.start(0);
  for (let now = 0; now < milliseconds; now += every) while (pace.isDue(now) && steps < 1e5) steps++;
  return steps;
}

describe('the pace', () => {
  it('lets as many steps pass as were asked for', () => {
    const pace = new Pace();
    pace.stepsPerSecond = 200;
    expect(stepsIn(pace, 2000, 5)).toBeGreaterThanOrEqual(398);
    expect(stepsIn(pace, 2000, 5)).toBeLessThanOrEqual(402);
  });

  it('takes the first step at once, and makes up for a tenth of a second only', () => {
    const pace = new Pace();
    pace.stepsPerSecond = 8;
    pace.start(0);
    expect([pace.isDue(0), pace.isDue(1)]).toEqual([true, false]);
    // a minute away: one step, not 480
    expect([pace.isDue(60_000), pace.isDue(60_000)]).toEqual([true, false]);
  });

  it('waits for a frame where so many steps may pass between two, at any speed', () => {
    const pace = new Pace();
    pace.stepsPerFrame = 50;
    expect(stepsIn(pace, 20, 5)).toBe(50);
    pace.show();
    expect(stepsIn(pace, 20, 5)).toBe(50);
    pace.show();
    pace.stepsPerSecond = 200;
    expect(stepsIn(pace, 100, 5)).toBeLessThanOrEqual(22);
  });

  it('does not hold back where no limit is set', () => {
    expect(stepsIn(new Pace(), 1, 1)).toBe(1e5);
  });
});
