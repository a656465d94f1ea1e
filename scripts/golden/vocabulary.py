"""Golden values for the functions of tensors in packages/core/src/functions, with first and second gradients.

Run: python3 scripts/golden/vocabulary.py (needs PyTorch). Writes packages/conformance/fixtures/vocabulary-*.json.
A case names its arguments as JavaScript gives them: `attributes.arguments` is a list in which {"input": k} stands for the
k-th tensor. Values are computed in double precision; those of "special" in float32, without gradients.
"""

import math

import torch
import torch.nn.functional as F

from common import distinct, function_case, integers, random, write

FILES = {'scalar': [], 'shape': [], 'picture': [], 'product': [], 'special': []}


def case(file, *given, **options):
    FILES[file].append(function_case(*given, **options))


# --- scalar functions -------------------------------------------------------------------------------------------------
wide = random(4, 6, low=-5, high=5)
unit = random(4, 6, low=-0.98, high=0.98)
positive = random(4, 6, low=0.125, high=12)
unary = [
    ('atan', torch.atan, wide), ('asin', torch.asin, unit), ('acos', torch.acos, unit), ('sinh', torch.sinh, wide),
    ('cosh', torch.cosh, wide), ('asinh', torch.asinh, wide), ('acosh', torch.acosh, 1 + positive),
    ('atanh', torch.atanh, unit), ('log2', torch.log2, positive), ('log10', torch.log10, positive), ('exp2', torch.exp2, wide),
    ('erfc', torch.erfc, wide), ('erfinv', torch.erfinv, unit), ('lgamma', torch.lgamma, positive),
    ('digamma', torch.digamma, positive), ('lgamma', torch.lgamma, wide + 1 / 128),
    ('digamma', torch.digamma, random(12, low=-3.9, high=-0.1) + 1 / 128), ('sinc', torch.sinc, wide + 1 / 128), ('logit', torch.logit, unit / 2 + 0.5),
    ('nanToNum', torch.nan_to_num, wide),
]
for name, function, x in unary:
    # PyTorch has no polygamma of an order above 1 below 0
    case('scalar', name, function, [x], second=not (name == 'digamma' and bool((x < 0).any())),
         absolute=2e-6 if name in ('lgamma', 'digamma') else None)
for name, function, _ in unary:
    case('scalar', name, function, [torch.tensor(0.53125, dtype=torch.float64)], second=True) if name != 'acosh' else None
    case('scalar', name, function, [torch.zeros(0, 3, dtype=torch.float64)], differentiable=False)
for order in [0, 1, 2, 3]:
    case('scalar', 'polygamma', lambda t, n=order: torch.polygamma(n, t), [positive[:2]], lambda x, n=order: [n, x], second=False)
case('scalar', 'logit', lambda t: torch.logit(t, 0.125), [unit / 2 + 0.5], lambda x: [x, 0.125])
binary = [
    ('atan2', torch.atan2, wide + 1 / 128, random(6) + 1 / 128), ('hypot', torch.hypot, wide, random(4, 1) + 1 / 128),
    ('copySign', torch.copysign, wide + 1 / 128, random(6) + 1 / 128), ('logAddExp', torch.logaddexp, wide, random(6)),
    ('logAddExp', torch.logaddexp, wide, wide), ('xlogy', torch.xlogy, wide + 1 / 128, positive),
]
for name, function, a, b in binary:
    case('scalar', name, function, [a, b])
case('scalar', 'lerp', torch.lerp, [wide, random(4, 6), random(4, 6)])
case('scalar', 'bitwiseNot', torch.bitwise_not, [integers(9, low=-5, high=5)])
case('scalar', 'bitwiseNot', torch.bitwise_not, [integers(9, low=0, high=2).bool()])

# --- shapes -----------------------------------------------------------------------------------------------------------
box = random(2, 3, 4)
line = random(7)


def shape(operation, function, inputs, *more):
    case('shape', operation, function, inputs, lambda *places: [*places, *more], second=False)


case('shape', 'maskedFill', lambda x, m: x.masked_fill(m, 1.5), [box, integers(3, 1, low=0, high=2).bool()],
     lambda x, m: [x, m, 1.5], second=False)
