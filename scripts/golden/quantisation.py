"""Golden values for quantisation in @nn/compress: ranges and scales of torch.ao's observers, rounding in training with its gradients, a
Linear layer on whole numbers, and torch.ao's own LSTM, GRU, their cells and convolutions in groups.

Run: python3 scripts/golden/quantisation.py (needs PyTorch). Writes packages/compress/fixtures/quantisation.json.
"""

import json
import os

import torch
from torch.ao.quantization import observer as ao

from common import ROOT, number, random


# HistogramObserver of 1.13 cuts the bounds of its histograms to whole numbers, and loses the values beyond: not here
ao.int = lambda bound: float(bound) if isinstance(bound, torch.Tensor) else int(bound)


def pack(x):
    return {'shape': list(x.shape), 'data': [number(v + 0) for v in x.detach().reshape(-1).tolist()]}


def normal(count, seed, scale=1.0, shift=0.0):
    values = torch.randn(count, generator=torch.Generator().manual_seed(seed)) * scale + shift
    return torch.round(values * 256) / 256


batches = [normal(400, 1), normal(400, 2, 1.5, 0.25), normal(400, 3, 0.7, -0.1)]
with_outlier = [torch.cat([normal(1000, 4), torch.tensor([20.0])]), normal(1000, 5, 3.0)]

schemes = {
    'affine 0 to 255': dict(dtype=torch.quint8, qscheme=torch.per_tensor_affine),
    'affine 0 to 127': dict(dtype=torch.quint8, qscheme=torch.per_tensor_affine, reduce_range=True),
    'affine -128 to 127': dict(dtype=torch.qint8, qscheme=torch.per_tensor_affine),
    'symmetric': dict(dtype=torch.qint8, qscheme=torch.per_tensor_symmetric),
}


def observe(name, make, data):
    seen = make()
    for batch in data:
        seen(batch)
    scale, zero_point = seen.calculate_qparams()
    result = {'observer': name, 'scale': number(scale.item()), 'zeroPoint': int(zero_point.item())}
    if hasattr(seen, 'min_val'):
        result |= {'min': number(seen.min_val.item()), 'max': number(seen.max_val.item())}
    return result


observed = []
for scheme, options in schemes.items():
    for name, kind in (('minMax', ao.MinMaxObserver), ('movingAverage', ao.MovingAverageMinMaxObserver)):
        observed.append({'scheme': scheme} | observe(name, lambda: kind(**options), batches))
for data, label in ((with_outlier[:1], 'one'), (with_outlier, 'two'), (batches, 'three')):
    observed.append({'scheme': 'affine 0 to 255', 'data': label} | observe('histogram', lambda: ao.HistogramObserver(dtype=torch.quint8), data))

weight = random(5, 7)
channels = ao.PerChannelMinMaxObserver(ch_axis=0, dtype=torch.qint8, qscheme=torch.per_channel_symmetric)
channels(weight.float())
channel_scale, channel_zero = channels.calculate_qparams()


def fake(x, run, **options):
    x = x.float().requires_grad_(True)
    y = run(x)
    weights = ((torch.arange(y.numel()) * 7) % 11 - 5).to(y.dtype).reshape(y.shape) / 8
    (slope,) = torch.autograd.grad((y * weights).sum(), x)
    return {'options': options, 'x': pack(x), 'y': pack(y), 'slope': pack(slope)}


x = random(4, 6)
scales, zeros = torch.tensor([0.0625, 0.03, 0.011, 0.5]), torch.tensor([0, 3, -5, 1], dtype=torch.int32)
fakes = [
    fake(x, lambda v: torch.fake_quantize_per_tensor_affine(v, 0.0125, 60, 0, 127), scale=0.0125, zeroPoint=60, low=0, high=127),
    fake(x, lambda v: torch.fake_quantize_per_tensor_affine(v, 0.1, 0, -128, 127), scale=0.1, zeroPoint=0, low=-128, high=127),
    fake(x, lambda v: torch.fake_quantize_per_channel_affine(v, scales, zeros, 0, -8, 7),
         scale=scales.tolist(), zeroPoint=zeros.tolist(), low=-8, high=7, axis=0),
]

