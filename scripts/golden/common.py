"""What all golden scripts share: seeded inputs, cases as JSON, and gradients by PyTorch's own autograd.

Owns the form of a fixture file, not its contents (primitives.py, layers.py, optimizers.py).
A fixture file is { source, cotangent, cases: [{ operation, attributes, inputs, output, gradients, ... }] }.
"""

import json
import math
import os

import torch

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
COTANGENT = '((7 * i) mod 11 - 5) / 8 for the i-th element of the output in row-major order'
NAMES = {
    torch.float64: 'float32', torch.float32: 'float32', torch.int64: 'int32', torch.int32: 'int32', torch.bool: 'bool',
}

_generator = torch.Generator().manual_seed(20240607)


def random(*shape, low=-2.0, high=2.0, step=1 / 64):
    """Float64 numbers that float32 holds exactly (multiples of `step`), so that both sides start from the same values."""
    values = torch.rand(shape, generator=_generator, dtype=torch.float64) * (high - low) + low
    return torch.round(values / step) * step


def distinct(*shape, step=1 / 16):
    """As `random`, without two equal values and without 0: for sort, max and argmax."""
    count = math.prod(shape)
    order = torch.randperm(count, generator=_generator).to(torch.float64)
    return ((order - count / 2 + 0.5) * step).reshape(shape)


def integers(*shape, low=0, high=10):
    return torch.randint(low, high, shape, generator=_generator)


def cotangent(output):
    i = torch.arange(output.numel(), dtype=torch.int64)
    return (((7 * i) % 11 - 5).to(output.dtype) / 8).reshape(output.shape)


def number(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if math.isnan(value):
        return 'NaN'
    if math.isinf(value):
        return 'Infinity' if value > 0 else '-Infinity'
    if value == 0:
        return '-0' if math.copysign(1, value) < 0 else 0
    short = float('%.9g' % value)
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def pack(tensor):
    if tensor is None:
        return None
    tensor = tensor.detach()
    if tensor._is_zerotensor():  # PyTorch's symbolic zero has no storage to read
        tensor = torch.zeros(tensor.shape, dtype=tensor.dtype)
    return {
        'dtype': NAMES[tensor.dtype],
        'shape': list(tensor.shape),
        'data': [number(v) for v in tensor.reshape(-1).tolist()],
    }


def differentiate(output, inputs, create_graph=False):
    """Gradients of sum(output * cotangent), None for inputs that have none."""
    wanted = [t for t in inputs if t.requires_grad]
    if not wanted or not output.requires_grad:
        return [None] * len(inputs)
    found = iter(torch.autograd.grad(
        (output * cotangent(output)).sum(), wanted, create_graph=create_graph, allow_unused=True))
    result = []
    for tensor in inputs:
        gradient = next(found) if tensor.requires_grad else None
        result.append(torch.zeros_like(tensor) if gradient is None and tensor.requires_grad else gradient)
    return result


def function_case(operation, function, inputs, arguments=None, differentiable=True, second=True, absolute=None, slope=None):
    """A case of a function of tensors. `arguments`, the list that JavaScript calls it with, is the inputs by default.

    `absolute` and `slope` are the errors that the value and the gradients may have where digits cancel in float32.
    """
    inputs = [t.clone() for t in inputs]
    if differentiable:
        for t in inputs:
            if t.dtype == torch.float64:
                t.requires_grad_(True)
    output = function(*inputs)
    places = [{'input': k} for k in range(len(inputs))]
    given = places if arguments is None else arguments(*places)
    entry = {'operation': operation, 'attributes': {'arguments': given}, 'inputs': [pack(t) for t in inputs]}
    if absolute is not None:  # near zeros of the function digits cancel in float32, as in PyTorch's own
        entry['attributes']['absolute'] = absolute
    many = isinstance(output, (list, tuple))
    if slope is not None:
        entry['attributes']['slope'] = slope
    entry['output'] = [pack(t) for t in output] if many else pack(output)
    entry['gradients'] = [None] * len(inputs)
    floats = [t for t in (output if many else [output]) if t.dtype == torch.float64]
    if differentiable and any(t.requires_grad for t in floats):
        flat = torch.cat([t.reshape(-1) for t in floats]) if many else output
        gradients = differentiate(flat, inputs, create_graph=second)
        entry['gradients'] = [pack(t) for t in gradients]
        if second:
            total = sum(t.sum() for t in gradients if t is not None)
            wanted = [t for t in inputs if t.requires_grad]
            found = [None] * len(wanted)
            if total.requires_grad:
                found = torch.autograd.grad(total, wanted, allow_unused=True)
            found = iter([torch.zeros_like(t) if s is None else s for t, s in zip(wanted, found)])
            entry['secondGradients'] = [pack(next(found)) if t.requires_grad else None for t in inputs]
    return entry


def write(path, cases, **more):
    head = {'source': 'PyTorch ' + torch.__version__.split('a')[0], 'cotangent': COTANGENT, **more}
    lines = ',\n'.join(json.dumps(case, separators=(',', ':')) for case in cases)
    text = json.dumps(head, separators=(',', ':'))[:-1] + ',"cases":[\n' + lines + '\n]}\n'
    target = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, 'w') as file:
        file.write(text)
    print(f'{path}: {len(cases)} cases, {len(text) / 1000:.0f} kB')
