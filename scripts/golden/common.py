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
    values = torch.rand(*shape, generator=_generator, dtype=torch.float64) * (high - low) + low
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


def write(path, cases, **more):
    head = {'source': 'PyTorch ' + torch.__version__.split('a')[0], 'cotangent': COTANGENT, **more}
    lines = ',\n'.join(json.dumps(case, separators=(',', ':')) for case in cases)
    text = json.dumps(head, separators=(',', ':'))[:-1] + ',"cases":[\n' + lines + '\n]}\n'
    target = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, 'w') as file:
        file.write(text)
    print(f'{path}: {len(cases)} cases, {len(text) / 1000:.0f} kB')
