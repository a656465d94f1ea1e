/**
 * A model as it stands in the file: messages as plain objects, nothing interpreted. Owns the field numbers of ONNX
 * (onnx.proto3, IR 3 to 13); what nodes mean is for the operators.
 */
import { FormatError } from '@nn/core';
import { MessageReader } from '../protobuf/reader.ts';

/** A tensor of the file: raw little-endian bytes, or a list by type. Decoded by tensors.ts. */
export interface TensorMessage {
  name: string;
  type: number;
  readonly shape: number[];
  raw: Uint8Array | null;
  /** The bytes of packed lists by field number, in the order of the file. */
  readonly packed: { readonly field: number; readonly bytes: Uint8Array }[];
  readonly numbers: number[];
  readonly texts: Uint8Array[];
  readonly external: Map<string, string>;
  isExternal: boolean;
}

export interface AttributeMessage {
  name: string;
  type: number;
  /** The attribute of the function that is called, whose value this one takes. */
  reference: string;
  float: number;
  integer: number;
  text: Uint8Array;
  tensor: TensorMessage | null;
  graph: GraphMessage | null;
  readonly floats: number[];
  readonly integers: number[];
  readonly texts: Uint8Array[];
  readonly tensors: TensorMessage[];
  readonly graphs: GraphMessage[];
  isSparse: boolean;
  /** The element type of an optional or a sequence (`type_proto`). */
  valueType: TypeMessage | null;
}

export interface NodeMessage {
  readonly inputs: string[];
  readonly outputs: string[];
  name: string;
  operator: string;
  domain: string;
  overload: string;
  readonly attributes: Map<string, AttributeMessage>;
}

/** A size that is known, one that has a name, or one of which nothing is said. */
export type Dimension = number | string | null;

export interface TypeMessage {
  kind: 'tensor' | 'sequence' | 'map' | 'optional' | 'sparse' | 'unknown';
  elementType: number;
  /** Null where not even the rank is said. */
  shape: Dimension[] | null;
}

export interface ValueMessage {
  name: string;
  type: TypeMessage;
}

export interface GraphMessage {
  name: string;
  readonly nodes: NodeMessage[];
  readonly initializers: TensorMessage[];
  readonly inputs: ValueMessage[];
  readonly outputs: ValueMessage[];
  hasSparse: boolean;
}

export interface FunctionMessage {
  name: string;
  domain: string;
  overload: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributeNames: string[];
  readonly defaults: AttributeMessage[];
  readonly nodes: NodeMessage[];
  readonly opsets: Map<string, number>;
}

export interface ModelMessage {
  irVersion: number;
  producer: string;
  producerVersion: string;
  graph: GraphMessage | null;
  readonly opsets: Map<string, number>;
  readonly metadata: Map<string, string>;
  readonly functions: FunctionMessage[];
}

/** Graphs inside of graphs, at most: hand-made files go deeper than any network, to exhaust the stack. */
const deepest = 32;

/** 'ai.onnx' is another name of ''. */
export function domainOf(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** The model of a file. Throws FormatError for bytes that are none. */
export function readModel(bytes: Uint8Array): ModelMessage {
  const model: ModelMessage = {
    irVersion: 0,
    producer: '',
    producerVersion: '',
    graph: null,
    opsets: new Map(),
    metadata: new Map(),
    functions: [],
  };
  const reader = new MessageReader(bytes, 'the model');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) model.irVersion = reader.integer();
    else if (field === 2) model.producer = reader.text();
    else if (field === 3) model.producerVersion = reader.text();
    else if (field === 7) model.graph = readGraph(reader.message('the graph'), 0);
    else if (field === 8) readOpset(reader.message('the operator sets'), model.opsets);
    else if (field === 14) readEntry(reader.message('the metadata'), model.metadata);
    else if (field === 25) model.functions.push(readFunction(reader.message('a function')));
    else reader.skip();
  }
  return model;
}

function readOpset(reader: MessageReader, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) domain = domainOf(reader.text());
    else if (field === 2) version = reader.integer();
    else reader.skip();
  }
  opsets.set(domain, version);
}

function readEntry(reader: MessageReader, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.text();
    else if (field === 2) value = reader.text();
    else reader.skip();
  }
  entries.set(key, value);
}

function readGraph(reader: MessageReader, depth: number): GraphMessage {
  if (depth > deepest) {
    throw new FormatError(
      'loadOnnx/deep',
      `graphs lie more than ${deepest} deep in each other: the file is no network.`,
    );
  }
  const graph: GraphMessage = { name: '', nodes: [], initializers: [], inputs: [], outputs: [], hasSparse: false };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) graph.nodes.push(readNode(reader.message('a node'), depth));
    else if (field === 2) graph.name = reader.text();
    else if (field === 5) graph.initializers.push(readTensor(reader.message('an initializer')));
    else if (field === 11) graph.inputs.push(readValue(reader.message('an input')));
    else if (field === 12) graph.outputs.push(readValue(reader.message('an output')));
    else {
      if (field === 15) graph.hasSparse = true;
      reader.skip();
    }
  }
  return graph;
}

function readNode(reader: MessageReader, depth: number): NodeMessage {
  const node: NodeMessage = {
    inputs: [],
    outputs: [],
    name: '',
    operator: '',
    domain: '',
    overload: '',
    attributes: new Map(),
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) node.inputs.push(reader.text());
    else if (field === 2) node.outputs.push(reader.text());
    else if (field === 3) node.name = reader.text();
    else if (field === 4) node.operator = reader.text();
    else if (field === 7) node.domain = domainOf(reader.text());
    else if (field === 8) node.overload = reader.text();
    else if (field === 5) {
      const attribute = readAttribute(reader.message('an attribute'), depth);
      node.attributes.set(attribute.name, attribute);
    } else reader.skip();
  }
  return node;
}

