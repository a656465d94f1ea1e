/** Two links that hang from a hinge; only the joint between them has a motor. */
import type { Scene } from '../render/scene.ts';
import { type Box, box, type Discrete, discrete } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation, within } from './simulation.ts';

type State = readonly [angle1: number, angle2: number, speed1: number, speed2: number];

const gravity = 9.8;
const seconds = 0.2;
const fastest = [4 * Math.PI, 9 * Math.PI] as const;

/**
 * The equations of Sutton and Barto (the book's form): links of length 1 and mass 1, the centres of mass in their middle, moments of
 * inertia 1. The state's derivative.
 */
function derivative([angle1, angle2, speed1, speed2]: State, torque: number): State {
  const [sine, cosine] = [Math.sin(angle2), Math.cos(angle2)];
  const d1 = 0.25 + (1 + 0.25 + cosine) + 2;
  const d2 = 0.25 + 0.5 * cosine + 1;
  const phi2 = 0.5 * gravity * Math.cos(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -0.5 * speed2 ** 2 * sine - speed2 * speed1 * sine + 1.5 * gravity * Math.cos(angle1 - Math.PI / 2) + phi2;
  const second = (torque + (d2 / d1) * phi1 - 0.5 * speed1 ** 2 * sine - phi2) / (0.25 + 1 - d2 ** 2 / d1);
  return [speed1, speed2, -(d2 * second + phi1) / d1, second];
}

/** One step of Runge and Kutta of order four. */
function integrate(state: State, torque: number): State {
  const plus = (slope: State, by: number): State => state.map((x, i) => x + by * slope[i]!) as unknown as State;
  const k1 = derivative(state, torque);
  const k2 = derivative(plus(k1, seconds / 2), torque);
  const k3 = derivative(plus(k2, seconds / 2), torque);
  const k4 = derivative(plus(k3, seconds), torque);
  return plus(k1.map((k, i) => k + 2 * k2[i]! + 2 * k3[i]! + k4[i]!) as unknown as State, seconds / 6);
}

/** The angle in [-pi, pi]. */
function wrap(angle: number): number {
  let wrapped = angle;
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI;
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI;
  return wrapped;
}

/**
 * Acrobot-v1 of Gymnasium: Sutton (1996), "Generalization in reinforcement learning". Observation: cosine and sine of both angles,
 * both speeds. Actions: a torque of -1, 0 or 1 at the joint. Each step costs 1 until the tip is one link above the hinge; truncated
 * after 500 steps.
 *
 * @example
 * import { Acrobot } from '@nn/reinforcement';
 * const environment = new Acrobot();
 * console.log(environment.reset({ seed: 1 }).observation.length); // => 6
 */
export class Acrobot extends Simulation<Box, Discrete> {
  readonly name: string = 'Acrobot';
  readonly observationSpace: Box = box([-1, -1, -1, -1, -fastest[0], -fastest[1]], [1, 1, 1, 1, ...fastest]);
  readonly actionSpace: Discrete = discrete(3);
  #state: State = [0, 0, 0, 0];

  constructor(options: LimitOptions = {}) {
    super(limitOf('Acrobot', options, 500));
  }

  protected begin(): void {
    const draw = (): number => this.random.uniform(-0.1, 0.1);
    this.#state = [draw(), draw(), draw(), draw()];
  }

  protected advance(action: number): Outcome {
    const [angle1, angle2, speed1, speed2] = integrate(this.#state, action - 1);
    this.#state = [wrap(angle1), wrap(angle2), within(speed1, fastest[0]), within(speed2, fastest[1])];
    const terminated = -Math.cos(this.#state[0]) - Math.cos(this.#state[1] + this.#state[0]) > 1;
    return { reward: terminated ? 0 : -1, terminated };
  }

  protected observe(): Float32Array {
    const [angle1, angle2, speed1, speed2] = this.#state;
    return Float32Array.of(Math.cos(angle1), Math.sin(angle1), Math.cos(angle2), Math.sin(angle2), speed1, speed2);
  }

  protected variables(): number[] {
    return [...this.#state];
  }

  protected restore(variables: State): void {
    this.#state = [...variables];
  }

  render(): Scene {
    const [angle1, angle2] = this.#state;
    const joint = [Math.sin(angle1), -Math.cos(angle1)] as const;
    const tip = [joint[0] + Math.sin(angle1 + angle2), joint[1] - Math.cos(angle1 + angle2)] as const;
    return {
      ...{ kind: 'drawing', left: -3, right: 3, bottom: -2.2, top: 2.2 },
      shapes: [
        { kind: 'line', from: [-2.2, 1], to: [2.2, 1], ink: 'dim' },
        { kind: 'line', from: [0, 0], to: joint, ink: 'blue' },
        { kind: 'line', from: joint, to: tip, ink: 'yellow' },
        { kind: 'circle', center: joint, radius: 0.08, ink: 'blue' },
      ],
      caption: `step ${this.steps}`,
    };
  }
}
