/** A pendulum that is to be swung up and held, with a torque that is too weak to lift it at once. */
import type { Scene } from '../render/scene.ts';
import { type Box, box } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation, within } from './simulation.ts';

const gravity = 10;
const seconds = 0.05;
const [fastest, strongest] = [8, 2];

/**
 * Pendulum-v1 of Gymnasium, of mass 1 and length 1. Observation: cosine and sine of the angle (0 is upright), its speed. Action: a
 * torque from -2 to 2. Truncated after 200 steps; it never terminates.
 *
 *     reward = -(theta^2 + 0.1 theta'^2 + 0.001 u^2)  with theta in [-pi, pi], before the step
 *     theta' <- theta' + 0.05 (15 sin theta + 3 u),   theta <- theta + 0.05 theta'
 *
 * @example
 * import { Pendulum } from '@nn/reinforcement';
 * const environment = new Pendulum();
 * environment.reset({ seed: 1 });
 * console.log(environment.step(Float32Array.of(2)).reward < 0); // => true
 */
export class Pendulum extends Simulation<Box, Box> {
  readonly name: string = 'Pendulum';
  readonly observationSpace: Box = box([-1, -1, -fastest], [1, 1, fastest]);
  readonly actionSpace: Box = box(-strongest, strongest, [1]);
  #angle = 0;
  #speed = 0;
  #torque = 0;

  constructor(options: LimitOptions = {}) {
    super(limitOf('Pendulum', options, 200));
  }

  protected begin(): void {
    this.#angle = this.random.uniform(-Math.PI, Math.PI);
    this.#speed = this.random.uniform(-1, 1);
    this.#torque = 0;
  }

  protected advance([given]: Float32Array): Outcome {
    this.#torque = within(given as number, strongest);
    const turns = (this.#angle + Math.PI) / (2 * Math.PI);
    const angle = (turns - Math.floor(turns)) * 2 * Math.PI - Math.PI;
    const cost = angle ** 2 + 0.1 * this.#speed ** 2 + 0.001 * this.#torque ** 2;
    const speed = this.#speed + (1.5 * gravity * Math.sin(this.#angle) + 3 * this.#torque) * seconds;
    this.#speed = within(speed, fastest);
    this.#angle += this.#speed * seconds;
    return { reward: -cost, terminated: false };
  }

  protected observe(): Float32Array {
    return Float32Array.of(Math.cos(this.#angle), Math.sin(this.#angle), this.#speed);
  }

  protected variables(): number[] {
    return [this.#angle, this.#speed, this.#torque];
  }

  protected restore([angle, speed, torque]: readonly [number, number, number]): void {
    [this.#angle, this.#speed, this.#torque] = [angle, speed, torque];
  }

  render(): Scene {
    const tip = [Math.sin(this.#angle), Math.cos(this.#angle)] as const;
    return {
      ...{ kind: 'drawing', left: -1.7, right: 1.7, bottom: -1.25, top: 1.25 },
      shapes: [
        { kind: 'circle', center: [0, 0], radius: 1.2, ink: 'dim' },
        { kind: 'line', from: [0, 0], to: tip, ink: 'red' },
        { kind: 'circle', center: tip, radius: 0.06, ink: 'red' },
      ],
      caption: `step ${this.steps}, torque ${this.#torque.toFixed(2)}`,
    };
  }
}
