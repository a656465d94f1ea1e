"""Golden values for indexing, order and statistics in packages/core/src/functions, with first and second gradients.

Run: python3 scripts/golden/order.py (needs PyTorch). Writes packages/conformance/fixtures/order-{index,order,count}.json, in
the form of vocabulary.py. An operation that is no function of core is a method of the first input. {"input": k} is the k-th
tensor, also where it stands inside of a list.
"""

import math

import torch

from common import differentiate, distinct, integers, pack, random, write

FILES = {'index': [], 'order': [], 'count': []}
NAN, INF = math.nan, math.inf


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def case(file, operation, function, inputs, arguments=None, second=False, differentiable=True, absolute=None):
    inputs = [t.clone() for t in inputs]
    for t in inputs:
        if differentiable and t.dtype == torch.float64:
            t.requires_grad_(True)
    output = function(*inputs)
    places = [{'input': k} for k in range(len(inputs))]
    entry = {'operation': operation, 'attributes': {'arguments': places if arguments is None else arguments(*places)},
             'inputs': [pack(t) for t in inputs]}
    if absolute is not None:
        entry['attributes']['absolute'] = absolute
    many = isinstance(output, (list, tuple))
    entry['output'] = [pack(t) for t in output] if many else pack(output)
    entry['gradients'] = [None] * len(inputs)
    floats = [t for t in (output if many else [output]) if t.dtype == torch.float64 and t.requires_grad]
    if floats:
        flat = torch.cat([t.reshape(-1) for t in floats])
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
    FILES[file].append(entry)


def many(file, operation, function, inputs, *more, **options):
    case(file, operation, function, inputs, lambda *places: [*places, *more], **options)


box = random(3, 4, 5)
line = random(6)


def index(*values, shape=None):
    t = torch.tensor(values, dtype=torch.int64)
    return t if shape is None else t.reshape(shape)


# --- indexing by tensors: an item "..." or [start, stop, step] stands as it is ---------------------------------------
def at(tensor, items, *inputs, second=False):
    """`items` take tensors as {"input": k}; the same in PyTorch's words come from `given`."""
    def given(list_, tensors):
        result = []
        for item in list_:
            if isinstance(item, dict):
                result.append(tensors[item['input'] - 1])
            elif item == '...':
                result.append(Ellipsis)
            elif isinstance(item, list):
                result.append(slice(*item))
            else:
                result.append(item)
        return tuple(result)
    case('index', 'at', lambda x, *rest: x[given(items, rest)], [tensor, *inputs], lambda *_: items, second=second)


i, j = {'input': 1}, {'input': 2}
at(box, [i], index(2, 0, 2))
at(box, [i], index(2, 0, 1, 1, shape=(2, 2)), second=True)
at(box, [i], index(1, shape=()))
at(box, [i], torch.zeros(0, dtype=torch.int64))
at(box, [[None], i], index(3, 0))
at(box, ['...', i], index(-1, 0, -5))
at(box, [i, j], index(2, 0, 2), index(1, 3, 1))
at(box, [i, j], index(2, 0, shape=(2, 1)), index(1, 3, 0))
at(box, [[None], i, j], index(2, 0, 2), index(1, 4, 1))
at(box, [i, [None], j], index(2, 0, 2), index(1, 4, 1))
at(box, [i, '...', j], index(2, 0), index(1, 4))
at(box, [i, 1, j], index(2, 0), index(1, 4))
at(box, [0, [None], i], index(2, 0))
at(box, [i, [1, 3], j], index(2, 0, shape=(1, 2)), index(1, 4))
at(box, [[None, None, 2], i, [1, None]], index(3, 3, 0))
at(box, [None, i, None, j], index(2, 0), index(1, 3))
at(box, [i], torch.tensor([True, False, True]))
at(box, [i], integers(3, 4, low=0, high=2).bool())
at(box, [1, i], integers(4, 5, low=0, high=2).bool())
at(box, ['...', i], torch.tensor([True, False, True, True, False]))
at(box, [i, j], torch.tensor([True, False, True]), index(0, 3))
at(box, [i], torch.zeros(3, dtype=torch.bool))
at(box > 0, [i], index(2, 0))
at(integers(4, 3), [i, j], index(3, -4), index(2, 0))
at(random(0, 3), [[None], i], index(2, 0))


