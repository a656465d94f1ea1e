"""Golden values for what came to @nn/layers after the first layers, with second gradients where `second` is given.

Run: python3 scripts/golden/networks.py (needs PyTorch). Writes packages/layers/fixtures/networks.json. In `call`, '$0' stands
for the first input, and so on; without it all inputs are arguments of `forward`.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from common import distinct, random, write
from modules import layer_case

CASES = []


def layer(*arguments, given=None, **more):
    """given: the arguments of forward in nn's words, where they are not just the inputs."""
    if given is not None:
        more['given'] = given
    CASES.append(layer_case(*arguments, **more))


# --- recurrent cells and networks ------------------------------------------------------------------------------------
layer('RNNCell', nn.RNNCell(3, 2), [random(4, 3), random(4, 2)], [3, 2], second=True)
layer('RNNCell', nn.RNNCell(3, 2, bias=False, nonlinearity='relu'), [random(2, 3)], [3, 2], {'bias': False, 'nonlinearity': 'relu'})
layer('GRUCell', nn.GRUCell(3, 2), [random(4, 3), random(4, 2)], [3, 2], second=True)
layer('GRUCell', nn.GRUCell(2, 3, bias=False), [random(1, 2)], [2, 3], {'bias': False})
layer('LSTMCell', nn.LSTMCell(3, 2), [random(4, 3), random(4, 2), random(4, 2)], [3, 2], second=True,
      call=lambda m, x, h, c: m(x, (h, c)), given=['$0', {'hidden': '$1', 'cell': '$2'}])
layer('LSTMCell', nn.LSTMCell(2, 3, bias=False), [random(1, 2)], [2, 3], {'bias': False})


def sequence(kind, module, inputs, hidden, shape, options=None, states=(), lengths=None, second=False):
    """A recurrent layer, batch first; lengths as PyTorch's packed sequences where the module has them."""
    options = {**(options or {}), 'batchFirst': True}
    names = ['hidden', 'cell'][:len(states)]
    given = {name: f'${i + 1}' for i, name in enumerate(names)}
    if lengths is not None:
        given['lengths'] = lengths

    def call(module, x, *start):
        if isinstance(module, Walk):
            return module(x, start, lengths)
        start = tuple(start) if start else None
        if lengths is None:
            output, last = module(x, start)
        else:
            packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
            output, last = module(packed, start)
            output, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=shape[1])
        return [output, *last]

    layer(kind, module, [random(*shape), *states], [inputs, hidden] if isinstance(hidden, int) else [inputs, *hidden], options,
          call=call, given=['$0', given] if given else None, second=second)


class Walk(nn.Module):
    """Cells along time by hand, batch first, for what PyTorch lacks. `make(suffix, width)` registers a cell and returns its step."""

    def __init__(self, inputs, hidden, layers=1, directions=1):
        super().__init__()
        self.hidden, self.directions = hidden, directions
        self.steps = []
        for k in range(layers):
            for d in range(directions):
                suffix = f'l{k}' + ('_reverse' if d else '')
                self.steps.append(self.make(suffix, inputs if k == 0 else hidden * directions))

    def register(self, name, shape):
        setattr(self, name, nn.Parameter(torch.zeros(shape)))

    def forward(self, x, start=(), lengths=None):
        batch, length = x.shape[:2]
        lengths = torch.tensor([length] * batch if lengths is None else lengths)
        ones = [1] * (x.dim() - 2)
        last = []
        for index, step in enumerate(self.steps):
            direction = index % self.directions
            if direction == 0:
                below, outputs = x, []
            h, c = (s[index] for s in start) if start else (x.new_zeros(batch, self.hidden, *x.shape[3:]) for _ in range(2))
            out = [None] * length
            for t in (reversed(range(length)) if direction else range(length)):
                real = (t < lengths).reshape(batch, *ones)
                h2, c2 = step(below[:, t], h, c)
                h, c = torch.where(real, h2, h), torch.where(real, c2, c)
                out[t] = torch.where(real, h2, torch.zeros_like(h2))
            last.append((h, c))
            outputs.append(torch.stack(out, 1))
            x = torch.cat(outputs, 2)
        return [x, torch.stack([h for h, _ in last]), torch.stack([c for _, c in last])]


