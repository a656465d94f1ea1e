import { describe, expect, it } from 'vitest';
import { defaults, type Spec, withTask } from '../model/spec.ts';
import { look } from './look.ts';
import { Session } from './session.ts';
import { walk } from './walk.ts';

async function trained(spec: Spec, steps: number): Promise<Session> {
  const session = await Session.make(spec, {});
  for (let i = 0; i < steps; i++) await session.trainStep();
  return session;
}

describe('a session', () => {
  it('learns moons to 95 % on samples it has not seen', async () => {
    const session = await trained(defaults, 400);
    const frame = await look(session, false);
    expect(frame.testAccuracy).toBeGreaterThanOrEqual(0.95);
    expect(frame.step).toBe(400);
  });

  it('is not changed by being looked at', async () => {
    const spec: Spec = { ...defaults, layers: [{ ...defaults.layers[0]!, dropout: 0.2, norm: 'batch' }] };
    const quiet = await trained(spec, 6);
    const watched = await Session.make(spec, {});
    for (let i = 0; i < 6; i++) {
      await watched.trainStep();
      await look(watched, true);
      await walk(watched, i);
    }
    const [a, b] = [await look(quiet, false), await look(watched, false)];
    expect(b.trainLoss).toBe(a.trainLoss);
    expect(b.blocks[0]?.weights).toEqual(a.blocks[0]?.weights);
  });

  it('learns digits', async () => {
    const session = await trained({ ...withTask(defaults, 'digits'), samples: 600 }, 120);
    const frame = await look(session, false);
    expect(frame.testAccuracy).toBeGreaterThan(0.8);
    expect(frame.blocks[0]?.mapShape).toEqual([14, 14]);
  }, 60_000);
});