# --- assignment ------------------------------------------------------------------------------------------------------
def put(tensor, places, items, values, accumulate=False, second=False):
    def function(x, v, *_):
        return torch.ops.aten.index_put(x, list(places), v, accumulate)
    options = {'accumulate': True} if accumulate else {}
    case('index', 'indexPut', function, [tensor, values, *[p for p in places if p is not None]],
         lambda x, v, *rest: [x, items(rest), v, options], second=second)


for accumulate in [False, True]:
    put(box, (index(2, 0),), lambda p: [p[0]], random(2, 4, 5), accumulate)
    put(box, (index(2, 0),), lambda p: [p[0]], random(5), accumulate, second=True)
    put(box, (index(2, 0), index(1, 3)), lambda p: [p[0], p[1]], random(2, 5), accumulate)
    put(box, (None, index(2, 0, shape=(2, 1)), index(1, 3)), lambda p: [[None], p[0], p[1]], random(3, 2, 2), accumulate)
    put(box, (integers(3, 4, low=0, high=2).bool(),), lambda p: [p[0]], random(5), accumulate)
    put(box, (integers(3, 4, 5, low=0, high=2).bool(),), lambda p: [p[0]], random(1), accumulate)
mask = torch.tensor([True, False, True])
put(box, (mask,), lambda p: [p[0]], random(2, 4, 5))
put(box, (mask,), lambda p: [p[0]], random(2, 1, 5), True)
put(line, (index(1, 1, 4),), lambda p: [p[0]], random(3), True)


def assign(function, items, values):
    def changed(x, v):
        y = x.clone()
        function(y, v)
        return y
    case('index', 'indexPut', changed, [box, values], lambda x, v: [x, items, v])


def set_range(y, v):
    y[1:, 2] = v


def set_steps(y, v):
    y[..., ::2] = v


def set_back(y, v):
    y[:, [3, 1]] = v


assign(set_range, [[1, None], 2], random(2, 5))
assign(set_steps, ['...', [None, None, 2]], random(4, 1))
assign(set_back, [[None], [3, None, -2]], random(3, 2, 5))