def gates(sums, c, norm=lambda t: t):
    i, f, g, o = sums.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * norm(c).tanh(), c


class PlainWalk(Walk):
    """The LSTM of PyTorch, to check the walk itself."""

    def make(self, suffix, width):
        for name, shape in (('weight_ih', (4 * self.hidden, width)), ('weight_hh', (4 * self.hidden, self.hidden)), ('bias_ih', (4 * self.hidden,)), ('bias_hh', (4 * self.hidden,))):
            self.register(f'{name}_{suffix}', shape)
        p = lambda name: getattr(self, f'{name}_{suffix}')
        return lambda x, h, c: gates(x @ p('weight_ih').T + p('bias_ih') + h @ p('weight_hh').T + p('bias_hh'), c)


class LayerNormLSTM(Walk):
    """Ba, Kiros and Hinton 2016, equations 20 to 22; the biases are those of the norms."""

    def make(self, suffix, width):
        self.register(f'weight_ih_{suffix}', (4 * self.hidden, width))
        self.register(f'weight_hh_{suffix}', (4 * self.hidden, self.hidden))
        norms = {'ih': 4 * self.hidden, 'hh': 4 * self.hidden, 'c': self.hidden}
        for name, size in norms.items():
            setattr(self, f'norm_{name}_{suffix}', nn.LayerNorm(size))
        p = lambda name: getattr(self, f'{name}_{suffix}')
        return lambda x, h, c: gates(p('norm_ih')(x @ p('weight_ih').T) + p('norm_hh')(h @ p('weight_hh').T), c, p('norm_c'))


class ConvLSTM(Walk):
    """Shi et al. 2015 without the peepholes."""

    def __init__(self, inputs, hidden, kernel, **more):
        self.kernel = kernel
        super().__init__(inputs, hidden, **more)

    def make(self, suffix, width):
        self.register(f'weight_ih_{suffix}', (4 * self.hidden, width, *self.kernel))
        self.register(f'weight_hh_{suffix}', (4 * self.hidden, self.hidden, *self.kernel))
        self.register(f'bias_{suffix}', (4 * self.hidden,))
        p = lambda name: getattr(self, f'{name}_{suffix}')
        conv = getattr(F, f'conv{len(self.kernel)}d')
        return lambda x, h, c: gates(conv(x, p('weight_ih'), p('bias'), padding='same') + conv(h, p('weight_hh'), padding='same'), c)


def check_walk():
    ours, theirs = PlainWalk(2, 3, 2, 2).double(), nn.LSTM(2, 3, 2, bidirectional=True, batch_first=True).double()
    ours.load_state_dict(theirs.state_dict())
    x, lengths = random(3, 4, 2), torch.tensor([3, 1, 4])
    packed, (h, c) = theirs(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    output, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=4)
    for a, b in zip(ours(x, (), lengths.tolist()), (output, h, c)):
        assert torch.allclose(a, b), 'the walk is not that of PyTorch'


check_walk()
sequence('LSTM', nn.LSTM(2, 3, proj_size=2, batch_first=True), 2, 3, (2, 3, 2), {'projection': 2}, second=True)
sequence('LSTM', nn.LSTM(2, 3, 2, proj_size=1, bidirectional=True, batch_first=True), 2, 3, (3, 4, 2),
         {'projection': 1, 'layers': 2, 'bidirectional': True}, [random(4, 3, 1), random(4, 3, 3)], [2, 4, 1])
sequence('LayerNormLSTM', LayerNormLSTM(2, 3), 2, 3, (2, 3, 2), second=True)
sequence('LayerNormLSTM', LayerNormLSTM(2, 2, 2, 2), 2, 2, (3, 4, 2), {'layers': 2, 'bidirectional': True}, [random(4, 3, 2), random(4, 3, 2)], [2, 4, 1])
sequence('ConvLSTM1d', ConvLSTM(2, 2, (3,)), 2, (2, 3), (2, 3, 2, 4), second=True)
sequence('ConvLSTM2d', ConvLSTM(1, 2, (3, 1), layers=2, directions=2), 1, (2, [3, 1]), (2, 3, 1, 2, 3), {'layers': 2, 'bidirectional': True},
         [random(4, 2, 2, 2, 3), random(4, 2, 2, 2, 3)], [3, 1])