shape('roll', lambda x: x.roll(2), [box], 2)
shape('roll', lambda x: x.roll(-9), [box], -9)
shape('roll', lambda x: x.roll((1, -1), (0, 2)), [box], [1, -1], [0, 2])
shape('roll', lambda x: x.roll((1, 1), (2, 2)), [box], [1, 1], [2, 2])
shape('roll', lambda x: x.roll(5), [torch.tensor(2.5, dtype=torch.float64)], 5)
shape('roll', lambda x: x.roll(1, 1), [torch.zeros(2, 0, dtype=torch.float64)], 1, 1)
shape('repeat', lambda x: x.repeat(2, 1, 3), [box], [2, 1, 3])
shape('repeat', lambda x: x.repeat(2, 2), [line], [2, 2])
shape('repeat', lambda x: x.repeat(0, 2), [line], [0, 2])
shape('tile', lambda x: x.tile(2), [box], 2)
shape('tile', lambda x: x.tile(2, 1, 1, 2), [box], [2, 1, 1, 2])
shape('repeatInterleave', lambda x: x.repeat_interleave(3), [box], 3)
shape('repeatInterleave', lambda x: x.repeat_interleave(2, -2), [box], 2, -2)
shape('repeatInterleave', lambda x: x.repeat_interleave(torch.tensor([2, 0, 3]), 1), [box], [2, 0, 3], 1)
shape('chunk', lambda x: x.chunk(3), [line], 3)
shape('chunk', lambda x: x.chunk(4, -1), [random(2, 6)], 4, -1)
shape('chunk', lambda x: x.chunk(9, 2), [box], 9, 2)
shape('diff', lambda x: x.diff(), [box])
shape('diff', lambda x: x.diff(2, 1), [box], {'order': 2, 'axis': 1})
shape('diff', lambda x: x.diff(8), [line], {'order': 8})
shape('diff', torch.diff, [integers(9) > 4])
case('shape', 'diff', lambda x, p, a: x.diff(1, 2, p, a), [box, random(2, 3, 1), random(2, 3, 2)],
     lambda x, p, a: [x, {'axis': 2, 'prepend': p, 'append': a}], second=False)
for turns in [-1, 0, 1, 2, 7]:
    shape('rot90', lambda x: x.rot90(turns), [box], turns)
    shape('rot90', lambda x: x.rot90(turns, (2, 1)), [box], turns, [2, 1])
picture = random(2, 3, 5, 4)
for mode, name in [('reflect', 'reflectionPad'), ('replicate', 'replicationPad'), ('circular', 'circularPad')]:
    shape(name, lambda x: F.pad(x, (1, 3), mode), [random(2, 3, 4)], [[1, 3]])
    shape(name, lambda x: F.pad(x, (0, 2, 1, 0), mode), [picture], [[1, 0], [0, 2]])
    shape(name, lambda x: F.pad(x, (1, 1, 0, 2, 1, 0), mode), [random(1, 2, 3, 4, 2)], [[1, 0], [0, 2], [1, 1]])
shape('replicationPad', lambda x: F.pad(x, (7, 5), 'replicate'), [random(1, 2, 3)], [[7, 5]])
shape('reflectionPad', lambda x: F.pad(x, (-1, 2), 'reflect'), [random(1, 2, 5)], [[-1, 2]])
shape('replicationPad', lambda x: F.pad(x, (2, -2), 'replicate'), [random(1, 2, 5)], [[2, -2]])
for size, stride, padding, dilation in [((2, 3), 1, 0, 1), ((2, 2), (2, 1), (1, 0), (1, 2)), ((1, 3), (1, 2), (0, 2), 1)]:
    options = {'size': size, 'stride': stride, 'padding': padding, 'dilation': dilation}
    unfolded = lambda x: F.unfold(x, size, dilation, padding, stride)
    shape('unfold', unfolded, [picture], options)
    shape('fold', lambda x: F.fold(x, (5, 4), size, dilation, padding, stride), [random(*unfolded(picture).shape)],
          {**options, 'outputSize': [5, 4]})
shape('unfold', lambda x: F.unfold(x, (2, 2)), [picture[0]], {'size': [2, 2]})
shape('fold', lambda x: F.fold(x, (3, 3), (2, 2)), [random(8, 4)], {'size': [2, 2], 'outputSize': [3, 3]})
shape('pixelShuffle', lambda x: F.pixel_shuffle(x, 2), [random(2, 8, 3, 2)], 2)
shape('pixelShuffle', lambda x: F.pixel_shuffle(x, 3), [random(9, 1, 2)], 3)
shape('pixelUnshuffle', lambda x: F.pixel_unshuffle(x, 2), [random(2, 2, 4, 6)], 2)
shape('channelShuffle', lambda x: x.view(2, 3, 2, 2, 2).transpose(1, 2).reshape(x.shape), [random(2, 6, 2, 2)], 3)