# --- scatter ---------------------------------------------------------------------------------------------------------
unique_rows = index(2, 0, 1, 0, 2, 1, shape=(2, 3))
unique_columns = index(2, 0, 1, 0, 2, 0, shape=(2, 3))
many('index', 'scatter', lambda x, t, v: x.scatter(1, t, v), [random(2, 4), index(3, 0, 1, 2, shape=(2, 2)), random(2, 2)], 1, second=True)
many('index', 'scatter', lambda x, t, v: x.scatter(0, t, v[:2, :3]), [random(3, 3), unique_columns, random(3, 4)], 0)
many('index', 'scatter', lambda x, t, v: x.scatter(-1, t, v[:, :3]), [random(2, 3), unique_rows, random(2, 5)], -1)
case('index', 'scatter', lambda x, t: x.scatter(0, t, 1.5), [random(3, 3), unique_columns], lambda x, t: [x, t, 1.5, 0])
case('index', 'scatter', lambda x, t: x.scatter(0, t, 7), [integers(3, 3), unique_columns], lambda x, t: [x, t, 7, 0])
many('index', 'scatter', lambda x, t, v: x.scatter(0, t, v[:0]), [line, torch.zeros(0, dtype=torch.int64), random(3)], 0)
NAMES = {'sum': 'sum', 'product': 'prod', 'mean': 'mean', 'max': 'amax', 'min': 'amin'}
meeting = index(0, 2, 2, 0, 2, 2, 1, 0, shape=(4, 2))
for name, theirs in NAMES.items():
    for include in [True, False]:
        options = {'includeSelf': include}
        many('index', 'scatterReduce', lambda x, t, v: x.scatter_reduce(0, t, v, theirs, include_self=include),
             [distinct(3, 2), meeting, distinct(4, 2)], name, 0, options, second=True)
        many('index', 'scatterReduce', lambda x, t, v: x.scatter_reduce(1, t, v[:, :2], theirs, include_self=include),
             [distinct(4, 5), meeting, distinct(4, 3)], name, 1, options)
        many('index', 'scatterReduce', lambda x, t, v: x.scatter_reduce(0, t, v, theirs, include_self=include),
             # PyTorch counts what stands there among equal extremes also where it takes no part
             [double([1, 2, 3]) if include else double([5, 6, 7]), index(1, 1, 0, 1), double([2, 2, 1, 2])], name, 0, options)
        many('index', 'scatterReduce', lambda x, t, v: x.scatter_reduce(0, t, v, theirs, include_self=include),
             [integers(4, low=1, high=9), index(1, 1, 3), integers(3, low=1, high=9)], name, 0, options)
        many('index', 'scatterReduce', lambda x, t, v: x.scatter_reduce(0, t, v, theirs, include_self=include),
             [double([1, NAN, INF, -INF]), index(0, 1, 2, 2, 3), double([NAN, 1, 2, INF, 3])], name, 0, options, differentiable=False)
        many('index', 'indexReduce', lambda x, t, v: x.index_reduce(1, t, v, theirs if name != 'sum' else 'mean', include_self=include),
             [distinct(2, 3, 2), index(2, 0, 2), distinct(2, 3, 2)], name if name != 'sum' else 'mean', 1, options)
many('index', 'indexCopy', lambda x, t, v: x.index_copy(0, t, v), [random(4, 3), index(2, 0), random(2, 3)], 0, second=True)
many('index', 'indexCopy', lambda x, t, v: x.index_copy(-1, t, v), [random(2, 4, 3), index(2, 0), random(2, 4, 2)], -1)
many('index', 'indexAdd', lambda x, t, v: x.index_add(0, t, v), [random(4, 3), index(2, 2, 0), random(3, 3)], 0, second=True)
many('index', 'indexAdd', lambda x, t, v: x.index_add(1, t, v, alpha=-2.5), [random(2, 3, 2), index(2, 2), random(2, 2, 2)], 1, {'alpha': -2.5})
many('index', 'maskedScatter', lambda x, m, s: x.masked_scatter(m, s), [box, box > 0, random(60)], second=True)
many('index', 'maskedScatter', lambda x, m, s: x.masked_scatter(m, s), [box, integers(4, 1, low=0, high=2).bool(), random(10, 6)])
many('index', 'maskedScatter', lambda x, m, s: x.masked_scatter(m, s), [line, torch.zeros(6, dtype=torch.bool), random(2)])
case('index', 'maskedSelect', lambda x, m: x.masked_select(m), [box, box > 0.25], second=True)
case('index', 'maskedSelect', lambda x, m: x.masked_select(m), [box, torch.tensor([True, False, False, True, True])])
case('index', 'maskedSelect', lambda x, m: x.masked_select(m), [box, torch.tensor(False)])
for name in ['sum', 'product', 'mean', 'max', 'min']:
    theirs = {'product': 'prod'}.get(name, name)
    lengths = [2, 0, 3, 1]
    for shape in [(6,), (6, 2)]:
        x = distinct(*shape)
        case('index', 'segmentReduce', lambda x: torch.segment_reduce(x, theirs, lengths=torch.tensor(lengths)), [x],
             lambda x: [x, name, {'lengths': lengths}])
        ids = [0, 0, 2, 2, 2, 3]
        case('index', 'segmentReduce', lambda x: torch.segment_reduce(x, theirs, lengths=torch.tensor(lengths)), [x],
             lambda x: [x, name, {'ids': ids, 'count': 4}])
    if name in ('sum', 'max', 'min', 'product'):
        case('index', 'segmentReduce', lambda x: torch.segment_reduce(x, theirs, lengths=torch.tensor(lengths), initial=1.5),
             [distinct(6)], lambda x: [x, name, {'lengths': lengths, 'initial': 1.5}], differentiable=False)