function readAttribute(reader: MessageReader, depth: number): AttributeMessage {
  const attribute: AttributeMessage = {
    name: '',
    type: 0,
    reference: '',
    float: 0,
    integer: 0,
    text: new Uint8Array(0),
    tensor: null,
    graph: null,
    floats: [],
    integers: [],
    texts: [],
    tensors: [],
    graphs: [],
    isSparse: false,
    valueType: null,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) attribute.name = reader.text();
    else if (field === 2) attribute.float = reader.float();
    else if (field === 3) attribute.integer = reader.integer();
    else if (field === 4) attribute.text = reader.bytes();
    else if (field === 5) attribute.tensor = readTensor(reader.message('a tensor'));
    else if (field === 6) attribute.graph = readGraph(reader.message('a graph'), depth + 1);
    else if (field === 7) reader.floats(attribute.floats);
    else if (field === 8) reader.integers(attribute.integers);
    else if (field === 9) attribute.texts.push(reader.bytes());
    else if (field === 10) attribute.tensors.push(readTensor(reader.message('a tensor')));
    else if (field === 11) attribute.graphs.push(readGraph(reader.message('a graph'), depth + 1));
    else if (field === 14) attribute.valueType = readType(reader.message('a type'), 0);
    else if (field === 20) attribute.type = reader.integer();
    else if (field === 21) attribute.reference = reader.text();
    else {
      if (field === 22 || field === 23) attribute.isSparse = true;
      reader.skip();
    }
  }
  return attribute;
}

/** A tensor message; also what a file `.pb` beside a test holds. */
export function readTensor(reader: MessageReader): TensorMessage {
  const tensor: TensorMessage = {
    name: '',
    type: 0,
    shape: [],
    raw: null,
    packed: [],
    numbers: [],
    texts: [],
    external: new Map(),
    isExternal: false,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.integers(tensor.shape);
    else if (field === 2) tensor.type = reader.integer();
    else if (field === 6) tensor.texts.push(reader.bytes());
    else if (field === 8) tensor.name = reader.text();
    else if (field === 9) tensor.raw = reader.bytes();
    else if (field === 13) readEntry(reader.message('a place outside'), tensor.external);
    else if (field === 14) tensor.isExternal = reader.integer() === 1;
    else if (field === 4 || field === 5 || field === 7 || field === 10 || field === 11) {
      if (reader.wire === 'bytes') tensor.packed.push({ field, bytes: reader.bytes() });
      else if (field === 4) reader.floats(tensor.numbers);
      else if (field === 10) reader.floats(tensor.numbers, 8);
      else reader.integers(tensor.numbers);
    } else reader.skip();
  }
  return tensor;
}

function readValue(reader: MessageReader): ValueMessage {
  const value: ValueMessage = { name: '', type: { kind: 'unknown', elementType: 0, shape: null } };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) value.name = reader.text();
    else if (field === 2) value.type = readType(reader.message('a type'), 0);
    else reader.skip();
  }
  return value;
}

const kinds = new Map<number, TypeMessage['kind']>([
  [1, 'tensor'],
  [4, 'sequence'],
  [5, 'map'],
  [8, 'sparse'],
  [9, 'optional'],
]);

function readType(reader: MessageReader, depth: number): TypeMessage {
  let type: TypeMessage = { kind: 'unknown', elementType: 0, shape: null };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    const kind = kinds.get(field);
    if (kind === 'tensor') type = readTensorType(reader.message('a type'));
    else if ((kind === 'sequence' || kind === 'optional') && depth < deepest) {
      type = { ...readInner(reader.message('a type'), depth), kind };
    } else {
      if (kind !== undefined) type = { kind, elementType: 0, shape: null };
      reader.skip();
    }
  }
  return type;
}

/** The type of the elements of a sequence or an optional. */
function readInner(reader: MessageReader, depth: number): TypeMessage {
  let type: TypeMessage = { kind: 'unknown', elementType: 0, shape: null };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) type = readType(reader.message('a type'), depth + 1);
    else reader.skip();
  }
  return type;
}

function readTensorType(reader: MessageReader): TypeMessage {
  const type: TypeMessage = { kind: 'tensor', elementType: 0, shape: null };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) type.elementType = reader.integer();
    else if (field === 2) {
      const shape: Dimension[] = [];
      const list = reader.message('a shape');
      for (let inner = list.next(); inner !== 0; inner = list.next()) {
        if (inner === 1) shape.push(readDimension(list.message('a size')));
        else list.skip();
      }
      type.shape = shape;
    } else reader.skip();
  }
  return type;
}

function readDimension(reader: MessageReader): Dimension {
  let size: Dimension = null;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) size = reader.integer();
    else if (field === 2) {
      const name = reader.text();
      size = name === '' ? null : name;
    } else reader.skip();
  }
  return size;
}

function readFunction(reader: MessageReader): FunctionMessage {
  const found: FunctionMessage = {
    name: '',
    domain: '',
    overload: '',
    inputs: [],
    outputs: [],
    attributeNames: [],
    defaults: [],
    nodes: [],
    opsets: new Map(),
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) found.name = reader.text();
    else if (field === 4) found.inputs.push(reader.text());
    else if (field === 5) found.outputs.push(reader.text());
    else if (field === 6) found.attributeNames.push(reader.text());
    else if (field === 7) found.nodes.push(readNode(reader.message('a node'), 0));
    else if (field === 9) readOpset(reader.message('the operator sets'), found.opsets);
    else if (field === 10) found.domain = domainOf(reader.text());
    else if (field === 11) found.defaults.push(readAttribute(reader.message('an attribute'), 0));
    else if (field === 13) found.overload = reader.text();
    else reader.skip();
  }
  return found;
}
