/**
 * What a metric has on the device since the last read: one float32 parameter that is assigned anew by each update, so it
 * is part of whatever program runs next, as running statistics are. Owns its life (waiting, failing, moving, clearing),
 * not what is in it.
 */
import {
  type Backend,
  full,
  onReplay,
  type Parameter,
  parameter,
  replace,
  type Shape,
  type Tensor,
  ValueError,
  zeros,
} from '@nn/core';

export class DeviceWindow {
  readonly shape: Shape;
  readonly #owner: { readonly name: string };
  readonly #start: number;
  #parameter: Parameter | null = null;
  #updates = 0;
  /** Why an evaluation between steps failed: told by the next call. */
  #failure: unknown = null;

  constructor(owner: { readonly name: string }, shape: Shape, start: number) {
    this.#owner = owner;
    this.shape = shape;
    this.#start = start;
  }

  /** Updates since the last read. */
  get updates(): number {
    return this.#updates;
  }

  /** Assigns what `next` makes of the value. `advance` is the host's part, repeated by each replay of a compiled function. */
  assign(backend: Backend | null, next: (value: Tensor) => Tensor, advance: () => void): void {
    this.#tellFailure();
    const target = this.#parameterOn(backend);
    // no step ran what the last update waits for (validation): run it now, or the graph would grow with each batch
    if (target.isWaiting) {
      replace([]).catch((error: unknown) => {
        this.#failure ??= error;
      });
    }
    const value = next(target.stopGradient());
    const count = (): void => {
      this.#updates++;
      advance();
    };
    count();
    onReplay(count);
    target.assign(value);
  }

  /**
   * The value, and the window begins anew: with its start values where `clears`, else over what is there. Null where nothing was
   * assigned since the last time. It is read where it lies, or copied in the program that computes or clears it.
   */
  take(clears: boolean): Tensor | null {
    this.#tellFailure();
    const target = this.#parameter;
    if (target === null || this.#updates === 0) return null;
    const value = clears || target.isWaiting ? target.reshape([target.size]) : target.stopGradient();
    this.forget(clears);
    return value;
  }

  /** Forgets the updates; `clears` as for `take`. */
  forget(clears: boolean): void {
    this.#failure = null;
    if (this.#updates === 0) return;
    this.#updates = 0;
    if (clears) this.#parameter?.assign(this.#start === 0 ? zeros(this.shape) : full(this.shape, this.#start));
  }

  #parameterOn(backend: Backend | null): Parameter {
    const old = this.#parameter;
    const moved = old !== null && backend !== null && old.backend !== null && old.backend !== backend;
    if (old !== null && !moved) return old;
    if (moved && this.#updates > 0) {
      throw new ValueError(
        String(this.#owner),
        `its sums are on '${old.backend?.name}', this batch on '${backend.name}': await read(...) before the model moves.`,
      );
    }
    const size = this.shape.reduce((product, extent) => product * extent, 1);
    const values = new Float32Array(size).fill(this.#start);
    this.#parameter = parameter(values, { shape: this.shape, trainable: false, name: this.#owner.name });
    return this.#parameter;
  }

  #tellFailure(): void {
    if (this.#failure === null) return;
    const failure = this.#failure;
    this.#failure = null;
    throw failure;
  }
}
