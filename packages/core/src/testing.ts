/** What the tests of core share: a default backend, and every program checked against the contract before it runs. */
import type { Backend } from './backend.ts';
import { breathe } from './compile/breathe.ts';
import { profiles } from './compile/profiler.ts';
import { debug } from './debug.ts';
import { gradients } from './gradients.ts';
import { dirtyVariables, undoAssignment } from './graph/variable.ts';
import { type Parameter, parameter } from './parameter.ts';
import { setSeed } from './random.ts';
import { setDefaultBackend, setTraining, settings } from './settings.ts';
import type { Tensor } from './tensor.ts';
import { replace } from './update.ts';

/** Call it at the top of a test file. */
export function prepare<B extends Backend>(backend: B): B {
  debug({ validate: true });
  setDefaultBackend(backend);
  return backend;
}

/**
 * Core as a process finds it that has just loaded it. Test files share a process, and a parameter that one of them assigned
 * and never read would be a part of the first program of the next.
 */
export function forget(): void {
  for (const variable of dirtyVariables()) undoAssignment(variable);
  debug({ eager: false, validate: false });
  profiles.clear();
  settings.backend = null;
  settings.isTracking = true;
  setTraining(true);
  setSeed(0);
}

/** `inner` with another way to compile. */
export function compilingBy<B extends object>(inner: Backend<B>, compile: Backend<B>['compile']): Backend<B> {
  return {
    name: `${inner.name}, compiled otherwise`,
    limits: inner.limits,
    upload: (data, type) => inner.upload(data, type),
    download: (buffer) => inner.download(buffer),
    release: (buffer) => inner.release(buffer),
    idle: () => inner.idle(),
    compile,
  };
}

/** One step of gradient descent, as an optimizer makes it. */
export async function descend(
  loss: Tensor,
  targets: readonly Parameter[],
  rate = 0.1,
  also: readonly Tensor[] = [],
): Promise<void> {
  const slopes = gradients(loss, targets);
  await replace(
    targets.map((target, k) => [target, target.sub(slopes[k]!.mul(rate))] as const),
    [loss, ...also],
  );
}

/** An optimizer in the form of Adam (Kingma and Ba 2015), with its moments as parameters. */
export class Momentum {
  readonly targets: readonly Parameter[];
  readonly first: readonly Parameter[];
  readonly second: readonly Parameter[];
  count = 0;

  constructor(targets: readonly Parameter[]) {
    const like = ({ shape, size }: Parameter): Parameter => parameter(new Float32Array(size), { shape, buffer: true });
    this.targets = targets;
    this.first = targets.map(like);
    this.second = targets.map(like);
  }

  async step(loss: Tensor, rate = 0.01, also: readonly Tensor[] = []): Promise<void> {
    this.count++;
    const slopes = gradients(loss, this.targets);
    const updates = this.targets.flatMap((target, k): [Parameter, Tensor][] => {
      const [slope, m, v] = [slopes[k]!, this.first[k]!, this.second[k]!];
      const mean = m.mul(0.9).add(slope.mul(0.1));
      const square = v.mul(0.999).add(slope.square().mul(0.001));
      const root = square
        .div(1 - 0.999 ** this.count)
        .sqrt()
        .add(1e-8);
      return [
        [m, mean],
        [v, square],
        [
          target,
          target.sub(
            mean
              .div(1 - 0.9 ** this.count)
              .div(root)
              .mul(rate),
          ),
        ],
      ];
    });
    await replace(updates, [loss, ...also]);
  }
}

/** What a call at once gives where the event loop had its turn lately; on a busy machine that may take a second look. */
export async function soon<T>(call: () => T | null): Promise<T | null> {
  for (let attempt = 0; attempt < 50; attempt++) {
    await breathe();
    const done = call();
    if (done !== null) return done;
  }
  return null;
}
