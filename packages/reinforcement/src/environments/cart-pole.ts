/** A pole on a cart that is to be kept upright. */
import type { Scene } from '../render/scene.ts';
import { type Box, box, type Discrete, discrete } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation } from './simulation.ts';

const gravity = 9.8;
const cartMass = 1;
const poleMass = 0.1;
const totalMass = cartMass + poleMass;
/** Half of the pole: from its foot to the centre of its mass. */
const halfLength = 0.5;
const force = 10;
const seconds = 0.02;
const farthest = 2.4;
const steepest = (12 * 2 * Math.PI) / 360;

/**
 * CartPole-v1 of Gymnasium: Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning
 * control problems". Observation: the cart's place and speed, the pole's angle and its speed. Actions: 0 pushes to the left, 1 to
 * the right. Each step earns 1; the episode ends past 2.4 from the middle or 12 degrees, and is truncated after 500 steps.
 *
 *     theta'' = (g sin theta + cos theta (-F - m l theta'^2 sin theta) / M) / (l (4/3 - m cos^2 theta / M))
 *     x''     = (F + m l (theta'^2 sin theta - theta'' cos theta)) / M
 *
 * with M the mass of both, m and l mass and half length of the pole, by Euler's method with 0.02 seconds.
 *
 * @example
 * import { CartPole } from '@nn/reinforcement';
 * const environment = new CartPole();
 * environment.reset({ seed: 1 });
 * let steps = 0;
 * for (let isOver = false; !isOver; steps++) {
 *   const { terminated, truncated } = environment.step(0); // always to the left
 *   isOver = terminated || truncated;
 * }
 * console.log(steps > 7 && steps < 12); // => true
 */
export class CartPole extends Simulation<Box, Discrete> {
  readonly name: string = 'CartPole';
  readonly observationSpace: Box = box(
    [-2 * farthest, -Infinity, -2 * steepest, -Infinity],
    [2 * farthest, Infinity, 2 * steepest, Infinity],
  );
  readonly actionSpace: Discrete = discrete(2);
  #x = 0;
  #speed = 0;
  #angle = 0;
  #turning = 0;

  constructor(options: LimitOptions = {}) {
    super(limitOf('CartPole', options, 500));
  }

  protected begin(): void {
    [this.#x, this.#speed, this.#angle, this.#turning] = [this.#draw(), this.#draw(), this.#draw(), this.#draw()];
  }

  #draw(): number {
    return this.random.uniform(-0.05, 0.05);
  }

  protected advance(action: number): Outcome {
    const push = action === 1 ? force : -force;
    const [sine, cosine] = [Math.sin(this.#angle), Math.cos(this.#angle)];
    const pull = (push + poleMass * halfLength * this.#turning ** 2 * sine) / totalMass;
    const angular = (gravity * sine - cosine * pull) / (halfLength * (4 / 3 - (poleMass * cosine ** 2) / totalMass));
    const linear = pull - (poleMass * halfLength * angular * cosine) / totalMass;
    this.#x += seconds * this.#speed;
    this.#speed += seconds * linear;
    this.#angle += seconds * this.#turning;
    this.#turning += seconds * angular;
    return { reward: 1, terminated: Math.abs(this.#x) > farthest || Math.abs(this.#angle) > steepest };
  }

  protected observe(): Float32Array {
    return Float32Array.of(this.#x, this.#speed, this.#angle, this.#turning);
  }

  protected variables(): number[] {
    return [this.#x, this.#speed, this.#angle, this.#turning];
  }

  protected restore([x, speed, angle, turning]: readonly [number, number, number, number]): void {
    [this.#x, this.#speed, this.#angle, this.#turning] = [x, speed, angle, turning];
  }

  render(): Scene {
    const [x, foot] = [this.#x, 0.25];
    const head = [x + 2 * halfLength * Math.sin(this.#angle), foot + 2 * halfLength * Math.cos(this.#angle)] as const;
    return {
      ...{ kind: 'drawing', left: -farthest, right: farthest, bottom: -0.2, top: 1.5 },
      shapes: [
        { kind: 'line', from: [-farthest, 0], to: [farthest, 0], ink: 'dim' },
        { kind: 'box', from: [x - 0.25, 0.02], to: [x + 0.25, foot], ink: 'blue' },
        { kind: 'line', from: [x, foot], to: head, ink: 'yellow' },
        { kind: 'circle', center: head, radius: 0.04, ink: 'yellow' },
      ],
      caption: `step ${this.steps}, angle ${((this.#angle * 180) / Math.PI).toFixed(1)} degrees`,
    };
  }
}