sequence('ConvLSTM3d', ConvLSTM(1, 1, (1, 3, 2)), 1, (1, [1, 3, 2]), (1, 2, 1, 2, 2, 2))

# --- transformers and attention --------------------------------------------------------------------------------------
def plain(name, dimension=4, heads=2, **options):
    return getattr(nn, name)(dimension, heads, dim_feedforward=6, dropout=0.0, **options)


def later(length):
    return torch.ones(length, length).triu(1).bool()


small = {'feedForward': 6, 'dropout': 0}
layer('TransformerDecoderLayer', plain('TransformerDecoderLayer'), [random(3, 2, 4), random(4, 2, 4)], [4, 2], small, second=True)
layer('TransformerDecoderLayer', plain('TransformerDecoderLayer', norm_first=True, activation='gelu', batch_first=True),
      [random(2, 3, 4), random(2, 4, 4), torch.tensor([[False, False, True, True], [False] * 4])], [4, 2],
      {**small, 'normFirst': True, 'activation': 'gelu', 'batchFirst': True},
      call=lambda m, t, s, p: m(t, s, tgt_mask=later(3), memory_key_padding_mask=p),
      given=['$0', '$1', {'target': {'causal': True}, 'memory': {'keyPaddingMask': '$2'}}])
layer('TransformerEncoder', nn.TransformerEncoder(plain('TransformerEncoderLayer'), 2, nn.LayerNorm(4)), [random(3, 2, 4)], [4, 2, 2], small,
      call=lambda m, x: m(x, later(3)), given=['$0', {'causal': True}])
layer('TransformerDecoder', nn.TransformerDecoder(plain('TransformerDecoderLayer', batch_first=True), 2, nn.LayerNorm(4)), [random(2, 3, 4), random(2, 2, 4)], [4, 2, 2],
      {**small, 'batchFirst': True}, call=lambda m, t, s: m(t, s, tgt_mask=later(3)), given=['$0', '$1', {'target': {'causal': True}}])
shape = {'dimension': 4, 'heads': 2, 'encoderLayers': 1, 'decoderLayers': 2, **small}
layer('Transformer', nn.Transformer(4, 2, 1, 2, 6, 0.0, batch_first=True), [random(2, 4, 4), random(2, 3, 4), torch.tensor([[False] * 4, [False, False, False, True]])], [],
      {**shape, 'batchFirst': True}, call=lambda m, s, t, p: m(s, t, tgt_mask=later(3), src_key_padding_mask=p, memory_key_padding_mask=p),
      given=['$0', '$1', {'source': {'keyPaddingMask': '$2'}, 'target': {'causal': True}, 'memory': {'keyPaddingMask': '$2'}}])


