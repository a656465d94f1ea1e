"""Golden values for the operations of @nn/core, with first gradients, and second ones for the scalar functions.

Run: python3 scripts/golden/primitives.py (needs PyTorch). Writes packages/conformance/fixtures/*.json.
Values are computed in double precision from inputs that float32 holds exactly, and written with nine digits; cases marked
"special" (NaN, infinities, -0, huge and tiny numbers) are computed in float32 and have no gradients.
gradients[k] is the gradient of sum(output * cotangent) with respect to inputs[k]; secondGradients[k] that of the sum of
all elements of all first gradients. An output with several tensors (split, sort, topK) is a list.
"""

import math

import torch
import torch.nn.functional as F

from common import cotangent, differentiate, distinct, integers, pack, random, write

FILES = {'scalar': [], 'reduce': [], 'move': [], 'contract': [], 'special': []}


def case(file, operation, function, inputs, attributes=None, second=False, differentiable=True):
    inputs = [t.clone() for t in inputs]
    if differentiable:
        for t in inputs:
            if t.dtype == torch.float64:
                t.requires_grad_(True)
    output = function(*inputs)
    entry = {'operation': operation, 'attributes': attributes or {}, 'inputs': [pack(t) for t in inputs]}
    many = isinstance(output, (list, tuple))
    entry['output'] = [pack(t) for t in output] if many else pack(output)
    first = output[0] if many else output
    if differentiable and first.dtype == torch.float64 and first.requires_grad:
        if many:
            floats = [t for t in output if t.dtype == torch.float64]
            first = torch.cat([t.reshape(-1) for t in floats])  # one cotangent runs through all float outputs in order
        gradients = differentiate(first, inputs, create_graph=second)
        entry['gradients'] = [pack(t) for t in gradients]
        if second:
            total = sum(t.sum() for t in gradients if t is not None)
            wanted = [t for t in inputs if t.requires_grad]
            found = [None] * len(wanted)
            if total.requires_grad:
                found = torch.autograd.grad(total, wanted, allow_unused=True)
            found = iter([torch.zeros_like(t) if s is None else s for t, s in zip(wanted, found)])
            entry['secondGradients'] = [pack(next(found)) if t.requires_grad else None for t in inputs]
    else:
        entry['gradients'] = [None] * len(inputs)
    FILES[file].append(entry)


# --- scalar functions ---------------------------------------------------------------------------------------------
anywhere = random(3, 5)
positive = random(3, 5, low=0.25, high=4)
unary = [
    ('neg', lambda x: -x, anywhere), ('abs', torch.abs, anywhere), ('sign', torch.sign, anywhere),
    ('round', torch.round, anywhere), ('floor', torch.floor, anywhere), ('ceil', torch.ceil, anywhere),
    ('exp', torch.exp, anywhere), ('log', torch.log, positive), ('log1p', torch.log1p, random(3, 5, low=-0.9)),
    ('expm1', torch.expm1, anywhere), ('sqrt', torch.sqrt, positive), ('rsqrt', torch.rsqrt, positive),
    ('reciprocal', torch.reciprocal, positive), ('square', torch.square, anywhere), ('sin', torch.sin, anywhere),
    ('cos', torch.cos, anywhere), ('tan', torch.tan, random(3, 5, low=-1.2, high=1.2)), ('tanh', torch.tanh, anywhere),
    ('erf', torch.erf, anywhere), ('sigmoid', torch.sigmoid, anywhere), ('relu', torch.relu, anywhere),
    ('softplus', F.softplus, anywhere), ('silu', F.silu, anywhere),
]
for name, function, x in unary:
    case('scalar', name, function, [x], second=True, differentiable=name not in ('round', 'floor', 'ceil'))
for approximate in ('none', 'tanh'):
    case('scalar', 'gelu', lambda x: F.gelu(x, approximate=approximate), [anywhere], {'approximate': approximate}, second=True)
case('scalar', 'clamp', lambda x: x.clamp(-1.1, 0.7), [anywhere], {'low': -1.1, 'high': 0.7}, second=True)
case('scalar', 'pow', lambda x: x**3, [anywhere], {'exponent': 3}, second=True)
case('scalar', 'pow', lambda x: x**-2, [positive], {'exponent': -2}, second=True)
case('scalar', 'pow', lambda x: x**0.5, [positive], {'exponent': 0.5}, second=True)

