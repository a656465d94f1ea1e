/**
 * Layers of users in the place of classes that nn does not know (custom classes, Lambda): factories by name, which get the
 * settings of the file and give a layer. Nothing of a file is run.
 */
import { namedParameters, type Parameter, type Shape, type Tensor, ValueError } from '@nn/core';
import type { JsonObject } from '../config/json.ts';
import type { LayerEntry } from '../config/topology.ts';
import { asValue, logical, shapeOf } from '../value.ts';
import { plain, reordered, type Variable } from '../weights/variable.ts';
import type { Builder } from './layer.ts';

/** What a factory is told of a layer in the file. */
export interface LayerDescription {
  /** The layer's name in the model. */
  readonly name: string;
  readonly className: string;
  /** Its settings as Keras wrote them. */
  readonly config: JsonObject;
  /** Keras' shapes of the inputs of its first call, with the batch in front; sizes that the file leaves open are made up. */
  readonly inputShapes: readonly Shape[];
}

/** A variable of Keras that one of the layer's parameters holds. */
export interface KerasVariable {
  /** Keras' name: 'kernel'. */
  readonly name: string;
  readonly parameter: Parameter;
  /** Keras' axes in the order in which the parameter has them: [1, 0] for a kernel [in, out] that is held as [out, in]. */
  readonly axes?: readonly number[];
}

/** A layer that a factory gives: tensors in Keras' order of axes in and out. */
export interface CustomLayer {
  forward(...inputs: Tensor[]): Tensor;
  /** Its variables in Keras' order; without it, all its parameters as they are. */
  kerasVariables?(): readonly KerasVariable[];
}

export type LayerFactory = (description: LayerDescription) => CustomLayer;

/** Factories by the name of a layer, of its class, or the registered name of its class ('package>Name'). */
export type LayerRegistry = Readonly<Record<string, LayerFactory>>;

/** The factory for a layer, by its own name first. */
export function registered(
  registry: LayerRegistry,
  { name, className, registeredName }: LayerEntry,
): LayerFactory | undefined {
  const key = [name, registeredName, className].find(
    (candidate) => candidate !== undefined && Object.hasOwn(registry, candidate),
  );
  return key === undefined ? undefined : registry[key];
}

export function customBuilder(factory: LayerFactory, { name, className, config }: LayerEntry): Builder {
  return (_settings, inputs) => {
    const layer = factory({ name, className, config, inputShapes: inputs.map(shapeOf) });
    if (typeof layer?.forward !== 'function') {
      throw new ValueError(
        'loadKeras',
        `the factory of '${className}' gave no layer: return an object with forward(x).`,
        { className },
      );
    }
    const variables =
      layer.kerasVariables?.() ?? [...namedParameters(layer)].map(([key, parameter]) => ({ name: key, parameter }));
    return {
      module: layer,
      variables: variables.map((variable, k) => variableOf(variable, k)),
      call: (given) => asValue(layer.forward(...given.map(logical)), false, given[0]?.mask ?? null),
    };
  };
}

function variableOf({ name, parameter, axes }: KerasVariable, at: number): Variable {
  const place = { name, path: `vars/${at}` };
  if (!axes) return { ...plain(place, parameter), isTrainable: !parameter.isBuffer };
  const shape = new Array<number>(axes.length).fill(0);
  axes.forEach((axis, k) => {
    shape[axis] = parameter.shape[k]!;
  });
  return reordered(place, parameter, shape, axes);
}