# --- running ---------------------------------------------------------------------------------------------------------
zeros = double([[2, 0, 3, 0, 1.5], [0, 1, 2, -1, 4], [1, 2, 3, 4, 0]])
for axis in [0, 1, -1]:
    many('order', 'cumprod', lambda x: x.cumprod(axis), [box], axis, second=True)
    many('order', 'logCumSumExp', lambda x: x.logcumsumexp(axis), [box], axis, second=True)
    many('order', 'cummax', lambda x: list(x.cummax(axis)), [distinct(3, 4, 5)], axis, second=True)
    many('order', 'cummin', lambda x: list(x.cummin(axis)), [distinct(3, 4, 5)], axis, second=True)
many('order', 'cumprod', lambda x: x.cumprod(1), [zeros], 1, second=True)
many('order', 'cumprod', lambda x: x.cumprod(0), [integers(9, low=-3, high=4)], 0)
tied = double([1, 3, 3, 2, 3, -1, 4, 4])
for name, function in [('cumprod', lambda x: x.cumprod(0)), ('logCumSumExp', lambda x: x.logcumsumexp(0)),
                       ('cummax', lambda x: list(x.cummax(0))), ('cummin', lambda x: list(x.cummin(0)))]:
    case('order', name, function, [tied], lambda x: [x, 0])
    case('order', name, function, [double(2.5)], lambda x: [x, 0])
    case('order', name, function, [torch.zeros(0, 2, dtype=torch.float64)], lambda x: [x, 0], differentiable=False)
    case('order', name, function, [random(1, 3)], lambda x: [x, 0])
    odd = double([1, -INF, 2, NAN, 3, INF, NAN]) if name != 'cumprod' else double([1, -INF, 2, NAN, 3])
    case('order', name, function, [odd], lambda x: [x, 0], differentiable=False)
many('order', 'logCumSumExp', lambda x: x.logcumsumexp(0), [double([-INF, -INF, 1, 1000, 1000, -5])], 0, differentiable=False)

# --- order -----------------------------------------------------------------------------------------------------------
for interpolation in ['linear', 'lower', 'higher', 'nearest', 'midpoint']:
    options = {'interpolation': interpolation}
    for name, function in [('quantile', torch.quantile), ('nanQuantile', torch.nanquantile)]:
        many('order', name, lambda x, q: function(x, q, interpolation=interpolation), [distinct(7), double(0.375)], options)
        many('order', name, lambda x, q: function(x, q, 1, True, interpolation=interpolation), [distinct(2, 5, 3), double([0, 0.3125, 0.5, 1])],
             {'axis': 1, 'keepAxes': True, **options})
        case('order', name, lambda x: function(x, double([0.25, 0.625, 1]), -1, interpolation=interpolation), [distinct(3, 5)],
             lambda x: [x, [0.25, 0.625, 1], {'axis': -1, **options}])
        holes = double([[3, NAN, 1, 2], [4, 2, 1, 3], [NAN, NAN, NAN, 2]])
        case('order', name, lambda x: function(x, 0.375, 1, interpolation=interpolation), [holes],
             lambda x: [x, 0.375, {'axis': 1, **options}], differentiable=False)
