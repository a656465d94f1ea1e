"""What a small ONNX graph computes, by NumPy: the oracle where onnxruntime refuses a model, mostly for shapes that it declares wrongly.

Reads {"model": path, "inputs": {name: {"type", "shape", "data"}}} from standard input, writes {name: {"shape", "data"}}.
Every operator is its definition in the specification, word for word; one that is not here ends the program with its name.
"""

import json
import sys

import numpy as np
import onnx
from onnx import numpy_helper

given = json.load(sys.stdin)
model = onnx.load(given['model'])
values = {'': None}
for tensor in model.graph.initializer:
    values[tensor.name] = numpy_helper.to_array(tensor)
for name, item in given['inputs'].items():
    values[name] = np.array(item['data'], dtype=item['type']).reshape(item['shape'])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def axes_of(attributes, more, rank):
    axes = attributes.get('axes', more[0] if more else None)
    return tuple(range(rank)) if axes is None or len(axes) == 0 else tuple(int(axis) for axis in axes)


def reduce(by):
    def run(attributes, x, *more):
        return by(x, axis=axes_of(attributes, more, x.ndim), keepdims=bool(attributes.get('keepdims', 1)))
    return run


def slices(attributes, x, starts, ends, axes=None, steps=None):
    starts, ends = np.atleast_1d(starts), np.atleast_1d(ends)
    axes = np.arange(len(starts)) if axes is None else np.atleast_1d(axes)
    steps = np.ones(len(starts), int) if steps is None else np.atleast_1d(steps)
    index = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        size = x.shape[axis]
        # an end below the first element, going back, is past it
        past = None if step < 0 and end < -size else int(end)
        index[axis] = slice(int(start), past, int(step))
    return x[tuple(index)]


def reshape(attributes, x, shape):
    keeps = not attributes.get('allowzero', 0)
    return x.reshape([x.shape[k] if size == 0 and keeps else int(size) for k, size in enumerate(np.atleast_1d(shape))])


def top_k(attributes, x, k):
    axis, count = attributes.get('axis', -1), int(np.ravel(k)[0])
    order = np.argsort(-x if attributes.get('largest', 1) else x, axis=axis, kind='stable')
    order = np.take(order, range(count), axis=axis)
    return np.take_along_axis(x, order, axis), order


def gru(attributes, x, w, r, b=None, lengths=None, first=None):
    hidden = attributes['hidden_size']
    assert attributes.get('direction', 'forward') == 'forward' and lengths is None
    b = np.zeros((1, 6 * hidden), x.dtype) if b is None else b
    state = np.zeros((x.shape[1], hidden), x.dtype) if first is None else first[0]
    part = lambda of, k: of[k * hidden:(k + 1) * hidden]
    w, r, b, rows = w[0], r[0], b[0], []
    for step in x:
        z = sigmoid(step @ part(w, 0).T + state @ part(r, 0).T + part(b, 0) + part(b, 3))
        reset = sigmoid(step @ part(w, 1).T + state @ part(r, 1).T + part(b, 1) + part(b, 4))
        if attributes.get('linear_before_reset', 0):
            inner = reset * (state @ part(r, 2).T + part(b, 5))
        else:
            inner = (reset * state) @ part(r, 2).T + part(b, 5)
        state = (1 - z) * np.tanh(step @ part(w, 2).T + inner + part(b, 2)) + z * state
        rows.append(state)
    return np.stack(rows)[:, None], state[None]


def shift(attributes, x, by):
    return x >> by if attributes['direction'] == b'RIGHT' else x << by


def eye(attributes, x):
    kind = attributes.get('dtype')
    return np.eye(*x.shape, k=attributes.get('k', 0)).astype(x.dtype if kind is None else onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[kind])


def filled(attributes, shape):
    value = attributes.get('value')
    return np.full([int(size) for size in shape], 0 if value is None else value.ravel()[0], 'f4' if value is None else value.dtype)


operators = {
    'Abs': lambda a, x: np.abs(x), 'Add': lambda a, x, y: x + y, 'BitShift': shift, 'Constant': lambda a: a['value'],
    'Concat': lambda a, *xs: np.concatenate([np.atleast_1d(x) for x in xs], a['axis']), 'ConstantOfShape': filled,
    'Equal': lambda a, x, y: x == y, 'Expand': lambda a, x, shape: x * np.ones([int(size) for size in shape], x.dtype),
    'EyeLike': eye, 'GRU': gru, 'Gather': lambda a, x, at: np.take(x, at, a.get('axis', 0)), 'Identity': lambda a, x: x,
    'Mul': lambda a, x, y: x * y, 'ReduceL1': reduce(lambda x, **how: np.sum(np.abs(x), **how)),
    'ReduceL2': reduce(lambda x, **how: np.sqrt(np.sum(x * x, **how))), 'ReduceMax': reduce(np.max),
    'Relu': lambda a, x: np.maximum(x, 0), 'Reshape': reshape, 'Shape': lambda a, x: np.array(x.shape),
    'Size': lambda a, x: np.array(x.size), 'Slice': slices, 'Sum': lambda a, *xs: sum(xs),
    'Squeeze': lambda a, x, *more: np.squeeze(x, axes_of(a, more, x.ndim) if more or 'axes' in a else None),
    'TopK': top_k, 'Where': lambda a, c, x, y: np.where(c, x, y),
}

for node in model.graph.node:
    if node.op_type not in operators:
        sys.exit('reference.py does not know ' + node.op_type)
    attributes = {}
    for item in node.attribute:
        value = onnx.helper.get_attribute_value(item)
        attributes[item.name] = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
        if item.name == 'value_int':
            attributes['value'] = np.array(value)
        if item.name == 'value_ints':
            attributes['value'] = np.array(value)
    results = operators[node.op_type](attributes, *[values[name] for name in node.input])
    results = results if isinstance(results, tuple) else (results,)
    for name, result in zip(node.output, results):
        values[name] = np.asarray(result)
print(json.dumps({item.name: {'shape': list(values[item.name].shape), 'data': values[item.name].astype(float).ravel().tolist()}
                  for item in model.graph.output}))
