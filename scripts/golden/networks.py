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

write('packages/layers/fixtures/networks.json', CASES)
