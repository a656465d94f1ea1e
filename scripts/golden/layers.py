"""Golden values for the layers, activations and losses of @nn/layers, with gradients of inputs and parameters.

Run: python3 scripts/golden/layers.py (needs PyTorch). Writes packages/layers/fixtures/{layers,functions}.json.
modules.py has the form of a layer's case.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from common import cotangent, distinct, integers, number, pack, random, write
from modules import layer_case

LAYERS, FUNCTIONS = [], []


def layer(*arguments, **more):
    LAYERS.append(layer_case(*arguments, **more))


layer('Linear', nn.Linear(4, 3), [random(2, 4)], [4, 3])
layer('Linear', nn.Linear(4, 3, bias=False), [random(2, 3, 4)], [4, 3], {'bias': False})
layer('Linear', nn.Linear(4, 1), [random(4)], [4, 1])
layer('Conv1d', nn.Conv1d(3, 4, 3, stride=2, padding=1), [random(2, 3, 8)], [3, 4, 3], {'stride': 2, 'padding': 1})
layer('Conv1d', nn.Conv1d(4, 4, 3, padding='same', dilation=2, groups=2, bias=False), [random(1, 4, 7)], [4, 4, 3], {'padding': 'same', 'dilation': 2, 'groups': 2, 'bias': False})
layer('Conv2d', nn.Conv2d(2, 3, 3), [random(2, 2, 5, 4)], [2, 3, 3])
layer('Conv2d', nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), groups=2), [random(1, 2, 6, 5)], [2, 4, [3, 2]], {'stride': [2, 1], 'padding': [1, 0], 'groups': 2})
layer('ConvTranspose2d', nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1), [random(1, 3, 3, 4)], [3, 2, 3], {'stride': 2, 'padding': 1, 'outputPadding': 1})
layer('ConvTranspose2d', nn.ConvTranspose2d(2, 4, (2, 3), groups=2, bias=False), [random(2, 2, 3, 3)], [2, 4, [2, 3]], {'groups': 2, 'bias': False})
layer('MaxPool1d', nn.MaxPool1d(3, stride=2, padding=1), [distinct(1, 2, 7)], [3], {'stride': 2, 'padding': 1})
layer('MaxPool2d', nn.MaxPool2d(2), [distinct(1, 2, 4, 6)], [2])
layer('MaxPool2d', nn.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 0)), [distinct(1, 2, 5, 4)], [[3, 2]], {'stride': [2, 1], 'padding': [1, 0]})
layer('AvgPool1d', nn.AvgPool1d(2), [random(2, 2, 6)], [2])
layer('AvgPool2d', nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), [random(1, 2, 5, 5)], [3], {'stride': 2, 'padding': 1, 'countIncludesPadding': False})
layer('Flatten', nn.Flatten(), [random(2, 3, 2)], [])
layer('Flatten', nn.Flatten(0, 1), [random(2, 3, 2)], [0, 1])
layer('Dropout', nn.Dropout(0.3), [random(2, 3)], [0.3], training=False)
for training in (True, False):
    layer('BatchNorm1d', nn.BatchNorm1d(3), [random(5, 3)], [3], training=training)
    layer('BatchNorm1d', nn.BatchNorm1d(2, momentum=0.3, eps=0.01), [random(3, 2, 4)], [2], {'momentum': 0.3, 'epsilon': 0.01}, training=training)
    layer('BatchNorm1d', nn.BatchNorm1d(3, affine=False, momentum=None), [random(4, 3)], [3], {'affine': False, 'momentum': None}, training=training)
    layer('BatchNorm2d', nn.BatchNorm2d(2), [random(2, 2, 3, 2)], [2], training=training)
    layer('BatchNorm2d', nn.BatchNorm2d(2, track_running_stats=False), [random(2, 2, 2, 2)], [2], {'trackRunningStatistics': False}, training=training)
layer('LayerNorm', nn.LayerNorm(4), [random(2, 3, 4)], [4])
layer('LayerNorm', nn.LayerNorm((3, 4), eps=0.01), [random(2, 3, 4)], [[3, 4]], {'epsilon': 0.01})
layer('LayerNorm', nn.LayerNorm(4, elementwise_affine=False), [random(2, 4)], [4], {'affine': False})
layer('GroupNorm', nn.GroupNorm(2, 4), [random(2, 4, 3)], [2, 4])
layer('GroupNorm', nn.GroupNorm(3, 3, affine=False), [random(1, 3, 2, 2)], [3, 3], {'affine': False})
layer('Embedding', nn.Embedding(5, 3), [torch.tensor([[0, 4, 1], [4, 4, 2]])], [5, 3])
layer('Embedding', nn.Embedding(5, 2, padding_idx=1), [torch.tensor([1, 3, 1, 0])], [5, 2], {'paddingIndex': 1})


def recurrent(kind, inputs, hidden, shape, state=False, **options):
    names = {'layers': 'num_layers', 'batchFirst': 'batch_first'}
    module = getattr(nn, kind)(inputs, hidden, **{names.get(k, k): v for k, v in options.items()})
    batch = shape[0] if options.get('batchFirst') else shape[1]
    rows = options.get('layers', 1) * (2 if options.get('bidirectional') else 1)
    states = [random(rows, batch, hidden) for _ in range(2 if kind == 'LSTM' else 1)] if state else []

    def call(module, x, *start):
        given = (tuple(start) if kind == 'LSTM' else start[0]) if start else None
        output, last = module(x, given)
        return [output, *last] if kind == 'LSTM' else [output, last]

    layer(kind, module, [random(*shape), *states], [inputs, hidden], options, call=call)


for kind in ('RNN', 'LSTM', 'GRU'):
    recurrent(kind, 3, 2, (4, 2, 3))
    recurrent(kind, 2, 3, (2, 3, 2), True, layers=2, bidirectional=True, batchFirst=True)
    recurrent(kind, 2, 2, (1, 1, 2), True, bias=False)
recurrent('RNN', 2, 2, (3, 2, 2), nonlinearity='relu')


def attention(shapes, arguments, options=None, mask=None, padding=None, causal=False, torch_options=None):
    """shapes: query, key, value. The output is followed by the weights of every head."""
    module = nn.MultiheadAttention(*arguments, **(torch_options or {}))
    meaning = 'bias' if mask is not None and mask.is_floating_point() else 'hidden'  # bool: true hides, as in nn.MultiheadAttention
    names = ['query', 'key', 'value'] + ([meaning] if mask is not None else []) + (['keyPaddingMask'] if padding is not None else [])
    extra = [t for t in (mask, padding) if t is not None]

    def call(module, query, key, value, *given):
        given = dict(zip(names[3:], given))
        m = given.get(meaning)
        if causal:
            m = torch.ones(query.shape[-2 if (options or {}).get('batchFirst') else 0], key.shape[-2 if (options or {}).get('batchFirst') else 0]).triu(1).bool()
        return list(module(query, key, value, attn_mask=m, key_padding_mask=given.get('keyPaddingMask'), average_attn_weights=False))

    layer('MultiheadAttention', module, [*[random(*s) for s in shapes], *extra], arguments, options, call=call, inputNames=names, causal=causal)


attention([(3, 2, 4)] * 3, [4, 2])
attention([(2, 3, 4)] * 3, [4, 2], {'batchFirst': True}, causal=True, torch_options={'batch_first': True})
attention([(2, 2, 4), (2, 3, 4), (2, 3, 4)], [4, 1], {'batchFirst': True, 'bias': False},
          mask=torch.tensor([[False, True, False], [False, False, True]]), torch_options={'batch_first': True, 'bias': False})
attention([(2, 2, 4), (2, 3, 3), (2, 3, 2)], [4, 2], {'batchFirst': True, 'keyDimension': 3, 'valueDimension': 2},
          mask=random(2, 3), padding=torch.tensor([[False, False, True], [False, False, False]]),
          torch_options={'batch_first': True, 'kdim': 3, 'vdim': 2})
attention([(2, 2, 4), (2, 3, 4), (2, 3, 4)], [4, 2], {'batchFirst': True}, mask=random(4, 2, 3), torch_options={'batch_first': True})


def encoder(options, torch_options, shape, **more):
    arguments = [4, 2]
    module = nn.TransformerEncoderLayer(4, 2, dim_feedforward=6, dropout=0.0, **torch_options)
    padding = more.get('padding')
    names = ['input'] + (['keyPaddingMask'] if padding is not None else [])

    def call(module, x, *given):
        mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if more.get('causal') else None
        return module(x, src_mask=mask, src_key_padding_mask=given[0] if given else None)

    layer('TransformerEncoderLayer', module, [random(*shape), *([padding] if padding is not None else [])], arguments,
          {'feedForward': 6, 'dropout': 0, **options}, call=call, inputNames=names, causal=bool(more.get('causal')))


encoder({}, {}, (3, 2, 4))
encoder({'normFirst': True, 'activation': 'gelu', 'batchFirst': True}, {'norm_first': True, 'activation': 'gelu', 'batch_first': True}, (2, 3, 4), causal=True)
encoder({'batchFirst': True}, {'batch_first': True}, (2, 3, 4), padding=torch.tensor([[False, False, True], [False, False, False]]))

length, width = 6, 5
position = torch.arange(length, dtype=torch.float64)[:, None]
frequency = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
table = torch.zeros(length, width, dtype=torch.float64)
table[:, 0::2] = torch.sin(position * frequency)
table[:, 1::2] = torch.cos(position * frequency[: width // 2])


class Positional(nn.Module):
    def forward(self, x):
        return x + table[: x.shape[1]]


layer('SinusoidalPositionalEncoding', Positional(), [random(2, 6, 5)], [5], {'batchFirst': True})


# --- activations ---------------------------------------------------------------------------------------------------
def function(operation, call, inputs, attributes=None):
    inputs = [t.clone().requires_grad_(t.dtype == torch.float64) for t in inputs]
    output = call(*inputs)
    wanted = [t for t in inputs if t.requires_grad]
    found = iter(torch.autograd.grad((output * cotangent(output)).sum(), wanted, allow_unused=True))
    gradients = []
    for t in inputs:
        g = next(found) if t.requires_grad else None
        gradients.append(pack(torch.zeros_like(t) if g is None and t.requires_grad else g))
    FUNCTIONS.append({'operation': operation, 'attributes': attributes or {}, 'inputs': [pack(t) for t in inputs], 'output': pack(output), 'gradients': gradients})


x = torch.cat([random(3, 4, low=-4, high=4), torch.tensor([[0.0, 30, -30, 100]], dtype=torch.float64)])
for operation, call, attributes in [
    ('sigmoid', torch.sigmoid, {}), ('tanh', torch.tanh, {}), ('relu', F.relu, {}), ('leakyRelu', F.leaky_relu, {}),
    ('leakyRelu', lambda t: F.leaky_relu(t, 0.3), {'slope': 0.3}), ('elu', F.elu, {}), ('elu', lambda t: F.elu(t, 0.5), {'alpha': 0.5}),
    ('selu', F.selu, {}), ('gelu', F.gelu, {}), ('gelu', lambda t: F.gelu(t, approximate='tanh'), {'approximate': 'tanh'}),
    ('silu', F.silu, {}), ('mish', F.mish, {}), ('softplus', F.softplus, {}), ('softplus', lambda t: F.softplus(t, 2.0), {'beta': 2}),
    ('softmax', lambda t: t.softmax(-1), {}), ('softmax', lambda t: t.softmax(0), {'axis': 0}), ('logSoftmax', lambda t: t.log_softmax(-1), {}),
    ('hardSigmoid', F.hardsigmoid, {}), ('hardSwish', F.hardswish, {}),
]:
    function(operation, call, [x], attributes)

# --- losses --------------------------------------------------------------------------------------------------------
a, b = random(3, 4), random(3, 4)
for reduction in ('mean', 'sum', 'none'):
    function('meanSquaredError', lambda p, t: F.mse_loss(p, t, reduction=reduction), [a, b], {'reduction': reduction})
    function('l1', lambda p, t: F.l1_loss(p, t, reduction=reduction), [a, b], {'reduction': reduction})
    function('huber', lambda p, t: F.huber_loss(p, t, reduction=reduction, delta=0.8), [a, b], {'reduction': reduction, 'delta': 0.8})
function('huber', F.huber_loss, [a, b])

weight = torch.tensor([0.5, 2.0, 1.0, 0.25, 3.0], dtype=torch.float64)
logits, target = random(4, 5, low=-6, high=6), torch.tensor([0, 4, 2, 4])
ignored, deep = torch.tensor([0, -100, 2, 4]), random(2, 3, 2, 3)
inside = torch.tensor([[[0, 2, 1], [2, 2, 0]], [[1, 1, 255], [0, 255, 2]]])
share = random(4, 5).softmax(1)
share = torch.round(share * 256) / 256


def entropy(inputs, attributes=None, **options):
    attributes = dict(attributes or {})
    if 'weight' in options:
        attributes['weight'] = [number(v) for v in options['weight'].tolist()]
    function('crossEntropy', lambda p, t: F.cross_entropy(p, t, **options), inputs, attributes)


for reduction in ('mean', 'sum', 'none'):
    entropy([logits, target], {'reduction': reduction}, reduction=reduction)
    entropy([logits, ignored], {'reduction': reduction, 'labelSmoothing': 0.1}, reduction=reduction, label_smoothing=0.1, weight=weight)
    entropy([deep, inside], {'reduction': reduction, 'ignoreIndex': 255}, reduction=reduction, ignore_index=255)
entropy([logits, target], weight=weight)
entropy([logits, target], {'labelSmoothing': 0.2}, label_smoothing=0.2)
entropy([logits[0], torch.tensor(3)])
entropy([logits * 1000, target])
function('crossEntropy', lambda p: F.cross_entropy(p, share), [logits], {'probabilities': pack(share)})
function('crossEntropy', lambda p: F.cross_entropy(p, share, weight=weight, label_smoothing=0.1), [logits], {'probabilities': pack(share), 'labelSmoothing': 0.1, 'weight': [0.5, 2, 1, 0.25, 3]})

probability = torch.round(random(3, 4).sigmoid() * 128) / 128
truth = (random(3, 4) > 0).double()
element = random(3, 4, low=0.5, high=2)
edges = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5], dtype=torch.float64)
answers = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.25], dtype=torch.float64)


def binary(operation, call, prediction, target, attributes):
    function(operation, lambda p: call(p, target), [prediction], {'target': pack(target), **attributes})


for reduction in ('mean', 'sum', 'none'):
    binary('binaryCrossEntropy', lambda p, t: F.binary_cross_entropy(p, t, reduction=reduction), probability, truth, {'reduction': reduction})
    binary('bceWithLogits', lambda p, t: F.binary_cross_entropy_with_logits(p, t, reduction=reduction), a * 10, truth, {'reduction': reduction})
    function('klDivergence', lambda p, t: F.kl_div(p, t, reduction=reduction), [a.log_softmax(1), (share[:3, :4] + 1 / 8)], {'reduction': reduction})
binary('binaryCrossEntropy', lambda p, t: F.binary_cross_entropy(p, t, weight=element), probability, truth, {'weight': pack(element)})
binary('binaryCrossEntropy', lambda p, t: F.binary_cross_entropy(p, t, reduction='none'), edges, answers, {'reduction': 'none'})
positive = torch.tensor([0.5, 1, 2, 4], dtype=torch.float64)
binary('bceWithLogits', lambda p, t: F.binary_cross_entropy_with_logits(p, t, pos_weight=positive), a, truth, {'positiveWeight': pack(positive)})
binary('bceWithLogits', lambda p, t: F.binary_cross_entropy_with_logits(p, t, weight=element), a, truth, {'weight': pack(element)})
binary('klDivergence', lambda p, t: F.kl_div(p, t, reduction='batchmean'), a.log_softmax(1), truth, {'reduction': 'batchMean'})
function('klDivergence', lambda p, t: F.kl_div(p, t, log_target=True, reduction='sum'), [a.log_softmax(1), b.log_softmax(1)], {'logTarget': True, 'reduction': 'sum'})

# --- sequences of unequal lengths, after everything else: the numbers above stay as they were ------------------------
def packed(kind, inputs, hidden, shape, lengths, state=False, **options):
    """With `lengths` as PyTorch's packed sequences. The paddings of the input are random: they must not matter."""
    names = {'layers': 'num_layers'}
    module = getattr(nn, kind)(inputs, hidden, batch_first=True, **{names.get(k, k): v for k, v in options.items()})
    rows = options.get('layers', 1) * (2 if options.get('bidirectional') else 1)
    states = [random(rows, shape[0], hidden) for _ in range(2 if kind == 'LSTM' else 1)] if state else []

    def call(module, x, *start):
        given = (tuple(start) if kind == 'LSTM' else start[0]) if start else None
        sequence = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        output, last = module(sequence, given)
        output, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=shape[1])
        return [output, *last] if kind == 'LSTM' else [output, last]

    layer(kind, module, [random(*shape), *states], [inputs, hidden], {**options, 'batchFirst': True}, call=call, lengths=lengths)