a, b = random(3, 4), random(3, 4, low=0.5, high=3)
row, column, cube = random(4), random(3, 1), random(2, 1, 4)
for name, function in [
    ('add', torch.add), ('sub', torch.sub), ('mul', torch.mul), ('div', torch.div), ('mod', torch.fmod),
    ('floorMod', torch.remainder), ('maximum', torch.maximum), ('minimum', torch.minimum),
]:
    case('scalar', name, function, [a, b], second=True)
    case('scalar', name, function, [a, random(1, 4, low=0.5, high=3)], second=True)
case('scalar', 'floorDiv', lambda x, y: torch.div(x, y, rounding_mode='floor'), [a, b], differentiable=False)
case('scalar', 'pow', torch.pow, [b, a], second=True)
case('scalar', 'pow', torch.pow, [random(3, 1, low=0.5, high=3), random(4)], second=True)
case('scalar', 'add', torch.add, [cube, column])
case('scalar', 'mul', torch.mul, [cube, column], second=True)
case('scalar', 'sub', torch.sub, [torch.tensor(1.25, dtype=torch.float64), row])
case('scalar', 'div', torch.div, [row, torch.tensor(-0.75, dtype=torch.float64)], second=True)
chosen = random(3, 4) > 0
case('scalar', 'where', torch.where, [chosen, a, b], second=True)
case('scalar', 'where', torch.where, [random(4) > 0, column, random(1, 4)])
left, right = integers(3, 4, low=-4, high=4), integers(3, 4, low=-4, high=4)
for name, function in [
    ('less', torch.lt), ('lessEqual', torch.le), ('greater', torch.gt), ('greaterEqual', torch.ge),
    ('equal', torch.eq), ('notEqual', torch.ne),
]:
    case('scalar', name, function, [left, right])
    case('scalar', name, function, [random(3, 4, step=1.0), random(4, step=1.0)], differentiable=False)
some, other = random(3, 4) > 0, random(4) > 0
case('scalar', 'logicalAnd', torch.logical_and, [some, other])
case('scalar', 'logicalOr', torch.logical_or, [some, other])
case('scalar', 'logicalNot', torch.logical_not, [some])
case('scalar', 'xor', torch.logical_xor, [some, other])
nonzero = torch.where(right == 0, 3, right)
for name, function in [
    ('add', torch.add), ('sub', torch.sub), ('mul', torch.mul), ('mod', torch.fmod), ('floorMod', torch.remainder),
    ('floorDiv', lambda x, y: torch.div(x, y, rounding_mode='floor')), ('maximum', torch.maximum), ('minimum', torch.minimum),
    ('bitwiseAnd', torch.bitwise_and), ('bitwiseOr', torch.bitwise_or), ('xor', torch.bitwise_xor),
]:
    case('scalar', name, function, [left * 7, nonzero])
shifts = integers(3, 4, low=0, high=8)
case('scalar', 'shiftLeft', lambda x, s: x << s, [left, shifts])
case('scalar', 'shiftRight', lambda x, s: x >> s, [left * 1000, shifts])
case('scalar', 'cast', lambda x: x.to(torch.int32), [random(3, 5, low=-5, high=5)], {'dtype': 'int32'}, differentiable=False)
case('scalar', 'cast', lambda x: x.to(torch.bool), [random(3, 5, step=1.0)], {'dtype': 'bool'}, differentiable=False)
case('scalar', 'cast', lambda x: x.to(torch.float32), [left], {'dtype': 'float32'})

# --- reductions -----------------------------------------------------------------------------------------------------
x = random(2, 3, 4, low=0.25)
d = distinct(2, 3, 4)


def reduction(name, function, data, axes, keep, second=False, **more):
    attributes = {'axes': axes, 'keepAxes': keep, **more}
    case('reduce', name, lambda t: function(t, axes if axes is not None else list(range(t.dim())), keep), [data], attributes, second)


def product(t, axes, keep):
    for axis in sorted([axis % t.dim() for axis in axes], reverse=True):
        t = t.prod(axis, keepdim=keep)
    return t


