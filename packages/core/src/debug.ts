/** Looking closely: every operation computed at once, programs checked, and the first NaN or infinity named. */
import type { TensorData } from './backend.ts';
import { deviceFor } from './compile/device.ts';
import { problems } from './compile/problems.ts';
import { resolve } from './compile/trace.ts';
import { validateProgram } from './compile/validate.ts';
import { ValueError } from './errors.ts';
import { hooks } from './graph/hooks.ts';
import { Constant, type Node, Scalar } from './graph/node.ts';
import { currentRecorder } from './graph/recorder.ts';
import { settings } from './settings.ts';
import { show } from './shape.ts';
import { inspect, Tensor } from './tensor.ts';

export interface DebugOptions {
  /**
   * Compute each operation when it is made, one kernel each: `console.log(tensor)` shows values after the next await, and
   * the first operation that makes a NaN or an infinity from finite numbers is named with its line when a value is read.
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
  problems.first = null;
  hooks.onNode = options.eager ? computeAtOnce : null;
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

function computeAtOnce(node: Node): void {
  if (currentRecorder() !== null || node.shape.includes(0)) return;
  const line = callerLine();
  const device = deviceFor(node);
  problems.pending = Promise.all([
    problems.pending,
    device
      .update([], [node])
      .then(() => device.fetch(node.storage as NonNullable<Node['storage']>))
      .then((data) => check(node, data, line)),
  ]).then(
    () => undefined,
    (error: unknown) => {
      problems.first ??= error;
    },
  );
}

async function check(node: Node, data: TensorData, line: string): Promise<void> {
  if (problems.first !== null || node.dtype !== 'float32') return;
  const at = data.findIndex((value: number) => !Number.isFinite(value));
  if (at < 0) return;
  for (const input of node.inputs) {
    const isNumber = input.primitive === Constant || input.primitive === Scalar;
    if (input.dtype !== 'float32') continue;
    const storage = resolve(input).storage;
    const values = isNumber || storage === null ? [input.attributes as number] : await deviceFor(input).fetch(storage);
    if (values.some((value: unknown) => typeof value === 'number' && !Number.isFinite(value))) return;
  }
  const position: number[] = [];
  let rest = at;
  for (let axis = node.shape.length - 1; axis >= 0; axis--) {
    position.unshift(rest % (node.shape[axis] as number));
    rest = Math.floor(rest / (node.shape[axis] as number));
  }
  const value = data[at] as number;
  problems.first ??= new ValueError(
    `${node.primitive.name} made ${value} at ${show(position)} from finite numbers, in ${show(node.shape)}${line}.`,
    { operation: node.primitive.name, value, position },
  );
}

/** Where the user's code called, as ` at file:line:column`. */
function callerLine(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const own = /[\\/](?:core[\\/](?:src|dist)|@nn[\\/]core)[\\/]/;
  const frame = frames.find((text) => !own.test(text));
  const place = frame === undefined ? null : /\(?((?:file:|[A-Za-z]:|\/|https?:)[^()]*:\d+:\d+)\)?$/.exec(frame.trim());
  return place === null ? '' : ` at ${place[1]}`;
}
