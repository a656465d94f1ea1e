import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../environment.ts';
import { sceneText } from '../render/text.ts';
import type { Space } from '../spaces.ts';
import { Acrobot } from './acrobot.ts';
import { CartPole } from './cart-pole.ts';
import { Game2048, push2048 } from './game-2048.ts';
import { CliffWalking, GridWorld } from './grid-world.ts';
import { MountainCar } from './mountain-car.ts';
import { Pendulum } from './pendulum.ts';
import { Snake } from './snake.ts';

interface Trajectory {
  readonly actions: readonly number[];
  readonly states: readonly (readonly number[])[];
  readonly rewards: readonly number[];
  readonly terminated: readonly boolean[];
}
const golden: Record<string, Trajectory> = JSON.parse(
  readFileSync(new URL('../../fixtures/golden.json', import.meta.url), 'utf8'),
);

const makers: Record<string, () => Environment> = {
  CartPole: () => new CartPole(),
  MountainCar: () => new MountainCar(),
  Acrobot: () => new Acrobot(),
  Pendulum: () => new Pendulum(),
  GridWorld: () => new GridWorld({ slippery: 0.5 }),
  CliffWalking: () => new CliffWalking({ limit: 50 }),
  Snake: () => new Snake({ size: 5 }),
  'Snake of features': () => new Snake({ observation: 'features' }),
  Game2048: () => new Game2048(),
};

/** What is seen of a state, as the golden states hold angles and speeds. */
const seen: Record<string, (state: readonly number[]) => number[]> = {
  CartPole: (state) => [...state],
  MountainCar: (state) => [...state],
  Acrobot: ([a, b, v, w]) => [Math.cos(a!), Math.sin(a!), Math.cos(b!), Math.sin(b!), v!, w!],
  Pendulum: ([angle, speed]) => [Math.cos(angle!), Math.sin(angle!), speed!],
};

/** Puts an environment into a state, by its own. */
function place(environment: Environment, variables: readonly number[]): void {
  environment.reset({ seed: 1 });
  const state = environment.hostState?.() as { variables: number[] };
  const rest = state.variables.slice(variables.length);
  environment.loadHostState?.({ ...state, variables: [...variables, ...rest] });
}

describe.each(['CartPole', 'MountainCar', 'Acrobot', 'Pendulum'])('%s', (name) => {
  it('moves as its equations say', () => {
    const { actions, states, rewards, terminated } = golden[name]!;
    const environment = makers[name]!();
    place(environment, states[0]!);
    actions.forEach((action, t) => {
      const step = environment.step(environment.actionSpace.kind === 'box' ? Float32Array.of(action) : action);
      // a float32 action moves a pendulum by 1e-7
      seen[name]!(states[t + 1]!).forEach((wanted, i) => {
        expect(Math.abs((step.observation as Float32Array)[i]! - wanted)).toBeLessThan(
          2e-5 * Math.max(1, Math.abs(wanted)),
        );
      });
      expect(Math.abs(step.reward - rewards[t]!)).toBeLessThan(1e-4);
      expect(step.terminated).toBe(terminated[t]);
    });
  });
});

/** Random actions for a while, through ends: all that was seen and earned. */
function play(environment: Environment, steps: number, draw: () => number): unknown[] {
  const all: unknown[] = [];
  for (let t = 0; t < steps; t++) {
    const space: Space = environment.actionSpace;
    const action = space.kind === 'discrete' ? Math.floor(draw() * space.n) : Float32Array.of(4 * draw() - 2);
    const step = environment.step(action);
    all.push([...[step.observation].flat(), step.reward, step.terminated, step.truncated]);
    if (step.terminated || step.truncated) all.push(environment.reset().observation);
  }
  return all;
}
const drawer = (seed: number) => () => {
  seed = (seed * 1103515245 + 12345) % 2 ** 31;
  return seed / 2 ** 31;
};

describe.each(Object.keys(makers))('%s', (name) => {
  const make = makers[name]!;

  it('gives the same for the same seed, and goes on from its state', () => {
    const [a, b] = [make(), make()];
    expect(a.reset({ seed: 3 })).toEqual(b.reset({ seed: 3 }));
    expect(play(a, 60, drawer(1))).toEqual(play(b, 60, drawer(1)));
    const restored = make();
    restored.loadHostState?.(JSON.parse(JSON.stringify(a.hostState?.())));
    expect(play(restored, 200, drawer(2))).toEqual(play(a, 200, drawer(2)));
  });

  it('names an action outside of its space, and a step without an episode', () => {
    const environment = make();
    const good = environment.actionSpace.kind === 'box' ? Float32Array.of(0) : 0;
    expect(() => environment.step(good)).toThrow('call `reset()` before the first step');
    environment.reset({ seed: 1 });
    const bad = environment.actionSpace.kind === 'box' ? Float32Array.of(9) : 7;
    expect(() => environment.step(bad)).toThrow('the action is outside of its space');
    expect(() => environment.step(undefined as never)).toThrow('the action is outside of its space');
  });

  it('is drawn', () => {
    const environment = make();
    environment.reset({ seed: 1 });
    expect(sceneText(environment.render!()).join('').trim().length).toBeGreaterThan(10);
  });

  it('refuses a state that is not its own', () => {
    expect(() => make().loadHostState?.({ variables: [1] })).toThrow('a state has');
  });
});