case('order', 'quantile', lambda x: torch.quantile(x, 0.1), [distinct(11)], lambda x: [x, 0.1], second=True)
case('order', 'quantile', lambda x: torch.quantile(x, 0.3, keepdim=True, interpolation='higher'), [distinct(3, 7)], lambda x: [x, 0.3, {'keepAxes': True, 'interpolation': 'higher'}])
case('order', 'quantile', lambda x: torch.quantile(x, 0.75), [double(2)], lambda x: [x, 0.75])
case('order', 'nanQuantile', lambda x: torch.nanquantile(x, 0.5, 0), [double([[NAN, 1], [NAN, 2]])], lambda x: [x, 0.5, {'axis': 0}], differentiable=False)
mixed = double([[3, NAN, 1, 2, 0], [4, 2, 1, 3, 5], [NAN, NAN, NAN, 2, NAN]])
for x in [distinct(3, 5), distinct(3, 4)]:
    case('order', 'median', lambda x: list(x.median(1)), [x], lambda x: [x, 1], second=True)
    case('order', 'median', lambda x: list(x.median(0, True)), [x], lambda x: [x, 0, {'keepAxes': True}])
    case('order', 'nanMedian', lambda x: list(x.nanmedian(1)), [x], lambda x: [x, 1])
    case('order', 'median', lambda x: x.median(), [x], second=True)
    case('order', 'nanMedian', lambda x: x.nanmedian(), [x])
    for k in [1, 2, 4]:
        many('order', 'kthValue', lambda x: list(x.kthvalue(k)), [x], k)
        many('order', 'kthValue', lambda x: list(x.kthvalue(min(k, 3), 0, True)), [x], min(k, 3), 0, {'keepAxes': True})
case('order', 'median', lambda x: x.median(), [double([1, 2, 2, 3])])
case('order', 'median', lambda x: list(x.median(1)), [mixed], lambda x: [x, 1], differentiable=False)
case('order', 'nanMedian', lambda x: list(x.nanmedian(1)), [mixed], lambda x: [x, 1], differentiable=False)
case('order', 'median', lambda x: x.median(), [mixed], differentiable=False)
case('order', 'nanMedian', lambda x: x.nanmedian(), [mixed], differentiable=False)
case('order', 'median', lambda x: list(x.median(0)), [distinct(7).mul(16).to(torch.int64)], lambda x: [x, 0])
for x in [double([3, 1, 1, 3, 2]), double([[2, 2, 1, 1, 5], [5, 4, 3, 2, 1], [1, 1, 1, 1, 1]]), integers(3, 9, low=0, high=4)]:
    case('order', 'mode', lambda x: list(x.mode()), [x])
    case('order', 'mode', lambda x: list(x.mode(0, True)), [x], lambda x: [x, 0, {'keepAxes': True}])
case('order', 'mode', lambda x: list(x.mode()), [random(4, 1)], second=True)
# gradients of what was there before
for descending in [False, True]:
    case('order', 'sort', lambda x: list(x.sort(1, descending)), [distinct(2, 5, 2)], lambda x: [1, {'descending': descending}], second=True)
    case('order', 'topK', lambda x: list(x.topk(3, 0, largest=descending)), [distinct(5, 2)], lambda x: [3, 0, {'largest': descending}], second=True)
case('order', 'cumsum', lambda x: x.cumsum(1), [box], lambda x: [1], second=True)

# --- counts ----------------------------------------------------------------------------------------------------------
holes = double([[1, NAN, 3, -2], [NAN, NAN, NAN, NAN], [0.5, 2, -1, NAN]])
full = random(3, 4)


def nanprod(x, *rest, **more):
    return torch.where(torch.isnan(x), torch.ones_like(x), x).prod(*rest, **more)


def nanvar(x, dim, keep, correction=1):
    valid = ~torch.isnan(x)
    count = valid.sum(dim, keepdim=True)
    zeroed = torch.where(valid, x, torch.zeros_like(x))
    mean = zeroed.sum(dim, keepdim=True) / count
    squares = torch.where(valid, zeroed - mean, torch.zeros_like(x)) ** 2
    value = squares.sum(dim, keepdim=True) / (count - correction).clamp(min=0)
    return value if keep else value.squeeze(dim)


