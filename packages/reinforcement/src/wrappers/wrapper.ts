/** An environment around another one: passes everything on; a subclass changes what it is about. */
import { FormatError, ValueError } from '@nn/core';
import type { Environment, ResetOptions, Start, Step } from '../environment.ts';
import type { Scene } from '../render/scene.ts';
import type { ElementOf, Space } from '../spaces.ts';

export abstract class Wrapper<O extends Space, A extends Space, I extends Space = O> implements Environment<O, A> {
  readonly environment: Environment<I, A>;

  constructor(environment: Environment<I, A>) {
    this.environment = environment;
  }

  get name(): string {
    return this.environment.name;
  }

  get actionSpace(): A {
    return this.environment.actionSpace;
  }

  /** Where the environment has it. */
  get legalActions(): (() => Uint8Array) | undefined {
    const { environment } = this;
    return environment.legalActions && (() => environment.legalActions?.() ?? new Uint8Array());
  }

  abstract get observationSpace(): O;
  abstract reset(options?: ResetOptions): Start<O>;
  abstract step(action: ElementOf<A>): Step<O>;
  /** What the wrapper itself has to remember, as JSON. */
  protected abstract ownState(): unknown;
  protected abstract loadOwnState(state: unknown): void;

  render(): Scene {
    if (this.environment.render) return this.environment.render();
    throw new ValueError(`${this.name}.render`, 'this environment draws nothing: it has no method `render`.');
  }

  hostState(): unknown {
    const { environment } = this;
    if (environment.hostState) return { own: this.ownState(), inner: environment.hostState() };
    throw new ValueError(
      `${this.name}.hostState`,
      'this environment cannot be saved in the middle of an episode: give it `hostState()` and `loadHostState(state)`.',
    );
  }

  loadHostState(state: unknown): void {
    if (typeof state !== 'object' || state === null || !('own' in state) || !('inner' in state)) {
      throw new FormatError(this.name, 'the state of a wrapper has `own` and `inner`.', { state });
    }
    this.environment.loadHostState?.(state.inner);
    this.loadOwnState(state.own);
  }
}

/** A wrapper's state of numbers alone. */
export function numbersOf(name: string, state: unknown, count?: number): number[] {
  if (Array.isArray(state) && state.every((x) => typeof x === 'number') && state.length === (count ?? state.length)) {
    return state as number[];
  }
  throw new FormatError(name, `the state of a wrapper is ${count ?? 'a list of'} numbers.`, { state });
}
