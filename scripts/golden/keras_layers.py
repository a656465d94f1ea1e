"""Golden values for packages/keras: layers as Keras defines them, computed by formulas in NumPy and by PyTorch's functions, from
weights in Keras' shapes. (Keras itself is not needed; its definitions are those of keras.io and of the papers they name.)

Run: python3 scripts/golden/keras_layers.py (needs PyTorch and NumPy). Writes packages/keras/fixtures/layers.json.
"""

import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
generator = np.random.default_rng(17)
cases = []


def random(*shape, low=-1.0, high=1.0):
    return np.round(generator.uniform(low, high, shape) * 64) / 64


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hard2(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def hard3(x):
    return np.clip(x + 3, 0, 6) / 6


def pack(x):
    x = np.asarray(x, dtype=np.float64)
    return {'shape': list(x.shape), 'data': [float('%.7g' % v) for v in x.ravel()]}


def layer(class_name, name, config, inbound):
    return {'class_name': class_name, 'name': name, 'config': {'name': name, **config}, 'inbound_nodes': [[[n, 0, k, {}] for n, k in inbound]] if inbound else []}


def model(inputs, layers, outputs, version):
    """inputs: {name: shape with batch}; layers: [(class, name, config, [inputs])]"""
    made = [layer('InputLayer', n, {'batch_input_shape': [None, *s[1:]], 'dtype': 'float32'}, []) for n, s in inputs.items()]
    made += [layer(c, n, cfg, [i if isinstance(i, tuple) else (i, 0) for i in inb]) for c, n, cfg, inb in layers]
    return {'class_name': 'Functional', 'keras_version': version, 'config': {'name': 'golden', 'layers': made,
            'input_layers': [[n, 0, 0] for n in inputs], 'output_layers': [[n, 0, k] for n, k in outputs]}}


def case(name, xs, layers, weights, outputs, names=None, version='2.12.0'):
    """weights: [(name, values)] in Keras' order; outputs: arrays."""
    inputs = {'input_%d' % (k + 1): x.shape for k, x in enumerate(xs)}
    last = layers[-1][1]
    ends = names or [(last, k) for k in range(len(outputs))]
    cases.append({'name': name, 'model': model(inputs, layers, ends, version),
                  'weights': [{'name': n, **pack(w)} for n, w in weights], 'inputs': [pack(x) for x in xs], 'outputs': [pack(y) for y in outputs]})


def one(name, class_name, config, x, weights, y, version='2.12.0'):
    case(name, [x], [(class_name, 'layer', config, ['input_1'])], [('layer/' + n, w) for n, w in weights], [y], version=version)


# --- products -------------------------------------------------------------------------------------------------------
x, k, b = random(3, 4), random(4, 5), random(5)
one('Dense', 'Dense', {'units': 5, 'activation': 'relu'}, x, [('kernel', k), ('bias', b)], np.maximum(x @ k + b, 0))
x, k = random(2, 3, 4), random(4, 5)
one('Dense of sequences, without bias', 'Dense', {'units': 5, 'use_bias': False, 'activation': 'softmax'}, x, [('kernel', k)], np.exp(x @ k) / np.exp(x @ k).sum(-1, keepdims=True))
for version, f in (('2.12.0', hard2), ('3.3.0', hard3)):
    x, k = random(3, 4, low=-4, high=4), random(4, 5)
    one('Dense with hard_sigmoid of Keras ' + version[0], 'Dense', {'units': 5, 'use_bias': False, 'activation': 'hard_sigmoid'}, x, [('kernel', k)], f(x @ k), version)
x, k, b = random(2, 3, 4), random(4, 2, 5), random(2, 5)
one('EinsumDense', 'EinsumDense', {'equation': 'abc,cde->abde', 'output_shape': [None, 2, 5], 'bias_axes': 'de', 'activation': 'linear'}, x, [('kernel', k), ('bias', b)], np.einsum('abc,cde->abde', x, k) + b)


# --- windows --------------------------------------------------------------------------------------------------------
def same_padding(size, kernel, stride, dilation=1):
    reach = (kernel - 1) * dilation + 1
    total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def convolve(x, k, b, strides, padding, dilation, groups=1):
    """channels last, kernels [...k, in / groups, out], by torch's function on padded input"""
    rank = k.ndim - 2
    t = torch.tensor(x).movedim(-1, 1)
    w = torch.tensor(k).permute(rank + 1, rank, *range(rank))
    pads = []
    for axis in reversed(range(rank)):
        if padding == 'same':
            pads += list(same_padding(x.shape[axis + 1], k.shape[axis], strides[axis], dilation[axis]))
        elif padding == 'causal':
            pads += [(k.shape[axis] - 1) * dilation[axis], 0]
        else:
            pads += [0, 0]
    y = [F.conv1d, F.conv2d, F.conv3d][rank - 1](F.pad(t, pads), w, torch.tensor(b), stride=strides, dilation=dilation, groups=groups)
    return y.movedim(1, -1).numpy()


for name, shape, size, strides, padding, dilation, groups in [
    ('Conv1D', (2, 9, 4), (3,), (1,), 'valid', (1,), 1),
    ('Conv1D', (2, 9, 4), (4,), (2,), 'same', (1,), 1),
    ('Conv1D', (2, 9, 4), (3,), (1,), 'causal', (2,), 1),
    ('Conv2D', (2, 7, 8, 3), (3, 3), (1, 1), 'same', (1, 1), 1),
    ('Conv2D', (2, 8, 8, 3), (3, 3), (2, 2), 'same', (1, 1), 1),
    ('Conv2D', (2, 7, 8, 4), (2, 3), (2, 3), 'same', (1, 1), 2),
    ('Conv2D', (1, 9, 9, 2), (3, 2), (1, 1), 'same', (2, 2), 1),
    ('Conv2D', (1, 9, 8, 2), (3, 2), (2, 1), 'valid', (1, 1), 1),
    ('Conv3D', (1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 1), 'same', (1, 1, 1), 1),
]:
    x, k, b = random(*shape), random(*size, shape[-1] // groups, 4), random(4)
    config = {'filters': 4, 'kernel_size': list(size), 'strides': list(strides), 'padding': padding, 'dilation_rate': list(dilation), 'groups': groups, 'activation': 'linear'}
    one(f'{name} {padding}, strides {strides}, dilation {dilation}, groups {groups}', name, config, x, [('kernel', k), ('bias', b)], convolve(x, k, b, strides, padding, dilation, groups))

x, k, b = random(2, 3, 6, 5), random(3, 3, 3, 4), random(4)
one('Conv2D channels_first', 'Conv2D', {'filters': 4, 'kernel_size': [3, 3], 'data_format': 'channels_first'}, x, [('kernel', k), ('bias', b)], np.moveaxis(convolve(np.moveaxis(x, 1, -1), k, b, (1, 1), 'valid', (1, 1)), -1, 1))

for rank, size, strides, padding, more in [(2, (3, 3), (2, 2), 'same', None), (2, (3, 3), (2, 2), 'valid', None), (2, (2, 2), (3, 3), 'valid', None), (2, (2, 4), (3, 2), 'same', None), (1, (3,), (1,), 'same', None), (2, (4, 4), (2, 2), 'same', None), (2, (3, 3), (2, 2), 'same', (0, 0)), (2, (3, 3), (2, 2), 'valid', (1, 1))]:
    # the gradient of the convolution that goes the other way: from the size of the result to that of the input
    space = (4, 5, 3)[:rank]
    x, k, b = random(2, *space, 3), random(*size, 4, 3), random(4)
    out = []
    for s, kk, st, m in zip(space, size, strides, more or [None] * rank):
        if m is None:
            out.append(s * st if padding == 'same' else s * st + max(kk - st, 0))
        else:
            out.append((s - 1) * st + kk + m - (2 * (kk // 2) if padding == 'same' else 0))
    v = torch.zeros(2, *out, 4, dtype=torch.float64, requires_grad=True)
    t = v.movedim(-1, 1)
    pads = []
    for axis in reversed(range(rank)):
        pads += list(same_padding(out[axis], size[axis], strides[axis])) if padding == 'same' else [0, 0]
    y = [F.conv1d, F.conv2d][rank - 1](F.pad(t, pads), torch.tensor(k).permute(rank + 1, rank, *range(rank)), stride=strides)
    assert list(y.shape[2:]) == list(space), (y.shape, space)
    (y * torch.tensor(x).movedim(-1, 1)).sum().backward()
    config = {'filters': 4, 'kernel_size': list(size), 'strides': list(strides), 'padding': padding}
    if more: config['output_padding'] = list(more)
    one(f'Conv{rank}DTranspose {padding}, kernel {size}, strides {strides}, output_padding {more}', f'Conv{rank}DTranspose', config, x, [('kernel', k), ('bias', b)], v.grad.numpy() + b)

x, k, b = random(2, 6, 5, 3), random(3, 3, 3, 2), random(6)
depth = np.stack([convolve(x[..., c:c + 1], k[:, :, c:c + 1, :], np.zeros(2), (2, 2), 'same', (1, 1)) for c in range(3)], -2).reshape(2, 3, 3, 6)
one('DepthwiseConv2D', 'DepthwiseConv2D', {'kernel_size': [3, 3], 'strides': [2, 2], 'padding': 'same', 'depth_multiplier': 2}, x, [('depthwise_kernel', k), ('bias', b)], depth + b)
p = random(1, 1, 6, 4)
b = random(4)
one('SeparableConv2D', 'SeparableConv2D', {'filters': 4, 'kernel_size': [3, 3], 'strides': [2, 2], 'padding': 'same', 'depth_multiplier': 2}, x, [('depthwise_kernel', k), ('pointwise_kernel', p), ('bias', b)], depth @ p[0, 0] + b)


def pooled(x, size, strides, padding, mean):
    pads = [same_padding(x.shape[a + 1], size[a], strides[a]) if padding == 'same' else (0, 0) for a in range(len(size))]
    filled = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=np.nan)
    out = [(filled.shape[a + 1] - size[a]) // strides[a] + 1 for a in range(len(size))]
    y = np.zeros((x.shape[0], *out, x.shape[-1]))
    for at in np.ndindex(*out):
        window = filled[(slice(None), *[slice(i * s, i * s + n) for i, s, n in zip(at, strides, size)])]
        axes = tuple(range(1, 1 + len(size)))
        y[(slice(None), *at)] = np.nanmean(window, axis=axes) if mean else np.nanmax(window, axis=axes)
    return y


for name, shape, size, strides, padding in [('2D', (2, 7, 6, 3), (2, 2), (2, 2), 'valid'), ('2D', (2, 7, 6, 3), (3, 2), (2, 2), 'same'), ('2D', (1, 5, 5, 2), (3, 3), (1, 1), 'same'), ('1D', (2, 7, 3), (3,), (2,), 'same'), ('3D', (1, 4, 5, 4, 2), (2, 2, 3), (2, 2, 2), 'same')]:
    for mean in (False, True):
        x = random(*shape) - 2
        one(f"{'Average' if mean else 'Max'}Pooling{name} {padding}, {size} by {strides}", f"{'Average' if mean else 'Max'}Pooling{name}", {'pool_size': list(size), 'strides': list(strides), 'padding': padding}, x, [], pooled(x, size, strides, padding, mean))
x = random(2, 4, 3, 5)
one('GlobalAveragePooling2D keepdims', 'GlobalAveragePooling2D', {'keepdims': True}, x, [], x.mean((1, 2), keepdims=True))
one('GlobalMaxPooling2D', 'GlobalMaxPooling2D', {}, x, [], x.max((1, 2)))
one('UpSampling2D', 'UpSampling2D', {'size': [2, 3]}, x, [], x.repeat(2, 1).repeat(3, 2))
one('UpSampling2D bilinear', 'UpSampling2D', {'size': [2, 2], 'interpolation': 'bilinear'}, x, [], F.interpolate(torch.tensor(x).movedim(-1, 1), scale_factor=2, mode='bilinear', align_corners=False).movedim(1, -1).numpy())
one('ZeroPadding2D', 'ZeroPadding2D', {'padding': [[1, 2], [0, 3]]}, x, [], np.pad(x, [(0, 0), (1, 2), (0, 3), (0, 0)]))
one('Cropping2D', 'Cropping2D', {'cropping': [[1, 1], [0, 2]]}, x, [], x[:, 1:-1, :-2])
one('Permute', 'Permute', {'dims': [3, 1, 2]}, x, [], x.transpose(0, 3, 1, 2))
one('Reshape', 'Reshape', {'target_shape': [-1, 6]}, x, [], x.reshape(2, 10, 6))

# the classic fault: the first Dense after pictures
x, k, b = random(2, 4, 5, 3), random(3, 3, 3, 2), random(2)
y = np.maximum(convolve(x, k, b, (1, 1), 'same', (1, 1)), 0)
y = pooled(y, (2, 2), (2, 2), 'valid', False)
d = random(2 * 2 * 2, 3)
case('Dense after Flatten', [x], [('Conv2D', 'conv', {'filters': 2, 'kernel_size': [3, 3], 'padding': 'same', 'activation': 'relu'}, ['input_1']), ('MaxPooling2D', 'pool', {}, ['conv']), ('Flatten', 'flat', {}, ['pool']), ('Dense', 'dense', {'units': 3, 'use_bias': False}, ['flat'])],
     [('conv/kernel', k), ('conv/bias', b), ('dense/kernel', d)], [y.reshape(2, -1) @ d])
y = convolve(x, k, b, (1, 1), 'same', (1, 1))
z = convolve(x, k[:, :, :, :1], b[:1], (1, 1), 'same', (1, 1))
case('Concatenate of pictures, softmax over channels, and a sum', [x], [('Conv2D', 'a', {'filters': 2, 'kernel_size': [3, 3], 'padding': 'same'}, ['input_1']), ('Conv2D', 'b', {'filters': 1, 'kernel_size': [3, 3], 'padding': 'same'}, ['input_1']), ('Concatenate', 'both', {'axis': -1}, ['a', 'b']), ('Activation', 'soft', {'activation': 'softmax'}, ['both']), ('Add', 'sum', {}, ['soft', 'input_1'])],
     [('a/kernel', k), ('a/bias', b), ('b/kernel', k[:, :, :, :1]), ('b/bias', b[:1])], [np.exp(np.concatenate([y, z], -1)) / np.exp(np.concatenate([y, z], -1)).sum(-1, keepdims=True) + x])

# --- normalisation --------------------------------------------------------------------------------------------------
for name, shape, axis, config in [('pictures', (2, 3, 4, 5), -1, {}), ('rows', (3, 5), -1, {'scale': False}), ('sequences', (2, 4, 5), [2], {'center': False}), ('channels first', (2, 5, 3, 4), 1, {})]:
    x = random(*shape)
    g, b, m, v = random(5), random(5), random(5), random(5, low=0.5, high=2)
    spread = [1] * len(shape)
    spread[axis if isinstance(axis, int) else axis[0]] = 5
    r = lambda t: t.reshape(spread)
    y = (x - r(m)) / np.sqrt(r(v) + 0.01) * (r(g) if config.get('scale', True) else 1) + (r(b) if config.get('center', True) else 0)
    weights = ([('gamma', g)] if config.get('scale', True) else []) + ([('beta', b)] if config.get('center', True) else []) + [('moving_mean', m), ('moving_variance', v)]
    one('BatchNormalization of ' + name, 'BatchNormalization', {'axis': axis, 'epsilon': 0.01, 'momentum': 0.99, **config}, x, weights, y)
x, g, b = random(2, 3, 4), random(4), random(4)
one('LayerNormalization', 'LayerNormalization', {'axis': [-1]}, x, [('gamma', g), ('beta', b)], (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 0.001) * g + b)
g = random(3)
one('LayerNormalization along another axis', 'LayerNormalization', {'axis': 1, 'center': False}, x, [('gamma', g)], (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 0.001) * g[:, None])
x, g, b = random(2, 3, 4, 6), random(6), random(6)
one('GroupNormalization', 'GroupNormalization', {'groups': 3}, x, [('gamma', g), ('beta', b)], F.group_norm(torch.tensor(x).movedim(-1, 1), 3, torch.tensor(g), torch.tensor(b), 0.001).movedim(1, -1).numpy(), '3.3.0')
m, v = random(6), random(6, low=0.5, high=2)
one('Normalization', 'Normalization', {'axis': [-1]}, x, [('mean', m), ('variance', v), ('count', np.array(0.0))], (x - m) / np.sqrt(v))
one('Rescaling', 'Rescaling', {'scale': 0.5, 'offset': -1.0}, x, [], x * 0.5 - 1)
a = random(4, 1, 6)
x = random(2, 4, 3, 6)
one('PReLU', 'PReLU', {'shared_axes': [2]}, x, [('alpha', a)], np.where(x > 0, x, x * a))
one('LeakyReLU', 'LeakyReLU', {'alpha': 0.3}, x, [], np.where(x > 0, x, 0.3 * x))
one('ReLU', 'ReLU', {'max_value': 0.5, 'negative_slope': 0.1, 'threshold': 0.25}, x, [], np.minimum(np.where(x >= 0.25, x, 0.1 * (x - 0.25)), 0.5))


# --- recurrence -----------------------------------------------------------------------------------------------------
def lstm(x, k, r, b, gate=sigmoid, act=np.tanh, mask=None, h=None, c=None):
    n, t, _ = x.shape
    u = r.shape[0]
    h = np.zeros((n, u)) if h is None else h
    c = np.zeros((n, u)) if c is None else c
    out, before = [], np.zeros((n, u))
    for s in range(t):
        z = x[:, s] @ k + h @ r + b
        i, f, g, o = gate(z[:, :u]), gate(z[:, u:2 * u]), act(z[:, 2 * u:3 * u]), gate(z[:, 3 * u:])
        c2 = f * c + i * g
        h2 = o * act(c2)
        if mask is not None:
            keep = mask[:, s][:, None]
            h2, c2, o2 = np.where(keep, h2, h), np.where(keep, c2, c), np.where(keep, h2, before)
        else:
            o2 = h2
        h, c, before = h2, c2, o2
        out.append(o2)
    return np.stack(out, 1), h, c


def gru(x, k, r, b, after, gate=sigmoid, act=np.tanh):
    n, t, _ = x.shape
    u = r.shape[0]
    h = np.zeros((n, u))
    out = []
    bi, br = (b[0], b[1]) if after else (b, np.zeros(3 * u))
    for s in range(t):
        xz = x[:, s] @ k + bi
        if after:
            hz = h @ r + br
            z, rr = gate(xz[:, :u] + hz[:, :u]), gate(xz[:, u:2 * u] + hz[:, u:2 * u])
            g = act(xz[:, 2 * u:] + rr * hz[:, 2 * u:])
        else:
            z, rr = gate(xz[:, :u] + h @ r[:, :u]), gate(xz[:, u:2 * u] + h @ r[:, u:2 * u])
            g = act(xz[:, 2 * u:] + (rr * h) @ r[:, 2 * u:])
        h = z * h + (1 - z) * g
        out.append(h)
    return np.stack(out, 1), h


x, k, r, b = random(2, 5, 3), random(3, 16), random(4, 16), random(16)
W = [('lstm_cell/kernel', k), ('lstm_cell/recurrent_kernel', r), ('lstm_cell/bias', b)]
ys, h, c = lstm(x, k, r, b)
one('LSTM', 'LSTM', {'units': 4}, x, W, h)
one('LSTM, sequences', 'LSTM', {'units': 4, 'return_sequences': True, 'recurrent_activation': 'sigmoid'}, x, W, ys)
case('LSTM with its states', [x], [('LSTM', 'layer', {'units': 4, 'return_sequences': True, 'return_state': True}, ['input_1'])], [('layer/' + n, w) for n, w in W], [ys, h, c])
ys, h, c = lstm(x, k, r, b, gate=hard2)
one('LSTM with hard gates', 'LSTM', {'units': 4, 'recurrent_activation': 'hard_sigmoid'}, x, W, h)
ys, h, c = lstm(x[:, ::-1], k, r, b)
one('LSTM backwards', 'LSTM', {'units': 4, 'go_backwards': True, 'return_sequences': True}, x, W, ys)
h0, c0 = random(2, 4), random(2, 4)
ys, h, c = lstm(x, k, r, b, h=h0, c=c0)
case('LSTM from states', [x, h0, c0], [('LSTM', 'layer', {'units': 4}, ['input_1', 'input_2', 'input_3'])], [('layer/' + n, w) for n, w in W], [h])
masked = x.copy()
masked[0, 3:] = -1
masked[1, 1] = -1
mask = (masked != -1).any(-1)
ys, h, c = lstm(np.where(mask[..., None], masked, 0), k, r, b, mask=mask)
case('LSTM of masked steps', [masked], [('Masking', 'mask', {'mask_value': -1.0}, ['input_1']), ('LSTM', 'layer', {'units': 4, 'return_sequences': True}, ['mask'])], [('layer/' + n, w) for n, w in W], [ys])
case('LSTM of masked steps, the last', [masked], [('Masking', 'mask', {'mask_value': -1.0}, ['input_1']), ('LSTM', 'layer', {'units': 4}, ['mask'])], [('layer/' + n, w) for n, w in W], [h])
k2, r2, b2 = random(3, 16), random(4, 16), random(16)
f, fh, _ = lstm(x, k, r, b)
g, gh, _ = lstm(x[:, ::-1], k2, r2, b2)
W2 = [('forward_lstm/' + n, w) for n, w in W] + [('backward_lstm/lstm_cell/kernel', k2), ('backward_lstm/lstm_cell/recurrent_kernel', r2), ('backward_lstm/lstm_cell/bias', b2)]
inner = {'class_name': 'LSTM', 'config': {'name': 'lstm', 'units': 4, 'return_sequences': True}}
one('Bidirectional', 'Bidirectional', {'layer': inner, 'merge_mode': 'concat'}, x, W2, np.concatenate([f, g[:, ::-1]], -1))
inner = {'class_name': 'LSTM', 'config': {'name': 'lstm', 'units': 4}}
one('Bidirectional, the last, summed', 'Bidirectional', {'layer': inner, 'merge_mode': 'sum'}, x, W2, fh + gh)
for after in (True, False):
    k, r, b = random(3, 12), random(4, 12), random(2, 12) if after else random(12)
    ys, h = gru(x, k, r, b, after)
    one('GRU, reset_after ' + str(after), 'GRU', {'units': 4, 'reset_after': after, 'return_sequences': True}, x, [('gru_cell/kernel', k), ('gru_cell/recurrent_kernel', r), ('gru_cell/bias', b)], ys)
k, r, b = random(3, 4), random(4, 4), random(4)
h = np.zeros((2, 4))
for s in range(5):
    h = np.tanh(x[:, s] @ k + h @ r + b)
one('SimpleRNN', 'SimpleRNN', {'units': 4}, x, [('simple_rnn_cell/kernel', k), ('simple_rnn_cell/recurrent_kernel', r), ('simple_rnn_cell/bias', b)], h)
k, b = random(3, 5), random(5)
one('TimeDistributed', 'TimeDistributed', {'layer': {'class_name': 'Dense', 'config': {'name': 'dense', 'units': 5, 'activation': 'tanh'}}}, x, [('kernel', k), ('bias', b)], np.tanh(x @ k + b))

# ConvLSTM2D: the input's convolution as the layer says, the state's keeps its size
x, k, r, b = random(2, 3, 6, 5, 2), random(3, 3, 2, 12), random(3, 3, 3, 12), random(12)
h, c = np.zeros((2, 4, 3, 3)), np.zeros((2, 4, 3, 3))
for s in range(3):
    z = convolve(x[:, s], k, b, (1, 1), 'valid', (1, 1)) + convolve(h, r, np.zeros(12), (1, 1), 'same', (1, 1))
    i, f, g, o = hard2(z[..., :3]), hard2(z[..., 3:6]), np.tanh(z[..., 6:9]), hard2(z[..., 9:])
    c = f * c + i * g
    h = o * np.tanh(c)
one('ConvLSTM2D', 'ConvLSTM2D', {'filters': 3, 'kernel_size': [3, 3], 'recurrent_activation': 'hard_sigmoid'}, x, [('kernel', k), ('recurrent_kernel', r), ('bias', b)], h)

# --- attention ------------------------------------------------------------------------------------------------------
def soft(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


q, v = random(2, 3, 4), random(2, 5, 4)
case('Attention', [q, v], [('Attention', 'layer', {'use_scale': False}, ['input_1', 'input_2'])], [], [soft(q @ v.transpose(0, 2, 1)) @ v])
s = random(4)
case('AdditiveAttention', [q, v], [('AdditiveAttention', 'layer', {}, ['input_1', 'input_2'])], [('layer/scale', s)], [soft((np.tanh(q[:, :, None] + v[:, None]) * s).sum(-1)) @ v])
wq, wk, wv, wo = random(4, 2, 3), random(4, 2, 3), random(4, 2, 5), random(2, 5, 4)
bq, bk, bv, bo = random(2, 3), random(2, 3), random(2, 5), random(4)
Q = np.einsum('bsd,dhk->bhsk', q, wq) + bq[None, :, None]
K = np.einsum('bsd,dhk->bhsk', v, wk) + bk[None, :, None]
V = np.einsum('bsd,dhk->bhsk', v, wv) + bv[None, :, None]
y = np.einsum('bhsk,hkd->bsd', soft(Q @ K.transpose(0, 1, 3, 2) / math.sqrt(3)) @ V, wo) + bo
case('MultiHeadAttention', [q, v], [('MultiHeadAttention', 'layer', {'num_heads': 2, 'key_dim': 3, 'value_dim': 5}, ['input_1', 'input_2'])],
     [('layer/query/kernel', wq), ('layer/query/bias', bq), ('layer/key/kernel', wk), ('layer/key/bias', bk), ('layer/value/kernel', wv), ('layer/value/bias', bv), ('layer/attention_output/kernel', wo), ('layer/attention_output/bias', bo)], [y])
indices = np.array([[1, 3, 0], [2, 0, 0]])
e = random(5, 4)
k, r, b = random(4, 12), random(3, 12), random(12)
mask = indices != 0
ys, h, c = lstm(e[indices], k, r, b, mask=mask)
case('Embedding that masks zeros', [indices], [('Embedding', 'embed', {'input_dim': 5, 'output_dim': 4, 'mask_zero': True}, ['input_1']), ('LSTM', 'lstm', {'units': 3}, ['embed'])], [('embed/embeddings', e), ('lstm/lstm_cell/kernel', k), ('lstm/lstm_cell/recurrent_kernel', r), ('lstm/lstm_cell/bias', b)], [h])
a, b = random(2, 4, 3), random(2, 5, 4)
case('Dot', [a, b], [('Dot', 'layer', {'axes': [1, 2], 'normalize': False}, ['input_1', 'input_2'])], [], [np.einsum('bij,bki->bjk', a, b)])

path = os.path.join(ROOT, 'packages', 'keras', 'fixtures', 'layers.json')
with open(path, 'w') as file:
    file.write('[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]\n')
print(len(cases), 'cases,', os.path.getsize(path), 'bytes')