def extreme(x, dim, largest):
    valid = ~torch.isnan(x)
    filled = torch.where(valid, x, torch.full_like(x, -INF if largest else INF))
    value = filled.amax(dim) if largest else filled.amin(dim)
    return torch.where(valid.any(dim), value, torch.full_like(value, NAN))


for x in [holes, full]:
    is_full = x is full
    for axis, keep in [(1, False), (0, True)]:
        options = {'keepAxes': keep}
        finite = is_full or axis == 0
        many('count', 'nanSum', lambda x: x.nansum(axis, keep), [x], axis, options, second=is_full)
        many('count', 'nanProd', lambda x: nanprod(x, axis, keep), [x], axis, options, second=is_full)
        many('count', 'nanMean', lambda x: x.nanmean(axis, keep), [x], axis, options, second=is_full, differentiable=finite)
        many('count', 'nanVariance', lambda x: nanvar(x, axis, keep), [x], axis, options, second=is_full, differentiable=is_full)
        many('count', 'nanStandardDeviation', lambda x: nanvar(x, axis, keep, 0).sqrt(), [x], axis, {**options, 'correction': 0}, differentiable=is_full)
    many('count', 'nanMax', lambda x: extreme(x, 1, True), [x], 1, differentiable=is_full)
    many('count', 'nanMin', lambda x: extreme(x, 0, False), [x], 0, differentiable=is_full)
    case('count', 'nanSum', lambda x: x.nansum(), [x])
    case('count', 'nanMean', lambda x: x.nanmean(), [x])
    case('count', 'countNonzero', lambda x: torch.count_nonzero(x), [x], differentiable=False)
many('count', 'nanVariance', lambda x: nanvar(x, 0, False), [double([1, NAN, 4, 9])], 0)
counts = integers(3, 4, low=-1, high=2)
many('count', 'countNonzero', lambda x: torch.count_nonzero(x, 1), [counts], 1)
many('count', 'countNonzero', lambda x: torch.count_nonzero(x, (0, 1)), [counts > 0], [0, 1])
case('count', 'countNonzero', torch.count_nonzero, [torch.zeros(0, 3, dtype=torch.float64)], differentiable=False)

short = double([-1, 0, 0, 0.5, 2])
long = torch.sort(random(40))[0]
values = double([[-2, -1, -0.5], [0, 0.25, 2], [3, NAN, INF]])
for right in [False, True]:
    options = {'right': right}
    for row in [short, long, torch.zeros(0, dtype=torch.float64), double([1])]:
        many('count', 'searchSorted', lambda s, v: torch.searchsorted(s, v, right=right), [row, values], options, differentiable=False)
        many('count', 'bucketize', lambda v, s: torch.bucketize(v, s, right=right), [values, row], options, differentiable=False)
    for length in [5, 33, 64]:
        many('count', 'searchSorted', lambda s, v: torch.searchsorted(s, v, right=right),
             [torch.sort(random(2, 3, length))[0], random(2, 3, 4)], options, differentiable=False)
    many('count', 'searchSorted', lambda s, v: torch.searchsorted(s, v, right=right),
         [torch.sort(integers(50, low=0, high=20))[0], integers(6, low=-3, high=25)], options)
    many('count', 'searchSorted', lambda s, v: torch.searchsorted(s, v, right=right), [short, double(0)], options, differentiable=False)

sample = random(30, low=-3, high=3)
for options in [{'bins': 4}, {'bins': 7, 'range': [-1, 2]}, {'bins': 3, 'range': [-4, 4], 'density': True}]:
    arguments = {**options, 'range': tuple(map(float, options['range']))} if 'range' in options else options
    many('count', 'histogram', lambda x: list(torch.histogram(x, **arguments)), [sample], options, differentiable=False, absolute=1e-6)