# --- pictures ---------------------------------------------------------------------------------------------------------
def resized(shape, mode, size=None, scale=None, align=None, antialias=False):
    options = {'mode': mode}
    if size is not None:
        options['size'] = size
    if scale is not None:
        options['scaleFactor'] = scale
    if align is not None:
        options['alignCorners'] = align
    if antialias:
        options['antialias'] = True
    case('picture', 'interpolate', lambda x: F.interpolate(x, size, scale, mode, align, antialias=antialias),
         [random(*shape)], lambda x: [x, options], second=False, absolute=1e-7)  # weights are rounded to float32


flat, cube = (2, 2, 5, 4), (1, 2, 3, 4, 2)
for mode in ['nearest', 'nearest-exact', 'area']:
    resized((2, 2, 7), mode, 11)
    resized((2, 2, 7), mode, 3)
    resized(flat, mode, (7, 3))
    resized(cube, mode, (2, 6, 3))
for mode in ['nearest', 'nearest-exact']:
    resized((1, 1, 9), mode, None, 1 / 3)
    resized(flat, mode, None, (1.7, 0.6))
for mode, shape_, sizes in [('linear', (2, 2, 7), [11, 3, 1]), ('bilinear', flat, [(7, 3), (1, 9)]), ('bicubic', flat, [(7, 3), (2, 9)]),
                            ('trilinear', cube, [(2, 6, 3)])]:
    for size in sizes:
        for align in [False, True]:
            resized(shape_, mode, size, None, align)
    resized(shape_, mode, None, 1.6, False)
    resized(shape_, mode, None, 1.6, True)
for mode in ['bilinear', 'bicubic']:
    for size in [(2, 3), (9, 3)]:
        resized((1, 2, 7, 8), mode, size, None, False, True)
resized((1, 1, 1, 1), 'bicubic', (3, 3), None, False)

for shape_, size in [((2, 3, 7), (3,)), ((2, 3, 4), (7,)), ((2, 2, 5, 7), (2, 3)), ((2, 5, 7), (4, None)), ((1, 2, 3, 4, 5), (2, 2, 3))]:
    pool = {1: (F.adaptive_avg_pool1d, F.adaptive_max_pool1d), 2: (F.adaptive_avg_pool2d, F.adaptive_max_pool2d),
            3: (F.adaptive_avg_pool3d, F.adaptive_max_pool3d)}[len(size)]
    case('picture', 'adaptiveAveragePool', lambda x: pool[0](x, size), [random(*shape_)], lambda x: [x, size], second=False)
    case('picture', 'adaptiveMaxPool', lambda x: pool[1](x, size, True), [distinct(*shape_)], lambda x: [x, size], second=False)
case('picture', 'adaptiveMaxPool', lambda x: F.adaptive_max_pool1d(x, 3, True),
     [torch.tensor([[[1., 1, 0, 2, 2, -math.inf, -math.inf]]], dtype=torch.float64)], lambda x: [x, [3]], second=False)
pools = {1: (F.max_pool1d, F.avg_pool1d, F.max_unpool1d), 2: (F.max_pool2d, F.avg_pool2d, F.max_unpool2d), 3: (F.max_pool3d, F.avg_pool3d, F.max_unpool3d)}
for shape_, size, stride, padding, dilation, ceil in [
    ((2, 2, 9), [3], [2], [1], [1], False), ((2, 2, 10), [3], [2], [0], [1], True), ((1, 2, 7, 6), [3, 2], [2, 3], [1, 1], [1, 1], True),
    ((1, 2, 7, 6), [2, 3], [1, 2], [0, 1], [2, 1], True), ((1, 1, 5, 4, 6), [2, 2, 3], [2, 2, 2], [1, 0, 1], [1, 1, 1], True),
    ((1, 1, 4), [2], [4], [1], [1], True),
]:
    maximum_, average, unpool = pools[len(size)]
    options = {'size': size, 'stride': stride, 'padding': padding, 'dilation': dilation, 'ceilMode': ceil}
    x = distinct(*shape_)
    case('picture', 'maxPoolWithIndices', lambda t: maximum_(t, size, stride, padding, dilation, ceil, True), [x], lambda t: [t, options], second=False)
    case('picture', 'maxPool', lambda t: maximum_(t, size, stride, padding, dilation, ceil), [x], lambda t: [t, options], second=False)
    found, places = maximum_(x, size, stride, padding, dilation, ceil, True)
    rank = len(size)
    if max(dilation) == 1:
        case('picture', 'averagePool', lambda t: average(t, size, stride, padding, ceil, True), [x], lambda t: [t, options], second=False)
        case('picture', 'averagePool', lambda t: average(t, size, stride, padding, ceil, False), [x], lambda t: [t, {**options, 'countIncludesPadding': False}], second=False)
        if rank > 1:
            case('picture', 'averagePool', lambda t: average(t, size, stride, padding, ceil, True, 3), [x], lambda t: [t, {**options, 'divisorOverride': 3}], second=False)
        def unpooled(t, i):
            flat_output = torch.zeros(*shape_[:2], math.prod(shape_[2:]), dtype=t.dtype)
            return flat_output.scatter(2, i.flatten(2), t.flatten(2)).reshape(shape_) if ceil or padding[0] else unpool(t, i, size, stride, padding, shape_)
        case('picture', 'maxUnpool', unpooled, [found, places], lambda t, i: [t, i, shape_[2:]], second=False)