def rotate(x, base=10000.0, pairs=False):
    """Su et al. 2021, on [..., L, D]."""
    length, width = x.shape[-2:]
    angle = torch.arange(length, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    turn = torch.polar(torch.ones_like(angle), angle)
    both = x.reshape(*x.shape[:-1], -1, 2) if pairs else torch.stack(x.chunk(2, -1), -1)
    turned = torch.view_as_real(torch.view_as_complex(both.contiguous()) * turn)
    return turned.flatten(-2) if pairs else torch.cat(turned.unbind(-1), -1)


def slopes(heads):
    """Press, Smith and Lewis 2022."""
    def power(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start ** i for i in range(n)]
    if math.log2(heads).is_integer():
        return power(heads)
    below = 2 ** math.floor(math.log2(heads))
    return power(below) + power(2 * below)[0::2][: heads - below]


class GroupedQuery(nn.Module):
    """Llama's attention, by hand; keys and values are repeated for the heads that share them."""

    def __init__(self, dimension, heads, shared, width, bias=False, rotary=None, alibi=False, window=None):
        super().__init__()
        self.heads, self.shared, self.width, self.rotary, self.alibi, self.window = heads, shared, width, rotary, alibi, window
        self.q_proj = nn.Linear(dimension, heads * width, bias=bias)
        self.k_proj = nn.Linear(dimension, shared * width, bias=bias)
        self.v_proj = nn.Linear(dimension, shared * width, bias=bias)
        self.o_proj = nn.Linear(heads * width, dimension, bias=bias)

    def forward(self, x):
        n, length, _ = x.shape
        q = self.q_proj(x).view(n, length, self.heads, self.width).transpose(1, 2)
        k = self.k_proj(x).view(n, length, self.shared, self.width).transpose(1, 2)
        v = self.v_proj(x).view(n, length, self.shared, self.width).transpose(1, 2)
        if self.rotary is not None:
            q, k = rotate(q, **self.rotary), rotate(k, **self.rotary)
        k, v = (t.repeat_interleave(self.heads // self.shared, 1) for t in (k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(self.width)
        distance = (torch.arange(length)[:, None] - torch.arange(length)).abs()
        if self.alibi:
            scores = scores - torch.tensor(slopes(self.heads), dtype=torch.float64)[:, None, None] * distance
        hidden = later(length)
        if self.window is not None:
            hidden = hidden | (distance >= self.window)
        weights = scores.masked_fill(hidden, -math.inf).softmax(-1)
        return self.o_proj((weights @ v).transpose(1, 2).reshape(n, length, -1))


layer('GroupedQueryAttention', GroupedQuery(8, 4, 2, 2, rotary={}), [random(2, 3, 8)], [8, 4], {'keyValueHeads': 2, 'rotary': True, 'batchFirst': True}, second=True)
layer('GroupedQueryAttention', GroupedQuery(6, 3, 1, 4, bias=True, rotary={'base': 100.0, 'pairs': True}, window=2), [random(1, 5, 6)], [6, 3],
      {'keyValueHeads': 1, 'headDimension': 4, 'bias': True, 'rotary': {'base': 100, 'layout': 'pairs'}, 'window': 2, 'batchFirst': True})
layer('GroupedQueryAttention', GroupedQuery(6, 6, 6, 1, alibi=True), [random(1, 4, 6)], [6, 6], {'alibi': True, 'batchFirst': True})


class Additive(nn.Module):
    """Bahdanau, Cho and Bengio 2015, as Keras has it."""

    def __init__(self, dimension, scale=True):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(dimension)) if scale else None

    def forward(self, query, key, value, hidden=None):
        sums = (query[:, :, None] + key[:, None]).tanh()
        scores = (sums if self.scale is None else sums * self.scale).sum(-1)
        weights = (scores if hidden is None else scores.masked_fill(hidden, -math.inf)).softmax(-1)
        return weights @ value


layer('AdditiveAttention', Additive(3), [random(2, 2, 3), random(2, 4, 3), random(2, 4, 5)], [3], second=True)
layer('AdditiveAttention', Additive(3, False), [random(2, 2, 3), random(2, 3, 3), random(2, 3, 1), torch.tensor([[[False, True, False]], [[False, False, True]]])], [3], {'scale': False},
      given=['$0', '$1', '$2', {'hidden': '$3'}])

# --- pooling, pads and what only rearranges ------------------------------------------------------------------------------
class Call(nn.Module):
    """A function as a module without parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


space = {1: (7,), 2: (5, 6), 3: (4, 3, 5)}
for rank, sizes in space.items():
    pairs = [[2, 1], [0, 1], [1, 0]][:rank]
    flat = [n for pair in reversed(pairs) for n in pair]  # PyTorch lists the last axis first
    for name, mode in (('ZeroPad', 'constant'), ('ReflectionPad', 'reflect'), ('ReplicationPad', 'replicate'), ('CircularPad', 'circular')):
        layer(f'{name}{rank}d', Call(lambda x: F.pad(x, flat, mode)), [random(2, 2, *sizes)], [pairs])
    layer(f'ConstantPad{rank}d', getattr(nn, f'ConstantPad{rank}d')(1, 2.5), [random(1, 2, *sizes)], [1, 2.5])
    layer(f'MaxPool{rank}d', getattr(nn, f'MaxPool{rank}d')(3, stride=2, padding=1, ceil_mode=True), [distinct(1, 2, *sizes)], [3], {'stride': 2, 'padding': 1, 'ceilMode': True})
    layer(f'MaxPool{rank}d', getattr(nn, f'MaxPool{rank}d')(2, return_indices=True), [distinct(1, 2, *sizes)], [2], method='withIndices')
    if rank > 1:
        layer(f'AvgPool{rank}d', getattr(nn, f'AvgPool{rank}d')(2, ceil_mode=True, divisor_override=3), [random(1, 2, *sizes)], [2], {'ceilMode': True, 'divisorOverride': 3})
    layer(f'AvgPool{rank}d', getattr(nn, f'AvgPool{rank}d')(3, stride=2, padding=1, ceil_mode=True), [random(1, 2, *sizes)], [3], {'stride': 2, 'padding': 1, 'ceilMode': True})
    layer(f'AdaptiveAvgPool{rank}d', getattr(nn, f'AdaptiveAvgPool{rank}d')(3), [random(1, 2, *sizes)], [3])
    layer(f'AdaptiveMaxPool{rank}d', getattr(nn, f'AdaptiveMaxPool{rank}d')(2), [distinct(1, 2, *sizes)], [2])
    values, indices = getattr(F, f'max_pool{rank}d')(distinct(1, 2, *sizes), 2, return_indices=True)
    layer(f'MaxUnpool{rank}d', getattr(nn, f'MaxUnpool{rank}d')(2), [values, indices], [2], call=lambda m, v, i: m(v, i, list(sizes)), given=['$0', '$1', list(sizes)])
layer('AdaptiveAvgPool2d', nn.AdaptiveAvgPool2d((None, 2)), [random(1, 2, 3, 5)], [[None, 2]])
layer('AdaptiveMaxPool2d', nn.AdaptiveMaxPool2d((2, 3), return_indices=True), [distinct(1, 2, 4, 5)], [[2, 3]], method='withIndices')
layer('LPPool1d', nn.LPPool1d(2, 3, stride=2), [random(2, 2, 7)], [2, 3], {'stride': 2}, second=True)
layer('LPPool2d', nn.LPPool2d(3, (2, 3), ceil_mode=True), [random(1, 2, 5, 6, low=0.25, high=2)], [3, [2, 3]], {'ceilMode': True})
layer('LPPool3d', Call(lambda x: (F.avg_pool3d(x ** 2, 2) * 8) ** 0.5), [random(1, 1, 4, 2, 3)], [2, 2])
layer('FractionalMaxPool2d', nn.FractionalMaxPool2d((2, 3), output_size=(3, 3)), [distinct(2, 2, 6, 7), random(2, 2, 2, low=0, high=0.99)], [[2, 3]], {'outputSize': [3, 3]},
      call=lambda m, x, s: F.fractional_max_pool2d_with_indices(x, (2, 3), output_size=(3, 3), _random_samples=s.detach()), method='withIndices')
layer('FractionalMaxPool3d', nn.FractionalMaxPool3d(2, output_ratio=0.5), [distinct(1, 2, 6, 4, 6), random(1, 2, 3, low=0, high=0.99)], [2], {'outputRatio': 0.5},
      call=lambda m, x, s: F.fractional_max_pool3d(x, 2, output_ratio=0.5, _random_samples=s.detach()))
layer('GlobalAveragePool', Call(lambda x: x.mean((2, 3))), [random(2, 3, 2, 3)], [])
layer('GlobalMaxPool', Call(lambda x: x.amax((2,), keepdim=True)), [distinct(2, 3, 4)], [], {'keepAxes': True})
layer('Unflatten', nn.Unflatten(1, (2, 3)), [random(2, 6, 2)], [1, [2, 3]])
layer('Permute', Call(lambda x: x.permute(2, 0, 1)), [random(2, 3, 4)], [[2, 0, 1]])
layer('RepeatVector', Call(lambda x: x[:, None].expand(2, 4, 3)), [random(2, 3)], [4])
layer('PixelShuffle', nn.PixelShuffle(2), [random(1, 8, 2, 3)], [2])
layer('PixelUnshuffle', nn.PixelUnshuffle(3), [random(1, 2, 3, 6)], [3])
shuffle = lambda x: x.reshape(2, 3, 2, 2).transpose(1, 2).reshape(2, 6, 2)  # PyTorch's own has no gradient here
assert torch.equal(shuffle(torch.arange(24.0).reshape(2, 6, 2)), nn.ChannelShuffle(3)(torch.arange(24.0).reshape(2, 6, 2)))
layer('ChannelShuffle', Call(shuffle), [random(2, 6, 2)], [3])
layer('Unfold', nn.Unfold((2, 3), dilation=(1, 2), padding=1, stride=(2, 1)), [random(1, 2, 4, 6)], [[2, 3]], {'dilation': [1, 2], 'padding': 1, 'stride': [2, 1]})
layer('Fold', nn.Fold((4, 5), (2, 2), stride=(1, 2), padding=(0, 1)), [random(2, 8, 9)], [[4, 5], 2], {'stride': [1, 2], 'padding': [0, 1]})
for options, theirs, sizes in (
    ({'scaleFactor': 2}, {'scale_factor': 2}, (1, 2, 3)),
    ({'size': 5, 'mode': 'linear', 'alignCorners': True}, {'size': 5, 'mode': 'linear', 'align_corners': True}, (1, 2, 3)),
    ({'scaleFactor': [2, 1.5], 'mode': 'bilinear'}, {'scale_factor': (2, 1.5), 'mode': 'bilinear', 'align_corners': False}, (1, 2, 2, 4)),
    ({'scaleFactor': 2, 'mode': 'bicubic'}, {'scale_factor': 2, 'mode': 'bicubic', 'align_corners': False}, (1, 1, 3, 3)),
    ({'size': [3, 4, 2], 'mode': 'trilinear'}, {'size': (3, 4, 2), 'mode': 'trilinear', 'align_corners': False}, (1, 1, 2, 2, 2)),
):
    layer('Upsample', nn.Upsample(**theirs), [random(*sizes)], [], options)

# --- embeddings, products and convolutions in parts ----------------------------------------------------------------------
bag = torch.tensor([[1, 4, 2], [0, 0, 3]])
for mode in ('sum', 'mean', 'max'):
    layer('EmbeddingBag', nn.EmbeddingBag(5, 3, mode=mode), [bag], [5, 3], {'mode': mode})
    layer('EmbeddingBag', nn.EmbeddingBag(5, 2, mode=mode, padding_idx=1), [torch.tensor([[1, 4], [1, 1], [2, 3]])], [5, 2], {'mode': mode, 'paddingIndex': 1})
    layer('EmbeddingBag', nn.EmbeddingBag(5, 2, mode=mode), [torch.tensor([1, 4, 2, 0, 3]), torch.tensor([0, 2, 2, 5])], [5, 2], {'mode': mode}, given=['$0', {'offsets': '$1'}])
layer('EmbeddingBag', nn.EmbeddingBag(5, 3, mode='sum'), [bag, random(2, 3)], [5, 3], {'mode': 'sum'},
      call=lambda m, x, w: m(x, per_sample_weights=w), given=['$0', {'weights': '$1'}])
layer('EmbeddingBag', nn.EmbeddingBag(5, 2, mode='mean', padding_idx=2), [torch.tensor([1, 2, 2, 0, 3]), torch.tensor([0, 1, 3])], [5, 2], {'mode': 'mean', 'paddingIndex': 2}, given=['$0', {'offsets': '$1'}])


class Reversible(nn.Embedding):
    def reverse(self, x):
        return 2 * torch.tanh(x @ self.weight.T / 2)


layer('ReversibleEmbedding', Reversible(5, 3), [random(2, 3)], [5, 3], {'softCap': 2}, call=lambda m, x: m.reverse(x), method='reverse', second=True)


class Separable(nn.Module):
    def __init__(self, depthwise, pointwise):
        super().__init__()
        self.depthwise, self.pointwise = depthwise, pointwise

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


layer('DepthwiseConv1d', nn.Conv1d(3, 6, 3, groups=3, stride=2), [random(2, 3, 7)], [3, 3], {'multiplier': 2, 'stride': 2})
layer('DepthwiseConv2d', nn.Conv2d(2, 2, (3, 2), groups=2, bias=False), [random(1, 2, 4, 4)], [2, [3, 2]], {'bias': False})
layer('SeparableConv1d', Separable(nn.Conv1d(2, 2, 3, groups=2, padding=1, bias=False), nn.Conv1d(2, 3, 1)), [random(2, 2, 5)], [2, 3, 3], {'padding': 1})
layer('SeparableConv2d', Separable(nn.Conv2d(2, 4, 3, groups=2, bias=False), nn.Conv2d(4, 3, 1)), [random(1, 2, 4, 5)], [2, 3, 3], {'multiplier': 2}, second=True)


class Einsum(nn.Module):
    def __init__(self, equation, shape, bias=None):
        super().__init__()
        self.equation, self.weight = equation, nn.Parameter(torch.zeros(shape))
        self.bias = None if bias is None else nn.Parameter(torch.zeros(bias))

    def forward(self, x):
        y = torch.einsum(self.equation, x, self.weight)
        return y if self.bias is None else y + self.bias


layer('EinsumDense', Einsum('ab,bc->ac', (3, 4), (4,)), [random(2, 3)], ['ab,bc->ac', {'b': 3, 'c': 4}], {'biasAxes': 'c'})
layer('EinsumDense', Einsum('abc,cde->abde', (3, 2, 4), (2, 1)), [random(2, 2, 3)], ['abc,cde->abde', {'c': 3, 'd': 2, 'e': 4}], {'biasAxes': 'd'}, second=True)
layer('EinsumDense', Einsum('...x,xy->...y', (3, 2)), [random(2, 1, 2, 3)], ['...x,xy->...y', {'x': 3, 'y': 2}])
layer('UnitNormalization', Call(lambda x: F.normalize(x, dim=-1)), [random(3, 4)], [], second=True)
layer('Masking', Call(lambda x: x * (x != 1).any(-1, keepdim=True)), [torch.tensor([[[1.0, 2], [1, 1]], [[0, 0], [1, 0]]], dtype=torch.float64)], [1])
classes = torch.tensor([0, 3, 4, 5, 9, 7])
layer('AdaptiveLogSoftmaxWithLoss', nn.AdaptiveLogSoftmaxWithLoss(6, 10, [3, 5], div_value=2.0), [random(6, 6), classes], [6, 10, [3, 5]], {'divisor': 2}, second=True)
layer('AdaptiveLogSoftmaxWithLoss', nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2], head_bias=True), [random(3, 4)], [4, 6, [2]], {'headBias': True}, call=lambda m, x: m.log_prob(x), method='logProbabilities')

# --- weights that are normalised: `norm` is a function of nn's, applied to the layer ---------------------------------------
def normed(name, function, module, inputs, arguments, options=None, **more):
    layer(name, function(module), inputs, arguments, norm=[function.__name__, options or {}], **more)


def weightNorm(module):
    return nn.utils.weight_norm(module)


def weightNormWhole(module):
    return nn.utils.weight_norm(module, dim=None)


def spectralNorm(module):
    return nn.utils.spectral_norm(module)


normed('Linear', weightNorm, nn.Linear(3, 2), [random(2, 3)], [3, 2], second=True)
normed('Conv1d', weightNorm, nn.Conv1d(2, 3, 2), [random(1, 2, 4)], [2, 3, 2])
weightNormWhole.__name__ = 'weightNorm'
normed('Linear', weightNormWhole, nn.Linear(2, 2), [random(2, 2)], [2, 2], {'axis': None})
for training in (True, False):
    normed('Linear', spectralNorm, nn.Linear(3, 2), [random(2, 3)], [3, 2], training=training)
normed('Conv2d', spectralNorm, nn.Conv2d(2, 3, 2), [random(1, 2, 3, 3)], [2, 3, 2])

write('packages/layers/fixtures/networks.json', CASES)