it('limits truncate, and do not terminate', () => {
  const environment = new Pendulum({ limit: 2 });
  environment.reset({ seed: 1 });
  expect(environment.step(Float32Array.of(0)).truncated).toBe(false);
  const last = environment.step(Float32Array.of(0));
  expect([last.truncated, last.terminated]).toEqual([true, false]);
  expect(() => new CartPole({ limit: 0 })).toThrow('0 is not a number of steps');
  expect(() => new CartPole({ limits: 3 } as never)).toThrow('limit');
});

describe('GridWorld', () => {
  it('slips to both sides as often as it says', () => {
    const world = new GridWorld({ map: ['...', '.S.', '...'], slippery: 2 / 3 });
    const counts = new Map<number, number>();
    for (let i = 0; i < 3000; i++) {
      world.reset(i === 0 ? { seed: 1 } : {});
      const { observation } = world.step(2);
      counts.set(observation, (counts.get(observation) ?? 0) + 1);
    }
    // on, and to the two sides, each 1000 of 3000 with a deviation of 26
    for (const square of [1, 5, 7]) expect(Math.abs(counts.get(square)! - 1000)).toBeLessThan(100);
    expect(counts.get(3)).toBe(undefined);
  });

  it('refuses maps that are none', () => {
    expect(() => new GridWorld({ map: ['SG', 'F'] })).toThrow('one length');
    expect(() => new GridWorld({ map: ['SX'] })).toThrow("not of 'X'");
    expect(() => new GridWorld({ map: ['FG'] })).toThrow('this has 0');
    expect(() => new GridWorld({ slippery: 2 })).toThrow('slippery 2');
  });
});

describe('2048', () => {
  it.each([
    // [before, direction, after, gain]: one row of four, pushed to the left
    [[1, 1, 1, 1], [2, 2, 0, 0], 8],
    [[1, 1, 2, 0], [2, 2, 0, 0], 4],
    [[2, 1, 1, 0], [2, 2, 0, 0], 4],
    [[0, 0, 0, 3], [3, 0, 0, 0], 0],
    [[1, 0, 0, 1], [2, 0, 0, 0], 4],
  ])('%j pushed becomes %j for %i', (before, after, gain) => {
    const rest = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const pushed = push2048(Uint8Array.from([...before, ...rest]), 3)!;
    expect([...pushed.tiles.slice(0, 4)]).toEqual(after);
    expect(pushed.gain).toBe(gain);
    const other = push2048(Uint8Array.from([...[...before].reverse(), ...rest]), 1)!;
    expect([...other.tiles.slice(0, 4)].reverse()).toEqual(after);
  });

  it('tells which pushes move nothing', () => {
    const game = new Game2048();
    place(game, [0, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 0]);
    expect([...game.legalActions()]).toEqual([0, 1, 1, 0]);
    const { observation, reward } = game.step(0);
    expect(reward).toBe(0);
    expect(observation[16 * 1]).toBe(1);
  });
});

describe('Snake', () => {
  it('eats, grows, and dies at the wall', () => {
    const snake = new Snake({ size: 6 });
    snake.reset({ seed: 2 });
    const state = snake.hostState() as { variables: number[] };
    // an apple before the head, which is at [3, 3] and looks to the right
    snake.loadHostState({ ...state, variables: [1, 22, 0, ...state.variables.slice(3)] });
    expect(snake.step(0).reward).toBe(1);
    expect(snake.score).toBe(1);
    const last = [snake.step(0), snake.step(0)];
    expect(last.map(({ terminated, reward }) => [terminated, reward])).toEqual([
      [false, expect.any(Number)],
      [true, -1],
    ]);
  });

  it('turns by the side of its head', () => {
    const snake = new Snake({ size: 6 });
    snake.reset({ seed: 2 });
    const heads = [0, 1, 2].map((action) => {
      snake.reset({ seed: 2 });
      return snake.step(action).observation.slice(0, 36).indexOf(1);
    });
    expect(heads).toEqual([22, 27, 15]); // on, down, up
  });
});