for axes, keep in [(None, False), ([1], False), ([0, 2], True), ([-1], True)]:
    reduction('sum', lambda t, n, k: t.sum(n, keepdim=k), x, axes, keep)
    reduction('mean', lambda t, n, k: t.mean(n, keepdim=k), x, axes, keep)
    reduction('max', lambda t, n, k: t.amax(n, keepdim=k), d, axes, keep)
    reduction('min', lambda t, n, k: t.amin(n, keepdim=k), d, axes, keep)
    reduction('prod', product, x, axes, keep, True)
    reduction('variance', lambda t, n, k: t.var(n, keepdim=k, unbiased=True), x, axes, keep, True, correction=1)
    reduction('variance', lambda t, n, k: t.var(n, keepdim=k, unbiased=False), x, axes, keep, correction=0)
    reduction('standardDeviation', lambda t, n, k: t.std(n, keepdim=k, unbiased=True), x, axes, keep, correction=1)
    reduction('norm', lambda t, n, k: torch.linalg.vector_norm(t, 2, n, k), x, axes, keep, True, order=2)
    reduction('norm', lambda t, n, k: torch.linalg.vector_norm(t, 1, n, k), x, axes, keep, order=1)
    reduction('logSumExp', lambda t, n, k: t.logsumexp(n, k), x, axes, keep, True)
reduction('norm', lambda t, n, k: torch.linalg.vector_norm(t, 3, n, k), x, [1], False, order=3)
reduction('norm', lambda t, n, k: torch.linalg.vector_norm(t, math.inf, n, k), d, [1], False, order='Infinity')
case('reduce', 'prod', lambda t: t.prod(1), [torch.tensor([[2., 0, 3], [0, 0, 1], [1, 2, -4]], dtype=torch.float64)], {'axes': [1], 'keepAxes': False})
case('reduce', 'max', lambda t: t.amax(1), [torch.tensor([[1., 3, 3], [2, 2, 2]], dtype=torch.float64)], {'axes': [1], 'keepAxes': False})
yes = random(3, 4) > 0.5
for axes, keep in [([0], False), ([1], True)]:
    case('reduce', 'any', lambda t: t.any(axes[0], keep), [yes], {'axes': axes, 'keepAxes': keep})
    case('reduce', 'all', lambda t: t.all(axes[0], keep), [~yes], {'axes': axes, 'keepAxes': keep})
    case('reduce', 'sum', lambda t: t.sum(axes[0], keep), [integers(3, 4, low=-9)], {'axes': axes, 'keepAxes': keep})
    case('reduce', 'max', lambda t: t.amax(axes[0], keep), [integers(3, 4, low=-9)], {'axes': axes, 'keepAxes': keep})
for axis, keep in [(0, False), (1, True), (-1, False)]:
    case('reduce', 'argMax', lambda t: t.argmax(axis, keep), [d], {'axis': axis, 'keepAxes': keep})
    case('reduce', 'argMin', lambda t: t.argmin(axis, keep), [d], {'axis': axis, 'keepAxes': keep})
case('reduce', 'argMax', lambda t: t.argmax(1), [torch.tensor([[1., 3, 3], [2, 2, 2]], dtype=torch.float64)], {'axis': 1, 'keepAxes': False})
for axis in (0, 1, -1):
    case('reduce', 'softmax', lambda t: t.softmax(axis), [x], {'axis': axis}, second=True)
    case('reduce', 'logSoftmax', lambda t: t.log_softmax(axis), [x], {'axis': axis}, second=True)
    case('reduce', 'cumsum', lambda t: t.cumsum(axis), [x], {'axis': axis})
case('reduce', 'softmax', lambda t: t.softmax(-1), [x * 100], {'axis': -1})
case('reduce', 'logSumExp', lambda t: t.logsumexp(1), [x * 100], {'axes': [1], 'keepAxes': False})
for axis, descending in [(0, False), (1, True), (-1, False)]:
    case('reduce', 'sort', lambda t: list(t.sort(axis, descending)), [d], {'axis': axis, 'descending': descending})
    case('reduce', 'argSort', lambda t: t.argsort(axis, descending), [d], {'axis': axis, 'descending': descending})
case('reduce', 'sort', lambda t: list(t.sort(dim=0, stable=True)), [torch.tensor([2., 1, 2, 1, 0], dtype=torch.float64)], {'axis': 0, 'descending': False})
case('reduce', 'topK', lambda t: list(t.topk(2, 1)), [d], {'k': 2, 'axis': 1})
case('reduce', 'topK', lambda t: list(t.topk(3, -1)), [d], {'k': 3, 'axis': -1})