case('count', 'histogram', lambda x: list(torch.histogram(x, 4)), [double([1, 1])], lambda x: [x, {'bins': 4}], differentiable=False)
case('count', 'histogram', lambda x: list(torch.histogram(x, 3)), [torch.zeros(0, dtype=torch.float64)], lambda x: [x, {'bins': 3}], differentiable=False)
case('count', 'histogram', lambda x, e: list(torch.histogram(x, e)), [sample, double([-2, -0.5, 0, 2.5])], lambda x, e: [x, {'bins': e}], differentiable=False)
case('count', 'histogram', lambda x, w: list(torch.histogram(x, 4, range=(-3., 3.), weight=w)), [sample, random(30)],
     lambda x, w: [x, {'bins': 4, 'range': [-3, 3], 'weights': w}], differentiable=False)

for x in [counts, double([[0, NAN], [2, 0]]), torch.tensor([True, False, True]), torch.zeros(2, 0, dtype=torch.float64), double(3), double(0)]:
    case('count', 'nonzero', torch.nonzero, [x], differentiable=False)
    case('count', 'argWhere', torch.argwhere, [x], differentiable=False)
    if x.dim() > 0:
        case('count', 'nonzero', lambda x: list(torch.nonzero(x, as_tuple=True)), [x], lambda x: [x, {'asTuple': True}], differentiable=False)
for x in [integers(3, 5, low=-2, high=3), double([2, NAN, 2, -INF, NAN]), torch.tensor([True, False, True]), torch.zeros(0, dtype=torch.float64), double(3)]:
    # PyTorch sorts NaN to any place
    case('count', 'unique', lambda x: list(torch.unique(x, return_inverse=True, return_counts=True)), [x.nan_to_num(7, INF, -INF) if x.is_floating_point() else x], differentiable=False)
    case('count', 'uniqueConsecutive', lambda x: list(torch.unique_consecutive(x, return_inverse=True, return_counts=True)), [x], differentiable=False)
rows = double([[1, 2, 2], [0, 5, 5], [1, 2, 2], [1, 2, 2]])
for axis in [0, 1]:
    case('count', 'unique', lambda x: list(torch.unique(x, dim=axis, return_inverse=True, return_counts=True)), [rows], lambda x: [x, {'axis': axis}], differentiable=False)
    case('count', 'uniqueConsecutive', lambda x: list(torch.unique_consecutive(x, dim=axis, return_inverse=True, return_counts=True)), [rows], lambda x: [x, {'axis': axis}], differentiable=False)
case('count', 'bincount', torch.bincount, [integers(12, low=0, high=6)])
case('count', 'bincount', lambda x: torch.bincount(x, minlength=9), [integers(5, low=0, high=4)], lambda x: [x, {'minLength': 9}])
case('count', 'bincount', lambda x, w: torch.bincount(x, w), [integers(8, low=0, high=5), random(8)], lambda x, w: [x, {'weights': w}], differentiable=False)
case('count', 'bincount', torch.bincount, [torch.zeros(0, dtype=torch.int64)])

# --- triangles: what vocabulary.py has no room for without other random numbers ---------------------------------------
for offset in [0, 1, -2, 9]:
    many('index', 'triu', lambda x: x.triu(offset), [random(2, 3, 4)], {'offset': offset}, second=True)
    many('index', 'tril', lambda x: x.tril(offset), [random(4, 3)], {'offset': offset}, second=True)
many('index', 'triu', lambda x: x.triu(), [integers(3, 3)])
many('index', 'tril', lambda x: x.tril(), [double([[NAN, INF], [1, NAN]])], differentiable=False)
many('index', 'triu', lambda x: x.triu(), [torch.zeros(0, 3, dtype=torch.float64)], differentiable=False)

for name, cases in FILES.items():
    write(f'packages/conformance/fixtures/order-{name}.json', cases)
