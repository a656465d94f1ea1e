/**
 * What an operator is given and what it gives: one call of a node. Owns the access to inputs and attributes, and the errors
 * that name the node. An operator that needs numbers that only the device knows asks for them (`yield`): whoever runs the
 * graph waits for them, or says that it cannot.
 */
import { decodeUtf8, ShapeError, type Tensor, ValueError } from '@nn/core';
import { type ElementType, elementTypeOf, isFloat } from '../format/element-types.ts';
import type { AttributeMessage, GraphMessage, NodeMessage, TypeMessage } from '../format/model.ts';
import { decodeTensor } from '../format/tensors.ts';
import {
  DeviceTensor,
  type HostTensor,
  type MaybeValue,
  type Sequence,
  type TensorValue,
  type TextTensor,
  type Value,
} from '../values/value.ts';
import type { Whole } from '../values/whole.ts';

/** A wish to know the elements of a tensor. */
export interface Request {
  readonly wanted: DeviceTensor;
  readonly call: Call;
}

export type Result = Value | readonly MaybeValue[];
/** An operator that may wait for numbers. */
export type Steps<T> = Generator<Request, T, HostTensor>;
export type Operator = (call: Call) => Result | Steps<Result>;

/** Runs a graph inside of a node (the branches of If, the bodies of Loop and Scan) on values for its inputs. */
export type RunInner = (graph: GraphMessage, inputs: readonly MaybeValue[]) => Steps<MaybeValue[]>;

export class Call {
  readonly node: NodeMessage;
  /** The version of the operator set that the node belongs to. */
  readonly version: number;
  readonly inputs: readonly MaybeValue[];
  readonly runInner: RunInner;
  /** Whether statistics and dropout are those of training. */
  readonly trains: boolean;

  constructor(node: NodeMessage, version: number, inputs: readonly MaybeValue[], runInner: RunInner, trains: boolean) {
    this.node = node;
    this.version = version;
    this.inputs = inputs;
    this.runInner = runInner;
    this.trains = trains;
  }

  /** `Conv 'stage1/conv'`, or by its output where it has no name. */
  get label(): string {
    const { operator, name, outputs } = this.node;
    return `${operator} '${name || outputs.find((output) => output !== '') || ''}'`;
  }

  /** A fault of the model or of what it was given. */
  error(words: string): ValueError {
    return new ValueError(this.label, words, { operator: this.node.operator, node: this.node.name });
  }

  shapeError(words: string): ShapeError {
    return new ShapeError(this.label, words, { operator: this.node.operator, node: this.node.name });
  }

  has(position: number): boolean {
    return (this.inputs[position] ?? null) !== null;
  }

  /** Whether somebody uses output `position`. */
  wants(position: number): boolean {
    return (this.node.outputs[position] ?? '') !== '';
  }

  /** A tensor input, wherever its elements are. */
  value(position: number): TensorValue {
    const value = this.inputs[position] ?? null;
    if (value === null)
      throw this.error(`input ${position} is missing: the model is damaged, or of a newer operator set.`);
    if (value.kind === 'host' || value.kind === 'device') return value;
    throw this.error(
      `input ${position} is a ${value.kind === 'text' ? 'tensor of text' : 'sequence'}; a tensor of numbers is needed.`,
    );
  }

  any(position: number): Value {
    const value = this.inputs[position] ?? null;
    if (value === null) throw this.error(`input ${position} is missing.`);
    return value;
  }

  sequence(position: number): Sequence {
    const value = this.any(position);
    if (value.kind !== 'sequence') throw this.error(`input ${position} is a tensor; a sequence is needed.`);
    return value;
  }

  tensor(position: number): Tensor {
    return this.value(position).tensor;
  }

  /** The bytes that an input of real numbers is made of; null where it is not. */
  whole(position: number): Whole | null {
    const value = this.value(position);
    return value.kind === 'device' && isFloat(value.type) ? value.whole : null;
  }

  optionalTensor(position: number): Tensor | null {
    return this.has(position) ? this.tensor(position) : null;
  }

  type(position: number): ElementType {
    return this.value(position).type;
  }