case('picture', 'maxUnpool', lambda t, i: F.max_unpool2d(t, i, 2), list(F.max_pool2d(distinct(2, 2, 4, 6), 2, return_indices=True)),
     lambda t, i: [t, i, [4, 6]], second=False)

for padding in ['zeros', 'border', 'reflection']:
    for align in [False, True]:
        options = {'paddingMode': padding, 'alignCorners': align}
        for mode in ['bilinear', 'nearest', 'bicubic']:
            places = random(2, 3, 4, 2, low=-1.6, high=1.6) + 1 / 1024  # away from the kinks, where PyTorch's slope is one side's
            case('picture', 'gridSample', lambda x, g: F.grid_sample(x, g, mode, padding, align), [random(2, 2, 5, 4), places],
                 lambda x, g: [x, g, {'mode': mode, **options}], second=False, absolute=1e-6)
        for mode in ['bilinear', 'nearest']:
            case('picture', 'gridSample', lambda x, g: F.grid_sample(x, g, mode, padding, align),
                 [random(1, 2, 3, 2, 4), random(1, 2, 2, 3, 3, low=-1.6, high=1.6) + 1 / 1024],
                 lambda x, g: [x, g, {'mode': mode, **options}], second=False, absolute=1e-6)
    case('picture', 'gridSample', lambda x, g: F.grid_sample(x, g, 'bilinear', padding, False), [random(1, 1, 1, 3), random(1, 2, 2, 2) + 1 / 1024],
         lambda x, g: [x, g, {'paddingMode': padding}], second=False, absolute=1e-6)
for align in [False, True]:
    case('picture', 'affineGrid', lambda t: F.affine_grid(t, (2, 1, 3, 4), align), [random(2, 2, 3)], lambda t: [t, [2, 1, 3, 4], {'alignCorners': align}], second=False, absolute=1e-6)
    case('picture', 'affineGrid', lambda t: F.affine_grid(t, (1, 1, 2, 1, 3), align), [random(1, 3, 4)], lambda t: [t, [1, 1, 2, 1, 3], {'alignCorners': align}], second=False, absolute=1e-6)

# --- norms, distances, products, diagonals --------------------------------------------------------------------------------
def product(operation, function, inputs, *more, second=False):
    case('product', operation, function, inputs, lambda *places: [*places, *more], second=second, absolute=1e-7)


INFINITY = 'Infinity'
full = distinct(2, 3, 4)
for order in [2, 1, 3, 0.5, 0, -1, -2, math.inf, -math.inf]:
    given = order if math.isfinite(order) else ('Infinity' if order > 0 else '-Infinity')
    product('vectorNorm', lambda x: torch.linalg.vector_norm(x, order, (0, 2)), [full], given, [0, 2])
    product('vectorNorm', lambda x: torch.linalg.vector_norm(x, order, 1, True), [full], given, 1, {'keepAxes': True})
    if order in ['fro', 1, -1, math.inf, -math.inf]:
        product('matrixNorm', lambda x: torch.linalg.matrix_norm(x, order), [full], given)
        product('matrixNorm', lambda x: torch.linalg.matrix_norm(x, order, (2, 0), True), [full], given, [2, 0], {'keepAxes': True})
