/**
 * What a model or a step costs, layer by layer, counted on the Programs that core makes of it: exact for forward and backward
 * work, as it is fused, on the backend that is set. Owns the walk over layers and the sums; `work.ts` counts a step.
 */
import {
  checkOptions,
  type DType,
  evaluate,
  gradients,
  isTensor,
  isTraining,
  labelled,
  namedParameters,
  type Parameter,
  parameter,
  parameters,
  plannedPrograms,
  type RecordedProgram,
  recordPrograms,
  type Shape,
  setTraining,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { layersOf, watch } from '@nn/layers';
import { type Cost, type CostRow, costTable } from './table.ts';
import { bytesOf, memoryOf, sum, type Work, workOf } from './work.ts';

export interface ModelCostOptions {
  /** The dtype of the input, or of each: 'int32' for models that start with an embedding. Default 'float32'. */
  readonly dtype?: DType | readonly DType[];
  /** Whether to count a step in training: forward in training mode, and the gradients of all trainable parameters. Default false. */
  readonly training?: boolean;
}

export interface StepCostOptions {
  /** The model whose layers the rows are; without it there is one row. */
  readonly model?: object;
}

/** A layer or model, of one or more inputs, or a function of tensors. */
export type Counted = { readonly forward: (...inputs: never[]) => unknown } | ((...inputs: never[]) => unknown);

/**
 * What a call of a model on an input of `inputShape` (or several, of a list of shapes) costs, or, in its other form, what `step`
 * costs, which is run once: `cost(() => optimizer.step(loss(batch)), { model })`. Nothing is run to count a model, but for values
 * of parameters that wait to be computed (a cast, an assignment), which are none of its work.
 *
 * Throws ValueError where `forward` takes more inputs than there are shapes, and where a step runs no program.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { cost } from '@nn/compress';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Sequential(new Linear(8, 16), new ReLU(), new Linear(16, 4));
 * const { multiplyAdds, flops, parameters } = await cost(model, [2, 8]);
 * console.log(multiplyAdds, flops, parameters); // => 384 768 212
 * console.log((await cost(model, [2, 8], { training: true })).multiplyAdds); // => 896
 */
export function cost(model: Counted, inputShape: Shape | readonly Shape[], options?: ModelCostOptions): Promise<Cost>;
export function cost(step: () => unknown, options?: StepCostOptions): Promise<Cost>;
export async function cost(
  of: Counted,
  second: Shape | readonly Shape[] | StepCostOptions = {},
  options: ModelCostOptions = {},
): Promise<Cost> {
  if (isShapes(second)) {
    checkOptions('cost', options, ['dtype', 'training']);
    return costOfModel(of, second, options);
  }
  checkOptions('cost', second, ['model']);
  if (typeof of !== 'function') {
    throw new ValueError('cost', 'a model needs the shape of its input: cost(model, [1, 28, 28]).');
  }
  const { model = null } = second;
  await settle();
  const seen = watchLayers(model);
  try {
    const programs = await recordPrograms(() => Reflect.apply(of, undefined, []));
    if (programs.length === 0) {
      throw new ValueError(
        'cost',
        'the step ran no program: it must read a value or step an optimizer, and return its promise.',
      );
    }
    return total(programs, model, seen.layers);
  } finally {
    seen.restore();
  }
}

async function costOfModel(
  of: Counted,
  inputShape: Shape | readonly Shape[],
  { dtype = 'float32', training = false }: ModelCostOptions,
): Promise<Cost> {
  const shapes = isShape(inputShape) ? [inputShape] : inputShape;
  const { length } = typeof of === 'function' ? of : of.forward;
  if (length > shapes.length) {
    throw new ValueError(
      'cost',
      `the model takes ${length} inputs, shapes of ${shapes.length} were given: give a list, [[1, 2], [1, 4]].`,
      { inputs: length, shapes },
    );
  }
  const inputs = shapes.map((shape, k) => blank(shape, typeof dtype === 'string' ? dtype : (dtype[k] ?? 'float32')));
  const model = typeof of === 'function' ? null : of;
  await settle();
  const seen = watchLayers(model);
  const call = (): Tensor[] => {
    // the forward of a layer that is watched is another one by now
    const outputs = tensorsIn(Reflect.apply(typeof of === 'function' ? of : of.forward, model ?? undefined, inputs));
    if (outputs.length > 0) return outputs;
    throw new ValueError('cost', 'the model gave no tensor: it must return one, or a record of them.');
  };
  try {
    const programs = await plannedPrograms(() => {
      if (!training) return evaluate(call);
      return inTraining(() => {
        const outputs = call().filter((output) => output.dtype === 'float32');
        const learned = parameters(model ?? {});
        const loss = outputs.map((output) => output.sum()).reduce((all, part) => all.add(part));
        return [...outputs, ...gradients(loss, learned)];
      });
    });
    return total(programs, model, seen.layers);
  } finally {
    seen.restore();
  }
}

/** Has values of parameters computed that wait for the next program: they would count with it. */
async function settle(): Promise<void> {
  const own = parameter([0], { buffer: true });
  own.assign(own.add(1));
  await own.data();
}

/** A layer while it is counted. */
interface Seen {
  readonly path: string;
  readonly depth: number;
  readonly layer: object;
  outputShape: Shape | null;
}

/** Has everything that a layer makes bear its path. */
function watchLayers(model: object | null): { readonly layers: readonly Seen[]; readonly restore: () => void } {
  const found = layersOf(model);
  const layers = found.map(({ path, depth, layer }): Seen => ({ path, depth, layer, outputShape: null }));
  const restores = found.map(({ path, layer }, k) =>
    watch(
      layer,
      (_, output) => {
        const [first] = tensorsIn(output);
        const seen = layers[k];
        if (seen !== undefined) seen.outputShape = first?.shape ?? null;
      },
      { around: (call) => labelled(path, call) },
    ),
  );
  return {
    layers,
    restore: () => {
      for (const restore of restores) restore();
    },
  };
}

function total(programs: readonly RecordedProgram[], model: object | null, layers: readonly Seen[]): Cost {
  const byPath = new Map<string | null, Work[]>();
  for (const { program, labels } of programs) {
    workOf(program).forEach((work, k) => {
      const path = labels[k] ?? null;
      const list = byPath.get(path);
      if (list === undefined) byPath.set(path, [work]);
      else list.push(work);
    });
  }
  const named = [...namedParameters(model ?? {})];
  const own = new Map<Seen, { readonly parameters: number; readonly bytes: number }>();
  for (const [name, member] of named) {
    const inside = layers.filter(({ path }) => path === '' || name.startsWith(`${path}.`));
    const owner = inside.reduce<Seen | null>(
      (best, one) => (one.path.length >= (best?.path.length ?? 0) ? one : best),
      null,
    );
    if (owner === null) continue;
    const { parameters: count, bytes } = own.get(owner) ?? nothing;
    own.set(owner, { parameters: count + numbersIn(member), bytes: bytes + bytesOf(member) });
  }
  const rows = layers.map((seen): CostRow => {
    const { path, depth, outputShape } = seen;
    return {
      path,
      layer: nameOf(seen.layer),
      depth,
      outputShape,
      parameters: own.get(seen)?.parameters ?? 0,
      parameterBytes: own.get(seen)?.bytes ?? 0,
      ...sum(byPath.get(path) ?? []),
    };
  });
  const outside = byPath.get(null);
  if (outside !== undefined) {
    rows.push({
      path: null,
      layer: layers.length === 0 ? 'all' : 'outside of layers',
      depth: 0,
      outputShape: null,
      parameters: 0,
      parameterBytes: 0,
      ...sum(outside),
    });
  }
  const memory = programs.map(({ program }) => ({
    all: memoryOf(program),
    inputs: sizeOf(program.buffers.slice(0, program.inputs)),
  }));
  const largest = memory.reduce((best, one) => (one.all > best.all ? one : best), { all: 0, inputs: 0 });
  const result = {
    ...sum(rows),
    rows,
    parameters: named.reduce((count, [, member]) => count + numbersIn(member), 0),
    trainableParameters: named.reduce(
      (count, [, { size, trainable, isBuffer }]) => count + (trainable && !isBuffer ? size : 0),
      0,
    ),
    parameterBytes: sizeOf(named.map(([, member]) => member)),
    memoryBytes: largest.all,
    workingBytes: largest.all - largest.inputs,
    kernels: programs.reduce((count, { program }) => count + program.steps.length, 0),
    programs: programs.length,
  };
  const asText = (): string => costTable(result);
  return { ...result, toString: asText, [Symbol.for('nodejs.util.inspect.custom')]: asText };
}

const nothing = { parameters: 0, bytes: 0 };

/** How many learned numbers a parameter or buffer holds. Weights on bytes are buffers; those of four bits lie two in a uint8. */
function numbersIn({ isBuffer, dtype, size }: Parameter): number {
  if (isBuffer) return dtype === 'int8' ? size : dtype === 'uint8' ? 2 * size : 0;
  return size;
}

const sizeOf = (buffers: readonly { readonly dtype: DType; readonly shape: Shape }[]): number =>
  buffers.reduce((bytes, buffer) => bytes + bytesOf(buffer), 0);

function inTraining<T>(work: () => T): T {
  const before = isTraining();
  setTraining(true);
  try {
    return work();
  } finally {
    setTraining(before);
  }
}

/** An input in memory: a constant would be folded into what reads it. */
function blank(shape: Shape, dtype: DType): Tensor {
  const values = new Float32Array(shape.reduce((count, size) => count * size, 1));
  return tensor(values, { shape, dtype });
}

function tensorsIn(value: unknown): Tensor[] {
  if (isTensor(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => (isTensor(part) ? [part] : []));
}

function isShapes(second: Shape | readonly Shape[] | StepCostOptions): second is Shape | readonly Shape[] {
  return Array.isArray(second);
}

function isShape(shape: Shape | readonly Shape[]): shape is Shape {
  return shape.every((size) => typeof size === 'number');
}

function nameOf(layer: object): string {
  const name = layer.toString();
  return name.startsWith('[object ') ? layer.constructor.name || 'layer' : name;
}