  shape(position: number): readonly number[] {
    return this.value(position).shape;
  }

  /** The elements of an input; asks for them where only the device knows them. */
  *host(position: number): Steps<HostTensor> {
    return yield* this.known(this.value(position));
  }

  *known(value: TensorValue): Steps<HostTensor> {
    if (value.kind === 'host') return value;
    return yield { wanted: value, call: this };
  }

  *hostList(position: number): Steps<number[]> {
    return Array.from((yield* this.host(position)).data);
  }

  /** A list that was an attribute once and is an input since: whichever the node has, else null. */
  *list(name: string, position: number): Steps<number[] | null> {
    if (this.has(position)) return yield* this.hostList(position);
    return this.integersOrNull(name);
  }

  attribute(name: string): AttributeMessage | undefined {
    return this.node.attributes.get(name);
  }

  integer(name: string, otherwise: number): number {
    return this.attribute(name)?.integer ?? otherwise;
  }

  flag(name: string, otherwise = false): boolean {
    const found = this.attribute(name);
    return found === undefined ? otherwise : found.integer !== 0;
  }

  float(name: string, otherwise: number): number {
    return this.attribute(name)?.float ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const found = this.attribute(name);
    return found === undefined ? otherwise : (decodeUtf8(found.text) ?? '');
  }

  texts(name: string): string[] {
    return (this.attribute(name)?.texts ?? []).map((bytes) => decodeUtf8(bytes) ?? '');
  }

  integersOrNull(name: string): number[] | null {
    return this.attribute(name)?.integers ?? null;
  }

  integers(name: string, otherwise: readonly number[]): readonly number[] {
    return this.attribute(name)?.integers ?? otherwise;
  }

  floats(name: string, otherwise: readonly number[]): readonly number[] {
    return this.attribute(name)?.floats ?? otherwise;
  }

  graph(name: string): GraphMessage {
    const graph = this.attribute(name)?.graph;
    if (!graph) throw this.error(`the graph '${name}' is missing: the model is damaged.`);
    return graph;
  }

  tensorAttribute(name: string): HostTensor | TextTensor | null {
    const found = this.attribute(name)?.tensor;
    return found ? decodeTensor(found) : null;
  }

  typeAttribute(name: string): TypeMessage | null {
    return this.attribute(name)?.valueType ?? null;
  }

  /** The element type that an attribute names by number. */
  elementType(name: string, otherwise: ElementType): ElementType {
    const found = this.attribute(name);
    if (found === undefined || found.integer === 0) return otherwise;
    const type = elementTypeOf(found.integer);
    if (type === undefined) throw this.error(`${name} is ${found.integer}, which is no type of ONNX.`);
    return type;
  }

  /** A number of elements that is made here, not read: refused where no network needs as many. */
  count(wanted: number): number {
    if (Number.isInteger(wanted) && wanted >= 0 && wanted <= 2 ** 24) return wanted;
    throw this.error(`it asks for ${wanted} elements at once: the model is damaged.`);
  }

  /** An axis counted from the front. */
  axis(axis: number, rank: number): number {
    const normal = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(normal) || normal < 0 || normal >= rank) {
      throw this.shapeError(`there is no axis ${axis}: the input has ${rank}.`);
    }
    return normal;
  }

  axes(axes: readonly number[], rank: number): number[] {
    return axes.map((axis) => this.axis(axis, rank));
  }
}

/** A tensor as a value of a type; a bool tensor of core under another type becomes int32, and so on. */
export function device(
  type: ElementType,
  tensor: Tensor,
  more: Partial<Pick<DeviceTensor, 'whole' | 'bounds'>> = {},
): DeviceTensor {
  const dtype = isFloat(type) ? 'float32' : type === 'bool' ? 'bool' : 'int32';
  return new DeviceTensor(type, tensor.dtype === dtype ? tensor : tensor.cast(dtype), more);
}

export function isSteps(result: Result | Steps<Result>): result is Steps<Result> {
  return 'next' in result && typeof result.next === 'function';
}

/** Whether the elements are known. */
export function isHost(value: MaybeValue): value is HostTensor {
  return value !== null && value.kind === 'host';
}