product('matrixNorm', torch.linalg.matrix_norm, [full])
product('vectorNorm', torch.linalg.vector_norm, [full], second=True)
product('vectorNorm', lambda x: torch.linalg.vector_norm(x, -2), [torch.tensor([1.5, 0, 2], dtype=torch.float64).detach()], -2)
product('normalize', lambda x: F.normalize(x), [full], second=True)
product('normalize', lambda x: F.normalize(x, 1, 0), [full], {'order': 1, 'axis': 0})
product('normalize', lambda x: F.normalize(x, 2, -1, 100), [full], {'axis': -1, 'eps': 100})
product('cosineSimilarity', F.cosine_similarity, [full, distinct(2, 3, 4)], second=True)
product('cosineSimilarity', lambda a, b: F.cosine_similarity(a, b, -1, 1e-3), [full, distinct(4) + 1 / 128], {'axis': -1, 'eps': 1e-3})
for order in [2, 1, 3, 0, math.inf]:
    given = order if math.isfinite(order) else 'Infinity'
    a, b = random(2, 3, 4) + 1 / 128, random(5, 4)
    product('cdist', lambda a, b: torch.cdist(a, b.expand(2, 5, 4), order), [a, b], given)
    product('pdist', lambda x: torch.pdist(x, order), [random(5, 3)], given)
product('cdist', lambda a, b: torch.linalg.vector_norm(a[:, None] - b[None], dim=2), [random(3, 4) + 1 / 128, random(2, 4)], second=True)
product('cdist', torch.cdist, [torch.eye(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)])
product('pdist', torch.pdist, [random(1, 3)])
product('outer', torch.outer, [random(3), random(4)], second=True)
product('cross', lambda a, b: torch.cross(a, b, -1), [random(2, 3), random(2, 3)], second=True)
product('cross', lambda a, b: torch.linalg.cross(a, b, dim=0), [random(3, 2, 1), random(3, 1, 4)], 0)
product('kron', torch.kron, [random(2, 3), random(3, 1)], second=True)
product('kron', torch.kron, [random(2), random(2, 1, 2)])
for offset in [0, 1, -1, 3, -9]:
    if offset != -9:
        product('diagonal', lambda x: x.diagonal(offset), [full], {'offset': offset})
        product('diagonal', lambda x: x.diagonal(offset, 2, 0), [full], {'offset': offset, 'axes': [2, 0]})
    product('diagEmbed', lambda x: torch.diag_embed(x, offset), [random(2, 3)], {'offset': offset})
    product('diagEmbed', lambda x: torch.diag_embed(x, offset, 2, 0), [random(2, 3)], {'offset': offset, 'axes': [2, 0]})
product('trace', torch.trace, [random(3, 4)])
product('trace', lambda x: x.diagonal(1, 1, 2).sum(-1), [full], {'offset': 1, 'axes': [1, 2]})
case('product', 'blockDiagonal', torch.block_diag, [random(2, 3), random(2), torch.tensor(1.5, dtype=torch.float64)], lambda *places: [[*places]], second=False)
for indexing in ['ij', 'xy']:
    case('product', 'meshgrid', lambda *v: torch.meshgrid(*v, indexing=indexing), [random(2), random(3), random(2)],
         lambda *places: [[*places], indexing], second=False)

numbers = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -2.5, 1e-38, -1e-30, 3e38, -3e38, 88.5, -88.5,
           89.2, 1000.0, 0.001, 1e10, 1e-7, 16777217.0, 0.9999999, 1.0000001, 2.0000002]
odd = torch.tensor(numbers)
for name, function, _ in unary:
    x = odd if name not in ('sinc', 'lgamma', 'digamma', 'logit') else odd[[0, 3, 5, 7, 9, 11, 22, 23]]
    if name == 'lgamma':
        x = odd[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 19, 20, 21, 22, 23, 25]]
    if name == 'sinc':  # PyTorch's is not 0 at whole numbers
        x = odd[[0, 3, 7, 12, 23]]
    exact = function(x.double()).float()
    case('special', name, lambda t, right=exact: right, [x], differentiable=False,
         absolute=2e-6 if name in ('lgamma', 'digamma') else None)
for name, function in [('isNaN', torch.isnan), ('isFinite', torch.isfinite), ('isInfinite', torch.isinf)]:
    case('special', name, function, [odd], differentiable=False)
case('special', 'nanToNum', lambda t: torch.nan_to_num(t, 1.5, 7, -9), [odd],
     lambda x: [x, {'nan': 1.5, 'positiveInfinity': 7, 'negativeInfinity': -9}], differentiable=False)
first, second = torch.meshgrid(odd[[0, 1, 2, 3, 4, 5, 10]], odd[[0, 1, 2, 3, 4, 11, 8]], indexing='ij')
for name, function, _, _ in binary:
    case('special', name, function, [first.reshape(-1), second.reshape(-1)], differentiable=False)

for name, cases in FILES.items():
    write(f'packages/conformance/fixtures/vocabulary-{name}.json', cases)