for kind in ('RNN', 'LSTM', 'GRU'):
    packed(kind, 2, 2, (3, 4, 2), [2, 4, 1])
    packed(kind, 2, 3, (3, 4, 2), [3, 1, 2], True, layers=2, bidirectional=True)

# --- more layers ---------------------------------------------------------------------------------------------------
layer('Conv3d', nn.Conv3d(2, 3, 2), [random(1, 2, 3, 3, 4)], [2, 3, 2])
layer('Conv3d', nn.Conv3d(2, 2, (1, 3, 2), stride=(1, 2, 1), padding=(0, 1, 1), groups=2, bias=False), [random(2, 2, 2, 4, 3)], [2, 2, [1, 3, 2]], {'stride': [1, 2, 1], 'padding': [0, 1, 1], 'groups': 2, 'bias': False})
layer('ConvTranspose1d', nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), [random(2, 2, 4)], [2, 3, 3], {'stride': 2, 'padding': 1, 'outputPadding': 1})
layer('ConvTranspose1d', nn.ConvTranspose1d(2, 4, 2, groups=2, dilation=2, bias=False), [random(1, 2, 3)], [2, 4, 2], {'groups': 2, 'dilation': 2, 'bias': False})
layer('ConvTranspose3d', nn.ConvTranspose3d(2, 1, 2, stride=(1, 2, 1)), [random(1, 2, 2, 2, 3)], [2, 1, 2], {'stride': [1, 2, 1]})
for training in (True, False):
    layer('BatchNorm3d', nn.BatchNorm3d(2), [random(2, 2, 2, 2, 2)], [2], training=training)
    layer('InstanceNorm1d', nn.InstanceNorm1d(3), [random(2, 3, 4)], [3], training=training)
    layer('InstanceNorm1d', nn.InstanceNorm1d(2, affine=True, track_running_stats=True, momentum=0.3), [random(3, 2, 4)], [2], {'affine': True, 'trackRunningStatistics': True, 'momentum': 0.3}, training=training)
    layer('InstanceNorm2d', nn.InstanceNorm2d(2, affine=True, eps=0.01), [random(2, 2, 2, 3)], [2], {'affine': True, 'epsilon': 0.01}, training=training)
    layer('InstanceNorm3d', nn.InstanceNorm3d(2, track_running_stats=True), [random(2, 2, 2, 2, 2)], [2], {'trackRunningStatistics': True}, training=training)
