/**
 * What is trained: freezing parts of a model, and telling of parameters that a loss depends on and nobody trains. Owns no
 * flag: they are properties of a Parameter, and whoever updates parameters asks for them at every step.
 */
import { checkProductDType, type ProductDType } from './autocast.ts';
import { lineOf } from './caller.ts';
import { isReal } from './dtype.ts';
import { ValueError } from './errors.ts';
import { assignNode, countVariables, dirtyVariables, type Variable } from './graph/variable.ts';
import { inputsFirst, inputsOfGradient } from './graph/walk.ts';
import { cast } from './ops/functions.ts';
import type { Parameter } from './parameter.ts';
import { show } from './shape.ts';
import { nodeOf, type Tensor } from './tensor.ts';
import { type Model, namedParameters } from './tree.ts';

/** Which parameters: a name or the beginning of names ('body', 'body.0'), a regular expression, or a test. */
export type ParameterPattern = string | RegExp | ((name: string, parameter: Parameter) => boolean);

/**
 * Takes parameters out of training until `unfreeze`: optimizers that hold them leave them as they are from the next step
 * on, and a BatchNorm whose running statistics are among them uses those also in training, and does not move them.
 * Returns the names. Throws ValueError when no name fits.
 *
 * @example
 * import { freeze, parameter, parameters } from '@nn/core';
 * const model = { body: { weight: parameter([1]) }, head: { weight: parameter([2]) } };
 * console.log(freeze(model, 'body'), parameters(model).length); // => ['body.weight'] 1
 */
export function freeze(model: Model, pattern?: ParameterPattern): string[] {
  return setFrozen('freeze', model, pattern, true);
}

/** Takes parameters back into training: what `freeze` took out. Returns the names. Throws ValueError when no name fits. */
export function unfreeze(model: Model, pattern?: ParameterPattern): string[] {
  return setFrozen('unfreeze', model, pattern, false);
}

/**
 * Stores parameters in another dtype from now on: half floats take half the memory, in which products read them; everything is
 * still computed in float32. Buffers (running statistics) stay as they are. Optimizers keep float32 copies of half parameters
 * ("master weights"). Returns the names. As PyTorch's `model.bfloat16()`, `model.half()` and `model.float()`.
 *
 * Throws ValueError for another dtype, and when no name fits.
 *
 * @example
 * import { castParameters, parameter } from '@nn/core';
 * const model = { weight: parameter([1.001, 2]) };
 * castParameters(model, 'bfloat16');
 * console.log(model.weight.dtype, await model.weight.mul(1).array()); // => bfloat16 [1, 2]
 */
export function castParameters(model: Model, dtype: ProductDType, pattern?: ParameterPattern): string[] {
  checkProductDType('castParameters', dtype);
  const chosen = choose('castParameters', model, pattern).filter(
    ([, { isBuffer, node }]) => !isBuffer && isReal(node.dtype),
  );
  for (const [, { variable, node }] of chosen) if (node.dtype !== dtype) assignNode(variable, cast(node, dtype));
  return chosen.map(([name]) => name);
}

function setFrozen(operation: string, model: Model, pattern: ParameterPattern | undefined, frozen: boolean): string[] {
  const chosen = choose(operation, model, pattern);
  for (const [, member] of chosen) member.frozen = frozen;
  return chosen.map(([name]) => name);
}

/** The parameters that fit, by name. */
function choose(operation: string, model: Model, pattern: ParameterPattern | undefined): [string, Parameter][] {
  const named = namedParameters(model);
  const chosen = [...named].filter(([name, member]) => pattern === undefined || fits(pattern, name, member));
  if (chosen.length === 0) {
    const names = [...named.keys()];
    const some = `${names.slice(0, 8).join(', ')}${names.length > 8 ? `, ... ${names.length - 8} more` : ''}`;
    throw new ValueError(
      operation,
      `no parameter fits ${String(pattern)}: ${names.length === 0 ? 'the model has none' : `there are ${some}`}.`,
      { names },
    );
  }
  return chosen;
}

function fits(pattern: ParameterPattern, name: string, member: Parameter): boolean {
  if (typeof pattern === 'function') return pattern(name, member);
  if (typeof pattern === 'string') return name === pattern || name.startsWith(`${pattern}.`);
  return name.search(pattern) >= 0; // unlike test, it has no memory of the last call
}

/** Variables that somebody trains, or that were spoken of. */
const known = new WeakSet<Variable>();

/** For optimizers: somebody trains these parameters. */
export function claimParameters(parameters: readonly Parameter[]): void {
  for (const { variable } of parameters) known.add(variable);
}

/**
 * For optimizers: warns of trainable parameters that gradients of `loss` reach and no optimizer holds. Takes what it gave
 * for the loss before (0 for the first) and looks only where parameters were made since: layers may come with a later
 * batch. Once it has warned it looks no more.
 */
export function warnOfUnclaimed(loss: Tensor, lookedAt: number): number {
  const made = countVariables();
  if (made <= lookedAt) return lookedAt;
  // a first value that no program has computed yet: nothing but the variable leads back from it
  const waiting = new Map(Array.from(dirtyVariables(), (variable) => [variable.seen, variable]));
  const reached = inputsFirst([nodeOf('step', loss)], inputsOfGradient);
  const forgotten: Variable[] = [];
  for (const node of reached) {
    const isLeaf = node.inputs.length === 0;
    const variable = isLeaf ? node.storage?.owner?.variable.deref() : waiting.get(node);
    if (!variable || variable.isFrozen || variable.isBuffer || known.has(variable)) continue;
    known.add(variable);
    forgotten.push(variable);
  }
  if (forgotten.length === 0) return made;
  const list = forgotten.slice(0, 8).map(({ name, node, origin }) => {
    return `  ${name || 'a parameter'} ${show(node.shape)}${origin === null ? '' : `, made${lineOf(origin)}`}`;
  });
  if (forgotten.length > 8) list.push(`  ... ${forgotten.length - 8} more`);
  console.warn(
    `nn: the loss depends on trainable parameters that no optimizer holds, so they are not trained:\n${list.join('\n')}\n` +
      'Layers are found in fields, arrays and maps, not in #private fields, sets or closures: put them where they are found, ' +
      'give the parameters to an optimizer, or freeze(model) what is not to be trained.',
  );
  return Number.POSITIVE_INFINITY;
}