# a Linear layer with a scale for each output, and an input rounded by its own range, summed in whole numbers
weights = random(6, 40).float() / 4
bias = random(6).float() / 2
row = random(1, 40).float()
ranges = ao.PerChannelMinMaxObserver(ch_axis=0, dtype=torch.qint8, qscheme=torch.per_channel_symmetric)
ranges(weights)
weight_scale, weight_zero = ranges.calculate_qparams()
levels = torch.quantize_per_channel(weights, weight_scale, weight_zero, 0, torch.qint8).int_repr()
scale, zero = torch._choose_qparams_per_tensor(row, reduce_range=True)
rounded = torch.quantize_per_tensor(row, scale, zero, torch.quint8).int_repr()
sums = (rounded.int() - zero) @ levels.int().t()
dynamic = {
    'weight': pack(weights), 'bias': pack(bias), 'x': pack(row), 'y': pack(sums * (scale * weight_scale) + bias),
    'levels': pack(levels), 'scales': pack(weight_scale), 'scale': number(scale), 'zeroPoint': int(zero), 'rounded': pack(rounded),
}

# recurrent layers of torch.ao with a scale for each channel of each gate. A batch has one range there, a row has its own here: every row
# has the same least and most, and there is one sample.
def steps(length, width):
    x = random(length, 1, width).float() / 2
    x[..., 0], x[..., 1] = -1.5, 2.0
    return x.clamp(-1.5, 2.0)


def filled(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(random(*parameter.shape).float() / 4)
    return module


def in_bytes(module, kind):
    # this kernel has all 256 levels for inputs; FBGEMM's, with 128, is not in every build
    torch.backends.quantized.engine = 'qnnpack'
    holder = torch.nn.ModuleList([module])
    return torch.ao.quantization.quantize_dynamic(holder, {kind: torch.ao.quantization.per_channel_dynamic_qconfig})[0]


def named(module):
    return {name: pack(value) for name, value in module.named_parameters()}


def recurrent(kind, name, length, **options):
    module = filled(kind(6, 5, **options))
    weights = named(module)
    x = steps(length, 6) if length > 0 else steps(1, 6)[0]
    result = in_bytes(module, kind)(x)
    parts = result if isinstance(result, tuple) else (result,)
    flat = [t for part in parts for t in (part if isinstance(part, tuple) else (part,))]
    return {'kind': name, 'options': options, 'weights': weights, 'x': pack(x), 'results': [pack(t) for t in flat]}


recurrents = [
    recurrent(torch.nn.LSTM, 'LSTM', 4),
    recurrent(torch.nn.LSTM, 'LSTM', 3, num_layers=1, bidirectional=True),
    recurrent(torch.nn.GRU, 'GRU', 4),
    recurrent(torch.nn.LSTMCell, 'LSTMCell', 0),
    recurrent(torch.nn.GRUCell, 'GRUCell', 0),
    recurrent(torch.nn.RNNCell, 'RNNCell', 0),
]


# convolutions in groups by torch.ao's kernel; its results are rounded to 8 bits by `step`
def convolved(groups, inputs, outputs):
    x, weight, bias = random(2, inputs, 6, 5).float() / 2, random(outputs, inputs // groups, 3, 3).float() / 4, random(outputs).float() / 2
    seen, ranges = ao.MinMaxObserver(dtype=torch.quint8, reduce_range=True), ao.PerChannelMinMaxObserver(ch_axis=0, dtype=torch.qint8, qscheme=torch.per_channel_symmetric)
    seen(x), ranges(weight)
    scale, zero = seen.calculate_qparams()
    own, zeros = ranges.calculate_qparams()
    packed = torch.ops.quantized.conv2d_prepack(torch.quantize_per_channel(weight, own, zeros, 0, torch.qint8), bias, [2, 1], [1, 1], [1, 1], groups)
    step = 0.0625
    y = torch.ops.quantized.conv2d(torch.quantize_per_tensor(x, scale.item(), int(zero), torch.quint8), packed, step, 128)
    return {'groups': groups, 'x': pack(x), 'weight': pack(weight), 'bias': pack(bias), 'step': step, 'y': pack(y.dequantize())}


grouped = [convolved(2, 4, 6), convolved(4, 4, 4), convolved(4, 4, 8)]

with open(os.path.join(ROOT, 'packages/compress/fixtures/quantisation.json'), 'w') as file:
    json.dump({
        'source': 'PyTorch ' + torch.__version__.split('a')[0],
        'batches': [pack(b) for b in batches], 'outliers': [pack(b) for b in with_outlier], 'observed': observed,
        'channels': {'weight': pack(weight), 'scale': pack(channel_scale), 'zeroPoint': pack(channel_zero)},
        'fakes': fakes, 'dynamic': dynamic, 'recurrents': recurrents, 'grouped': grouped,
    }, file, separators=(',', ':'))
    file.write('\n')