# --- views, indexing and joining ----------------------------------------------------------------------------------
v = random(2, 3, 4)
case('move', 'reshape', lambda t: t.reshape(4, 6), [v], {'shape': [4, 6]})
case('move', 'reshape', lambda t: t.reshape(3, -1), [v], {'shape': [3, -1]})
case('move', 'flatten', lambda t: t.flatten(1), [v], {'from': 1})
case('move', 'flatten', lambda t: t.flatten(0, 1), [v], {'from': 0, 'to': 1})
case('move', 'squeeze', lambda t: t.squeeze(1), [random(3, 1, 2)], {'axes': [1]})
case('move', 'unsqueeze', lambda t: t.unsqueeze(-1), [v], {'axis': -1})
case('move', 'permute', lambda t: t.permute(2, 0, 1), [v], {'order': [2, 0, 1]})
case('move', 'transpose', lambda t: t.transpose(-1, -2), [v], {})
case('move', 'transpose', lambda t: t.transpose(0, 2), [v], {'axisA': 0, 'axisB': 2})
case('move', 'expand', lambda t: t.expand(2, 3, 4), [random(3, 1)], {'shape': [2, 3, 4]})
case('move', 'flip', lambda t: t.flip([0, 2]), [v], {'axes': [0, 2]})
case('move', 'pad', lambda t: F.pad(t, (2, 0, 0, 1)), [v], {'widths': [[0, 0], [0, 1], [2, 0]], 'value': 0})
case('move', 'pad', lambda t: F.pad(t, (1, 1), value=1.5), [random(2, 3)], {'widths': [[0, 0], [1, 1]], 'value': 1.5})
case('move', 'slice', lambda t: t[:, 1:3, 0:3], [v], {'starts': [0, 1, 0], 'stops': [2, 3, 3]})
case('move', 'slice', lambda t: t[:, 0:3:2, 1:4:2], [v], {'starts': [0, 0, 1], 'stops': [2, 3, 4], 'steps': [1, 2, 2]})
w = random(5, 7)
case('move', 'at', lambda t: t[2], [w], {'items': [2]})
case('move', 'at', lambda t: t[-1, 3], [w], {'items': [-1, 3]})
case('move', 'at', lambda t: t[1:-1, ::3], [w], {'items': [[1, -1], [None, None, 3]]})
case('move', 'at', lambda t: t.flip([0])[::2], [w], {'items': [[None, None, -2]]})
case('move', 'at', lambda t: t[1:4].flip([0]), [w], {'items': [[3, 0, -1]]})
case('move', 'at', lambda t: t[..., 2], [v], {'items': ['...', 2]})
case('move', 'at', lambda t: t[None, :, 1], [w], {'items': [None, [], 1]})
case('move', 'split', lambda t: list(t.split([1, 4, 2], 1)), [w], {'sizes': [1, 4, 2], 'axis': 1})
case('move', 'split', lambda t: list(t.chunk(2, 2)), [v], {'count': 2, 'axis': 2})
case('move', 'concat', lambda *t: torch.cat(t, 1), [random(2, 3), random(2, 1), random(2, 2)], {'axis': 1})
case('move', 'concat', lambda *t: torch.cat(t, 0), [random(1, 3), random(2, 3)], {'axis': 0})
case('move', 'concat', lambda *t: torch.cat(t, -1), [integers(2, 2), integers(2, 1)], {'axis': -1})
case('move', 'stack', lambda *t: torch.stack(t, 1), [random(2, 3), random(2, 3)], {'axis': 1})
case('move', 'stack', lambda *t: torch.stack(t, -1), [random(2, 3), random(2, 3)], {'axis': -1})
which = integers(2, 3, high=5)
case('move', 'gather', lambda t, i: t[i], [w, which], {'axis': 0})
case('move', 'gather', lambda t, i: t[:, i], [w, which], {'axis': 1})
case('move', 'gather', lambda t, i: t.index_select(0, i), [w, torch.tensor([4, 4, 0, 4])], {'axis': 0})
along = integers(5, 2, high=7)
case('move', 'takeAlong', lambda t, i: t.gather(1, i), [w, along], {'axis': 1})
case('move', 'takeAlong', lambda t, i: t.gather(0, i), [w, integers(3, 7, high=5)], {'axis': 0})
case('move', 'scatterAdd', lambda t, i, u: t.index_add(0, i, u), [w, torch.tensor([1, 4, 1]), random(3, 7)], {'axis': 0})
case('move', 'scatterAdd', lambda t, i, u: t.index_add(1, i, u), [w, torch.tensor([6, 0, 0, 6]), random(5, 4)], {'axis': 1})


def replaced(t, u):
    result = t.clone()
    result[1:3, 2:6] = u
    return result


