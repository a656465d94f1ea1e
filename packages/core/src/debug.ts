/** Looking closely: every operation computed at once, programs checked, and the first NaN or infinity named. */
import { resolve } from './compile/trace.ts';
import { validateProgram } from './compile/validate.ts';
import { hooks } from './graph/hooks.ts';
import { forget, inspect as inspectValues, remember, rememberGradient, rememberIndices } from './inspection.ts';
import { settings } from './settings.ts';
import { inspect, Tensor } from './tensor.ts';

export interface DebugOptions {
  /**
   * Compute each operation by itself: `console.log(tensor)` shows values after the next await, and what reads a value or
   * takes a step, compiled or not, rejects with the first operation that made a NaN or an infinity from finite numbers,
   * or that was given an index outside of its range, and with your line. A step that rejects has changed nothing.
   */
  readonly eager?: boolean;
  /** Check each program against the contract before it is compiled. */
  readonly validate?: boolean;
}

/**
 * Switches debugging on and off; what is not named stays as it is.
 *
 * @example
 * import { debug, tensor } from '@nn/core';
 * debug({ eager: true });
 * const message = await tensor([1, -1]).log().sum().item().catch((error) => error.message);
 * debug({ eager: false });
 * console.log(message.startsWith('log made NaN at [1] from finite numbers')); // => true
 */
export function debug(options: DebugOptions): void {
  if (options.validate !== undefined) settings.validate = options.validate ? validateProgram : null;
  if (options.eager === undefined) return;
  forget();
  hooks.onNode = options.eager ? remember : null;
  hooks.onIndices = options.eager ? rememberIndices : null;
  hooks.onGradient = options.eager ? rememberGradient : null;
  hooks.inspect = options.eager ? inspectValues : null;
  const value = options.eager ? describeValues : describeType;
  Object.defineProperty(Tensor.prototype, inspect, { value, configurable: true });
}

function describeType(this: Tensor): string {
  return this.toString();
}

const mostValues = 32;

function describeValues(this: Tensor): string {
  const host = resolve(this.node).storage?.host ?? null;
  if (host === null) return `${this.toString()} (its values show after the next await)`;
  const values = Array.from(host.subarray(0, mostValues), (value) => Number(value.toPrecision(6)));
  const rest = host.length > mostValues ? `, ... ${host.length - mostValues} more` : '';
  return `${this.toString()} { ${values.join(', ')}${rest} }`;
}
