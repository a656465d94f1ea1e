"""Values and gradients where operations are easily wrong: at bounds, near saturation, with NaN, on empty axes.

Owns the list of edges; the form is its own, since numbers may be NaN or infinite: { cases: [{ name, inputs, output, gradients }] }
with numbers that JSON lacks as words. Gradients are those of the sum of the output.
"""

import json
import math
import os

import torch
import torch.nn.functional as F

from common import ROOT

NAN, INF = math.nan, math.inf


def word(value):
    if isinstance(value, list):
        return [word(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return 'NaN' if math.isnan(value) else 'Infinity' if value > 0 else '-Infinity'
    return value


def case(name, inputs, compute, second=False):
    tensors = [torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in inputs]
    output = compute(*tensors)
    result = {'name': name, 'inputs': word(inputs), 'shape': list(output.shape), 'output': word(output.flatten().tolist())}
    if output.requires_grad:
        found = torch.autograd.grad(output.sum(), tensors, allow_unused=True, create_graph=second)
        result['gradients'] = [None if g is None else word(g.flatten().tolist()) for g in found]
        if second:
            total = sum((g * (1 + i)).sum() for i, g in enumerate(found) if g is not None)
            twice = torch.autograd.grad(total, tensors, allow_unused=True) if total.requires_grad else [None] * len(tensors)
            result['second'] = [[0.0] * t.numel() if g is None else g.flatten().tolist() for g, t in zip(twice, tensors)]
    return result


def single(value):
    """The float32 nearest to a number, as a double."""
    return torch.tensor(value, dtype=torch.float32).to(torch.float64).tolist()


def shapes(name, inputs, compute):
    """Only the shape and the numbers, for empty inputs: `inputs` are shapes."""
    output = compute(*[torch.zeros(shape, dtype=torch.float64) for shape in inputs])
    return {'name': name, 'zeros': [list(shape) for shape in inputs], 'shape': list(output.shape),
            'output': word(output.to(torch.float64).flatten().tolist())}


cases = [
    case('clamp with crossed bounds', [[0., 1.5, 3.], [2., 2., 2.], [1., 1., 1.]], torch.clamp),
    case('hardSigmoid at its corners', [[-4., -3., -1., 0., 3., 5.]], F.hardsigmoid),
    case('hardSwish at its corners', [[-4., -3., -1., 0., 3., 5.]], F.hardswish),
    case('binaryCrossEntropy near 1', [single([0.9998273, 0.99999, 0.0001])], lambda p: F.binary_cross_entropy(p, torch.zeros_like(p), reduction='none')),
    case('bceWithLogits far from 0, target 0', [[-15., -10., -5., 0., 20.]], lambda x: F.binary_cross_entropy_with_logits(x, torch.zeros_like(x), reduction='none')),
    case('bceWithLogits far from 0, target 1', [[-20., 0., 5., 10., 15.]], lambda x: F.binary_cross_entropy_with_logits(x, torch.ones_like(x), reduction='none')),
    case('expm1 far below 0', [[-20., -10., -1., 0., 1e-5]], torch.expm1),
    case('mod', [[5.3, -5.3, 7.9], [0.7, 0.7, -1.1]], torch.fmod, second=True),
    case('floorMod', [[5.3, -5.3, 7.9], [0.7, 0.7, -1.1]], torch.remainder, second=True),
    case('argMax with NaN', [[3., NAN, 1., NAN, 5.]], lambda x: x.argmax(0)),
    case('argMin with NaN', [[3., NAN, 1., NAN, 5.]], lambda x: x.argmin(0)),
    case('argMax of rows with NaN', [[[1., 2.], [NAN, 3.], [4., NAN]]], lambda x: x.argmax(1)),
    case('sort with NaN', [[3., NAN, 1., NAN, 5.]], lambda x: x.sort(stable=True).values),
    case('argSort with NaN', [[3., NAN, 1., NAN, 5., 1.]], lambda x: x.sort(stable=True).indices),
    case('sort with NaN, descending', [[3., NAN, 1., NAN, 5.]], lambda x: x.sort(stable=True, descending=True).values),
    case('argSort with NaN, descending', [[3., NAN, 1., NAN, 5., 1.]], lambda x: x.sort(stable=True, descending=True).indices),
    case('topK with NaN', [[3., NAN, 1., 5.]], lambda x: x.topk(2).values),
    case('topK with NaN, the smallest', [[3., NAN, 1., 5.]], lambda x: x.topk(4, largest=False).values),
    case('max with NaN', [[3., NAN, 1., 5.]], lambda x: x.max().detach()),
    case('logSumExp with some -Infinity', [[-INF, 1., 2.]], lambda x: x.logsumexp(0)),
    case('norm of huge numbers', [[3e20, 4e20]], lambda x: x.norm()),
    case('norm of tiny numbers', [single([3e-30, 4e-30])], lambda x: x.norm()),
    case('norm of order 3 of huge numbers', [single([3e20, 4e20])], lambda x: x.norm(3)),
    shapes('einsum over an empty batch', [(0, 3), (3, 4)], lambda a, b: torch.einsum('bi,ij->bj', a, b)),
    shapes('einsum over an empty inner axis', [(2, 0), (0, 4)], lambda a, b: torch.einsum('bi,ij->bj', a, b)),
    shapes('einsum with dots over an empty batch', [(0, 2, 3), (3, 4)], lambda a, b: torch.einsum('...i,ij->...j', a, b)),
    shapes('einsum of an empty diagonal', [(0, 0)], lambda a: torch.einsum('ii->i', a)),
    shapes('matmul over an empty inner axis', [(2, 0), (0, 3)], torch.matmul),
    shapes('matmul of an empty batch', [(0, 2, 3), (3, 4)], torch.matmul),
    shapes('softmax of an empty batch', [(0, 3)], lambda x: x.softmax(-1)),
    shapes('softmax of empty rows', [(2, 0)], lambda x: x.softmax(-1)),
    shapes('logSoftmax of empty rows', [(2, 0)], lambda x: x.log_softmax(-1)),
    shapes('logSumExp of an empty batch', [(0, 3)], lambda x: x.logsumexp(1)),
    shapes('logSumExp of nothing', [(2, 0)], lambda x: x.logsumexp(1)),
    shapes('mean of nothing', [(2, 0)], lambda x: x.mean(1)),
    shapes('variance of an empty batch', [(0, 3)], lambda x: x.var(1)),
    shapes('variance of nothing', [(2, 0)], lambda x: x.var(1)),
    shapes('standardDeviation of nothing', [(2, 0)], lambda x: x.std(1)),
    shapes('norm of nothing', [(2, 0)], lambda x: x.norm(dim=1)),
    shapes('cumsum of nothing', [(2, 0)], lambda x: x.cumsum(1)),
    shapes('sort of nothing', [(2, 0)], lambda x: x.sort(1).values),
    shapes('argMax of an empty batch', [(0, 3)], lambda x: x.argmax(1)),
    shapes('topK of an empty batch', [(0, 3)], lambda x: x.topk(2).values),
    shapes('conv2d of an empty batch', [(0, 2, 5, 5), (3, 2, 3, 3)], F.conv2d),
    shapes('maxPool2d of an empty batch', [(0, 2, 4, 4)], lambda x: F.max_pool2d(x, 2)),
    shapes('averagePool2d of an empty batch', [(0, 2, 4, 4)], lambda x: F.avg_pool2d(x, 2)),
    shapes('oneHot of nothing', [(0,)], lambda x: F.one_hot(x.long(), 3)),
    shapes('gather of nothing', [(3, 2)], lambda x: x[torch.zeros(0, dtype=torch.long)]),
    shapes('concat with an empty piece', [(0, 2), (3, 2)], lambda a, b: torch.cat([a, b])),
    shapes('flip of nothing', [(0, 2)], lambda x: x.flip(0)),
    shapes('pad of nothing', [(0, 2)], lambda x: F.pad(x, (1, 1, 0, 2))),
    shapes('gelu of nothing', [(0, 2)], F.gelu),
]

# the cosine beyond its end
from torch.optim.lr_scheduler import CosineAnnealingLR

optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
schedule = CosineAnnealingLR(optimizer, T_max=10, eta_min=0.1)
rates = []
for _ in range(35):
    rates.append(optimizer.param_groups[0]['lr'])
    optimizer.step()
    schedule.step()

path = os.path.join(ROOT, 'packages/layers/fixtures/edges.json')
with open(path, 'w') as file:
    lines = ',\n'.join('    ' + json.dumps(c) for c in cases)
    file.write('{\n  "source": "scripts/golden/edges.py, PyTorch %s",\n  "cases": [\n%s\n  ]\n}\n' % (torch.__version__, lines))
path = os.path.join(ROOT, 'packages/optim/fixtures/cosine-annealing.json')
with open(path, 'w') as file:
    file.write(json.dumps({'source': 'scripts/golden/edges.py, PyTorch %s' % torch.__version__, 'steps': 10, 'minimum': 0.1, 'rates': rates}) + '\n')
print(len(cases), 'cases')