case('move', 'update', replaced, [w, random(2, 4)], {'starts': [1, 2]})
case('move', 'oneHot', lambda i: F.one_hot(i, 5), [which], {'classes': 5})
FILES['move'][-1]['output']['dtype'] = 'float32'
case('move', 'eye', lambda: torch.eye(4, dtype=torch.float64), [], {'n': 4})
case('move', 'linspace', lambda: torch.linspace(-1, 2, 7, dtype=torch.float64), [], {'start': -1, 'stop': 2, 'count': 7})

# --- products, convolutions, pooling ------------------------------------------------------------------------------
for left, right in [
    ((3, 4), (4, 5)), ((4,), (4,)), ((4,), (4, 3)), ((3, 4), (4,)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 2)),
    ((2, 1, 3, 4), (3, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((1, 1), (1, 1)), ((1, 7), (7, 1)), ((7, 1), (1, 7)),
]:
    case('contract', 'matmul', torch.matmul, [random(*left), random(*right)], second=len(left) == 2)
case('contract', 'dot', torch.dot, [random(5), random(5)])
for equation, shapes in [
    ('ij,jk->ik', [(3, 4), (4, 2)]), ('ij->ji', [(2, 3)]), ('ii->i', [(3, 3)]), ('ii->', [(3, 3)]), ('ij->', [(2, 3)]),
    ('bij,bjk->bik', [(2, 3, 4), (2, 4, 2)]), ('i,j->ij', [(3,), (4,)]), ('bhqd,bhkd->bhqk', [(1, 2, 3, 4), (1, 2, 2, 4)]),
    ('ij,jk,kl->il', [(2, 3), (3, 4), (4, 2)]), ('...ij,...jk->...ik', [(2, 2, 3), (2, 3, 1)]), ('ij,ij->i', [(2, 3), (2, 3)]),
    ('ij,j', [(2, 3), (3,)]),
]:
    case('contract', 'einsum', lambda *t: torch.einsum(equation, *t), [random(*s) for s in shapes], {'equation': equation})

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def convolution(rank, x, w, second=False, **options):
    case('contract', f'conv{rank}d', lambda t, k: CONV[rank](t, k, **options), [random(*x), random(*w)], options, second)


convolution(1, (2, 3, 9), (4, 3, 3))
convolution(1, (2, 4, 11), (6, 2, 3), True, stride=[2], padding=[2], dilation=[2], groups=2)
convolution(1, (1, 2, 8), (3, 2, 4), stride=[3])
convolution(2, (2, 3, 5, 6), (4, 3, 3, 3), True)
convolution(2, (1, 2, 7, 6), (3, 2, 3, 2), True, stride=[2, 1], padding=[1, 0])
convolution(2, (2, 4, 6, 6), (4, 1, 3, 3), padding=[1, 1], groups=4)
convolution(2, (1, 4, 8, 7), (2, 2, 2, 3), stride=[3, 2], padding=[2, 1], dilation=[1, 2], groups=2)
convolution(2, (1, 2, 4, 4), (3, 2, 1, 1))
convolution(2, (1, 1, 6, 6), (1, 1, 2, 2), stride=[4, 4])
convolution(2, (1, 2, 5, 6), (2, 2, 3, 3), padding='same')
convolution(2, (1, 1, 5, 6), (2, 1, 4, 2), padding='same')
convolution(2, (1, 1, 5, 6), (2, 1, 2, 3), padding='valid')
convolution(3, (1, 2, 4, 4, 3), (2, 2, 2, 3, 2))
convolution(3, (1, 2, 5, 4, 4), (2, 1, 2, 2, 2), stride=[2, 1, 2], padding=[1, 0, 1], groups=2)


def transposed(rank, x, w, second=False, **options):
    names = {'outputPadding': 'output_padding'}
    torch_options = {names.get(k, k): v for k, v in options.items()}
    case('contract', f'convTranspose{rank}d', lambda t, k: TRANSPOSED[rank](t, k, **torch_options), [random(*x), random(*w)], options, second)


transposed(1, (2, 3, 5), (3, 2, 3))
transposed(1, (1, 2, 5), (2, 2, 3), stride=[2], padding=[1], outputPadding=[1])
transposed(2, (1, 3, 4, 3), (3, 2, 3, 3), True, stride=[2, 2], padding=[1, 1], outputPadding=[1, 1])
transposed(2, (1, 4, 3, 3), (4, 1, 2, 3), stride=[2, 1], dilation=[2, 1], groups=2)
transposed(3, (1, 2, 2, 3, 2), (2, 1, 2, 2, 2), stride=[2, 1, 2])

POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def maximum_pool(shape, size, stride=None, padding=None, dilation=None):
    rank = len(size)
    attributes = {k: v for k, v in [('size', size), ('stride', stride), ('padding', padding), ('dilation', dilation)] if v is not None}
    case('contract', 'maxPool', lambda t: POOL[rank](t, size, stride or size, padding or 0, dilation or 1), [distinct(*shape)], attributes)


def average_pool(shape, size, stride=None, padding=None, include=True):
    rank = len(size)
    attributes = {k: v for k, v in [('size', size), ('stride', stride), ('padding', padding)] if v is not None}
    attributes['countIncludesPadding'] = include
    case('contract', 'averagePool', lambda t: AVERAGE[rank](t, size, stride or size, padding or 0, False, include), [random(*shape)], attributes)


maximum_pool((2, 2, 8), [2])
maximum_pool((1, 2, 9), [3], [2], [1])
maximum_pool((2, 2, 6, 4), [2, 2])
maximum_pool((1, 2, 7, 6), [3, 2], [2, 1], [1, 1])
maximum_pool((1, 1, 7, 7), [2, 3], [1, 1], [0, 1], [2, 2])
maximum_pool((1, 1, 4, 4, 4), [2, 2, 2])
tied = torch.tensor([[[[1., 1, 0, 2], [1, 1, 2, 0], [0, 0, 3, 3], [0, 0, 3, 3]]]], dtype=torch.float64)
case('contract', 'maxPool', lambda t: F.max_pool2d(t, 2), [tied], {'size': [2, 2]})
case('contract', 'maxPool', lambda t: F.max_pool2d(t, 3, 1, 1), [tied], {'size': [3, 3], 'stride': [1, 1], 'padding': [1, 1]})
average_pool((2, 2, 8), [2])
average_pool((1, 2, 9), [3], [2], [1])
average_pool((2, 2, 6, 4), [2, 2])
average_pool((1, 2, 7, 6), [3, 2], [2, 1], [1, 1])
average_pool((1, 2, 7, 6), [3, 2], [2, 1], [1, 1], False)
average_pool((1, 1, 4, 4, 4), [2, 2, 2])

# --- unusual numbers, in float32 --------------------------------------------------------------------------------------
odd = torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-38, -1e-30, 3e38, -3e38, 88.0, 89.0, -104.0, 0.5, -0.5, 1.5, 2.5, -2.5, 16777217.0])
for name, function, _ in unary:
    if name == 'sign':  # NaN stays, as in NumPy; PyTorch says 0
        function = lambda x: torch.where(x.isnan(), x, torch.sign(x))
    case('special', name, function, [odd], differentiable=False)
