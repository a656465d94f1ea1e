/**
 * Operations of your own, from outside of core: one object with shape rule, gradient, batching rule and loop body, written with
 * tensors. What comes out is fused, differentiated, batched and run on every device as core's own operations are.
 */
import type { DType, Kernel, Shape } from './backend.ts';
import { promote } from './dtype.ts';
import { checkOptions, ValueError } from './errors.ts';
import type { Index, IndexSpace } from './graph/index-expression.ts';
import { apply, type Node } from './graph/node.ts';
import {
  type Access,
  definePrimitive,
  type Lowering,
  type Primitive,
  type TensorType,
  type Value,
} from './graph/primitive.ts';
import { isBatched } from './ops/batch.ts';
import { cast } from './ops/functions.ts';
import { computable } from './ops/pointwise.ts';
import { expandTo } from './ops/views.ts';
import { broadcastShapes } from './shape.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';

export type { Index, IndexSpace, Lowering, TensorType, Value };

/** One use of an operation: the types of what goes in and comes out, and its attributes. */
export interface OperationUse<A> extends TensorType {
  readonly inputs: readonly TensorType[];
  readonly attributes: A;
}

/** What a gradient rule knows besides the cotangent: the inputs and the result, as tensors. */
export interface OperationValues<A> {
  readonly inputs: readonly Tensor[];
  readonly result: Tensor;
  readonly attributes: A;
}

/** What a batching rule is given: inputs with a new first axis of `size` rows where `isBatched`, the others as they are. */
export interface OperationRows<A> extends OperationUse<A> {
  readonly rows: readonly Tensor[];
  readonly isBatched: readonly boolean[];
  readonly size: number;
}

export interface OperationDefinition<A> {
  readonly name: string;
  /**
   * `pointwise`: an element of the result needs only the elements of the inputs at its place; inputs are brought to one shape and
   * dtype. `view`: an element of the input at another place, for free. `nest`: a loop of its own, over what `reduction` says.
   */
  readonly kind: 'pointwise' | 'view' | 'nest';
  /** The dtype and shape of the result; throws for inputs that do not fit. Of a pointwise operation by default those of the inputs. */
  readonly infer?: (inputs: readonly TensorType[], attributes: A) => TensorType;
  /** The attributes as whole numbers, all that the loop body depends on. None by default. */
  readonly key?: (attributes: A) => readonly number[];
  /** The chain rule, its formula in tensors: a cotangent for each input, made when it is asked for, or null. Absent: not differentiable. */
  readonly gradient?: (cotangent: Tensor, values: OperationValues<A>) => readonly (Tensor | (() => Tensor) | null)[];
  /** The operation on many rows at a time, its result with the rows in front. A pointwise operation needs none. */
  readonly batch?: (use: OperationRows<A>) => Tensor;
  /** The element of the result at `at.index`; of a nest, the value to reduce at `at.reduced`. */
  readonly lower: (at: Lowering, use: OperationUse<A>) => Value;
  /** Of a nest: what is reduced, over which sizes. */
  readonly reduction?: (use: OperationUse<A>) => NonNullable<Kernel['reduce']>;
  /** How often an element of an input is read over the whole result: `once` at most, by default, or `many` times. */
  readonly access?: 'once' | 'many';
}

/**
 * An operation of your own: a function of tensors and attributes. `definition` is made once, outside of loops; equal operations
 * are those of one call. Throws ValueError for a definition that lacks what its kind needs.
 *
 * @example
 * import { defineOperation, tensor } from '@nn/core';
 * const cube = defineOperation({
 *   name: 'cube',
 *   kind: 'pointwise',
 *   lower: (at) => {
 *     const x = at.input(0, at.index);
 *     return at.emit('mul', 'float32', x, at.emit('mul', 'float32', x, x));
 *   },
 *   gradient: (g, { inputs: [x] }) => [() => g.mul(x!.square()).mul(3)], // d x^3 = 3 x^2 dx
 * });
 * console.log(await cube([tensor([1, 2, 3])]).array()); // => [1, 8, 27]
 */
export function defineOperation<A = null>(
  definition: OperationDefinition<A>,
): (inputs: readonly Tensor[], ...attributes: A extends null ? [] : [attributes: A]) => Tensor {
  const { name, kind, infer, key, gradient, batch, lower, reduction, access } = definition;
  checkOptions('defineOperation', definition, [
    ...['name', 'kind', 'infer', 'key', 'gradient', 'batch', 'lower', 'reduction', 'access'],
  ]);
  checkDefinition(definition);
  const useOf = (node: Node<A>): OperationUse<A> => node;
  const primitive: Primitive<A> = definePrimitive<A>({
    name,
    kind,
    infer: (inputs, attributes) => infer?.(inputs, attributes) ?? { dtype: inputs[0]!.dtype, shape: inputs[0]!.shape },
    ...(key && { key }),
    ...(access && { access: (): Access => access }),
    ...(gradient && {
      steep: () => true,
      gradient: (cotangent, inputs, node) => {
        const values = { inputs: inputs.map(wrap), result: wrap(node as Node), attributes: node.attributes };
        return gradient(wrap(cotangent), values).map((given) =>
          typeof given === 'function' ? () => nodeOf(name, given()) : given && nodeOf(name, given),
        );
      },
    }),
    ...(batch && {
      batch: (inputs, node, size) =>
        nodeOf(
          name,
          batch({
            dtype: node.dtype,
            shape: node.shape,
            inputs: node.inputs,
            attributes: node.attributes,
            rows: inputs.map(wrap),
            isBatched: inputs.map((x, k) => isBatched(x, node.inputs[k]!)),
            size,
          }),
        ),
    }),
    ...(reduction && { reduction: (node) => reduction(useOf(node)) }),
    lower: (node, at) => lower(at, useOf(node)),
  });
  return (inputs, ...[attributes]) => {
    const nodes = inputs.map((input) => computable(name, nodeOf(name, input)));
    return wrap(
      apply(primitive, kind === 'pointwise' ? together(name, nodes) : nodes, (attributes ?? null) as A) as Node,
    );
  };
}

function checkDefinition<A>({ name, kind, infer, lower, reduction }: OperationDefinition<A>): void {
  const fail = (what: string): never => {
    throw new ValueError('defineOperation', what, { name, kind });
  };
  if (typeof name !== 'string' || name === '') fail('an operation needs a name, which its errors begin with.');
  if (!['pointwise', 'view', 'nest'].includes(kind)) {
    fail(`the kind of ${name} is ${JSON.stringify(kind)}: it is 'pointwise', 'view' or 'nest'.`);
  }
  if (typeof lower !== 'function') fail(`${name} needs lower, which writes its loop body.`);
  if (kind !== 'pointwise' && infer === undefined)
    fail(`${name} is a ${kind}, and needs infer: the type of its result.`);
  if ((kind === 'nest') !== (reduction !== undefined)) {
    fail(kind === 'nest' ? `${name} is a nest, and needs reduction.` : `${name} is a ${kind}, and reduces nothing.`);
  }
}

/** Inputs in one shape and dtype. */
function together(name: string, nodes: readonly Node[]): Node[] {
  const [first, ...rest] = nodes;
  if (first === undefined) throw new ValueError(name, 'needs an input.');
  const dtype = rest.reduce<DType>((common, node) => promote(common, node.dtype), first.dtype);
  const shape = rest.reduce<Shape>((common, node) => broadcastShapes(name, common, node.shape), first.shape);
  return nodes.map((node) => expandTo(cast(node, dtype), shape));
}
