import { describe, expect, it } from 'vitest';
import { defaults } from '../model/spec.ts';
import { Timeline } from './timeline.ts';

const moment = (step: number, size = 1) => ({ step, bytes: new Uint8Array(size), spec: defaults });

function run(steps: number, size = 1): Timeline {
  const line = new Timeline();
  for (let step = 0; step <= steps; step++) if (line.isDue(step)) line.keep(moment(step, size));
  return line;
}

describe('the timeline', () => {
  it('keeps the start and the newest, and between them as many as there is room for', () => {
    const { steps } = run(5000);
    expect(steps[0]).toBe(0);
    expect(steps.length).toBeLessThanOrEqual(80);
    expect(steps.length).toBeGreaterThan(30);
    expect(5000 - (steps.at(-1) ?? 0)).toBeLessThan(256);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });

  it('keeps fewer of large ones', () => {
    expect(run(100, 20 * 2 ** 20).steps.length).toBeLessThanOrEqual(4);
  });

  it('goes back to the moment before a step, and forgets what came after', () => {
    const line = run(20);
    expect(line.before(7)?.step).toBe(7);
    line.cutAfter(12);
    expect(line.before(40)?.step).toBe(12);
    expect(line.isDue(12)).toBe(false);
    expect(line.isDue(13)).toBe(true);
  });
});