first, second = torch.meshgrid(torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, -2.0]), torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, 3.0, -0.75]), indexing='ij')
first, second = first.reshape(-1), second.reshape(-1)
for name, function in [
    ('add', torch.add), ('sub', torch.sub), ('mul', torch.mul), ('div', torch.div), ('pow', torch.pow), ('maximum', torch.maximum),
    ('minimum', torch.minimum), ('less', torch.lt), ('lessEqual', torch.le), ('equal', torch.eq), ('notEqual', torch.ne), ('mod', torch.fmod),
]:
    case('special', name, function, [first, second], differentiable=False)
rows = torch.tensor([[1.0, math.nan, 2], [math.inf, 1, -math.inf], [-math.inf, -math.inf, -math.inf], [3e38, 3e38, 1], [-0.0, 0.0, -0.0]])
for name, function in [
    ('sum', lambda t: t.sum(1)), ('max', lambda t: t.amax(1)), ('min', lambda t: t.amin(1)), ('prod', lambda t: t.prod(1)),
    ('logSumExp', lambda t: t.logsumexp(1)),
]:
    case('special', name, function, [rows], {'axes': [1], 'keepAxes': False}, differentiable=False)
for name, function in [('softmax', lambda t: t.softmax(-1)), ('logSoftmax', lambda t: t.log_softmax(-1))]:
    case('special', name, function, [rows[[0, 2, 3, 4]]], {'axis': -1}, differentiable=False)  # without +Infinity

for name, cases in FILES.items():
    write(f'packages/conformance/fixtures/{name}.json', cases)
