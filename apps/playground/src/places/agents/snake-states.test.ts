import { Snake } from '@nn/reinforcement';
import { expect, test } from 'vitest';
import { allStates, seenFrom, stateCount, stateOf } from './snake-states.ts';

test('every state is seen by its own observation', () => {
  const all = allStates();
  const found = Array.from({ length: stateCount }, (_, state) => stateOf(all.subarray(state * 11, (state + 1) * 11)));
  expect(found).toEqual(Array.from({ length: stateCount }, (_, state) => state));
});

test('the head sees from its own square what the environment tells it, but for the tip of the tail, which moves on', () => {
  const snake = new Snake({ size: 6, observation: 'features' });
  let compared = 0;
  for (let seed = 1; seed <= 40; seed++) {
    let { observation } = snake.reset({ seed });
    for (let step = 0; ; step++) {
      const scene = snake.render();
      if (scene.kind !== 'board') throw new Error('Snake is played on a board.');
      const head = scene.cells.flat().findIndex(({ text }) => text === '@');
      const direction = [0, 1, 2, 3].findIndex((k) => observation[3 + k] === 1);
      const seen = seenFrom(scene, head, direction);
      expect(Array.from(seen ?? []).slice(3)).toEqual(Array.from(observation).slice(3));
      const dangers = [0, 1, 2].filter((k) => seen?.[k] !== observation[k]);
      expect(dangers.length).toBeLessThanOrEqual(1); // the tip
      compared++;
      // turns away from danger, else at random as the seed has it
      const action = [0, 1, 2].find((k) => observation[k] === 0 && (seed + step + k) % 3 !== 0) ?? 0;
      const next = snake.step(action);
      observation = next.observation;
      if (next.terminated || next.truncated) break;
    }
  }
  expect(compared).toBeGreaterThan(300);
});
