/**
 * Operations that the host computes, in double precision: factorisations, whose loops depend on what they find, and
 * transforms that no loop nest computes fast. To a program they are leaves: what stands before them has run, and their
 * values are uploaded like any others (docs/decisions/0026-computed-on-the-host.md).
 *
 * The leading axes of all inputs and of the result are those of a batch, so that one more of them changes nothing else.
 */
import { captureStack, lineOf } from '../caller.ts';
import { ValueError } from '../errors.ts';
import { apply, type Node } from '../graph/node.ts';
import {
  type Cotangents,
  definePrimitive,
  type Inputs,
  type Primitive,
  type TensorType,
  type Types,
} from '../graph/primitive.ts';
import { spread } from './batch.ts';

/** The options of an operation, and where it was asked for, if it can fail. */
export interface Asked<Options> {
  readonly options: Options;
  readonly stack: Error | null;
}

/** An operation of the host: what it gives, its gradient, and how it is computed from float32 values in row-major order. */
export interface HostDefinition<Options, I extends Inputs> {
  readonly name: string;
  shape(inputs: Types<I>, options: Options): readonly number[];
  gradient(cotangent: Node, inputs: I, node: Node, options: Options): NoInfer<Cotangents<I>>;
  /** Fills `result`, which is zeros. Throws ValueError, without the user's line, for values that have no result. */
  compute(inputs: readonly Float32Array[], result: Float32Array, inputTypes: Types<I>, options: Options): void;
}

export type HostPrimitive<Options, I extends Inputs> = Primitive<Asked<Options>, I>;

const neverLowered = (): never => {
  throw new Error('no kernel computes what the host does');
};

/** @__NO_SIDE_EFFECTS__ */
export function defineOnHost<Options, I extends Inputs>({
  name,
  shape,
  gradient,
  compute,
}: HostDefinition<Options, I>): HostPrimitive<Options, I> {
  const primitive: HostPrimitive<Options, I> = definePrimitive({
    name,
    kind: 'host',
    infer: (inputs, { options }): TensorType => ({ dtype: 'float32', shape: shape(inputs, options) }),
    gradient: (g, inputs, node) => gradient(g, inputs, node as Node, node.attributes.options),
    lower: neverLowered,
    compute: (values, node) => {
      const result = new Float32Array(node.size);
      try {
        compute(values as readonly Float32Array[], result, node.inputs as Types<I>, node.attributes.options);
      } catch (error) {
        const { stack } = node.attributes;
        if (error instanceof ValueError && stack !== null) {
          error.message = `${error.message.replace(/\.$/, '')}${lineOf(stack)}.`;
        }
        throw error;
      }
      return result;
    },
    batch: (inputs, node, size) => {
      const rows = inputs.map((x, k) => spread(x, node.inputs[k] as Node, size)) as readonly Node[] as I;
      return apply(primitive, rows, node.attributes) as Node;
    },
  });
  return primitive;
}

/** Asks for an operation of the host. Its inputs are float32, and its result has elements. `canFail`: for some values it has none. */
export function applyOnHost<Options, I extends Inputs>(
  primitive: HostPrimitive<Options, I>,
  inputs: I,
  options: Options,
  canFail = true,
): Node {
  return apply(primitive, inputs, { options, stack: canFail ? captureStack() : null }) as Node;
}