layer('LocalResponseNorm', nn.LocalResponseNorm(3), [random(2, 5, 3)], [3])
layer('LocalResponseNorm', nn.LocalResponseNorm(2, alpha=0.5, beta=0.6, k=2.0), [random(1, 4, 2, 2)], [2], {'alpha': 0.5, 'beta': 0.6, 'k': 2})
layer('Bilinear', nn.Bilinear(3, 2, 4), [random(5, 3), random(5, 2)], [3, 2, 4], inputNames=['first', 'second'])
layer('Bilinear', nn.Bilinear(2, 2, 1, bias=False), [random(2, 3, 2), random(2, 3, 2)], [2, 2, 1], {'bias': False}, inputNames=['first', 'second'])
layer('Identity', nn.Identity(), [random(2, 3)], [])
layer('PReLU', nn.PReLU(), [random(2, 3)], [])
layer('PReLU', nn.PReLU(3), [random(2, 3, 4)], [3])
layer('RReLU', nn.RReLU(), [random(2, 3)], [], training=False)
layer('Softmax2d', nn.Softmax2d(), [random(2, 3, 2, 2)], [])


class RMSNorm(nn.Module):
    """Zhang and Sennrich 2019, with the epsilon of PyTorch's nn.RMSNorm (of version 2.4)."""

    def __init__(self, shape, eps=2.0 ** -23):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(shape)), eps

    def forward(self, x):
        axes = tuple(range(-self.weight.dim(), 0))
        return x / (x.pow(2).mean(axes, keepdim=True) + self.eps).sqrt() * self.weight


layer('RMSNorm', RMSNorm(4), [random(2, 3, 4)], [4])
layer('RMSNorm', RMSNorm((3, 4), 0.01), [random(2, 3, 4)], [[3, 4]], {'epsilon': 0.01})

write('packages/layers/fixtures/layers.json', LAYERS)
write('packages/layers/fixtures/functions.json', FUNCTIONS)
