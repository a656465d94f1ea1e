/** A car in a valley whose engine is too weak for the hill: it has to swing. */
import type { Scene } from '../render/scene.ts';
import { type Box, box, type Discrete, discrete } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation, within } from './simulation.ts';

const engine = 0.001;
const gravity = 0.0025;
const fastest = 0.07;
const [leftmost, rightmost, goal] = [-1.2, 0.6, 0.5];

/**
 * MountainCar-v0 of Gymnasium: Moore (1990), "Efficient memory-based learning for robot control". Observation: place and speed.
 * Actions: 0 drives to the left, 1 rolls, 2 drives to the right. Each step costs 1 until the flag at 0.5 is reached; truncated after
 * 200 steps.
 *
 *     v <- v + 0.001 (a - 1) - 0.0025 cos 3x,   x <- x + v
 *
 * @example
 * import { MountainCar } from '@nn/reinforcement';
 * const environment = new MountainCar();
 * environment.reset({ seed: 1 });
 * let speed = 0;
 * let total = 0;
 * for (let isOver = false; !isOver; ) {
 *   const step = environment.step(speed < 0 ? 0 : 2); // with the movement, as on a swing
 *   speed = step.observation[1] ?? 0;
 *   total += step.reward;
 *   isOver = step.terminated || step.truncated;
 * }
 * console.log(total > -130); // => true
 */
export class MountainCar extends Simulation<Box, Discrete> {
  readonly name: string = 'MountainCar';
  readonly observationSpace: Box = box([leftmost, -fastest], [rightmost, fastest]);
  readonly actionSpace: Discrete = discrete(3);
  #x = 0;
  #speed = 0;

  constructor(options: LimitOptions = {}) {
    super(limitOf('MountainCar', options, 200));
  }

  protected begin(): void {
    this.#x = this.random.uniform(-0.6, -0.4);
    this.#speed = 0;
  }

  protected advance(action: number): Outcome {
    this.#speed = within(this.#speed + (action - 1) * engine - gravity * Math.cos(3 * this.#x), fastest);
    this.#x = Math.min(rightmost, Math.max(leftmost, this.#x + this.#speed));
    if (this.#x === leftmost && this.#speed < 0) this.#speed = 0;
    return { reward: -1, terminated: this.#x >= goal && this.#speed >= 0 };
  }

  protected observe(): Float32Array {
    return Float32Array.of(this.#x, this.#speed);
  }

  protected variables(): number[] {
    return [this.#x, this.#speed];
  }

  protected restore([x, speed]: readonly [number, number]): void {
    [this.#x, this.#speed] = [x, speed];
  }

  render(): Scene {
    const height = (x: number): number => Math.sin(3 * x) * 0.45 + 0.55;
    const hill = Array.from({ length: 60 }, (_, i) => leftmost + ((rightmost - leftmost) * i) / 59);
    return {
      ...{ kind: 'drawing', left: leftmost, right: rightmost, bottom: 0, top: 1.2 },
      shapes: [
        { kind: 'path', points: hill.map((x) => [x, height(x)]), ink: 'dim' },
        { kind: 'line', from: [goal, height(goal)], to: [goal, height(goal) + 0.2], ink: 'red' },
        { kind: 'circle', center: [this.#x, height(this.#x) + 0.05], radius: 0.05, ink: 'yellow' },
      ],
      caption: `step ${this.steps}, speed ${this.#speed.toFixed(3)}`,
    };
  }
}
