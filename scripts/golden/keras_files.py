"""Models that Keras 3 itself made: what it writes of each (description, paths of a .keras, names of a .h5) and what it computes.

Run with a Python that has Keras 3 and JAX (`pip install keras jax`): KERAS_BACKEND=jax python3 scripts/golden/keras_files.py
Writes packages/keras/fixtures/written.json (one model a line) and three whole files beside it. Only needed to change them.
"""

import json
import os
import re
import tempfile
import zipfile

os.environ.setdefault('KERAS_BACKEND', 'jax')

import h5py
import keras
import numpy as np
from keras import layers as L
from keras import ops

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
FOLDER = os.path.join(ROOT, 'packages/keras/fixtures')
generator = np.random.default_rng(23)
lines = []


def random(*shape, low=-1.0, high=1.0):
    return (np.round(generator.uniform(low, high, shape) * 64) / 64).astype('float32')


def pack(x):
    x = np.asarray(x)
    return {'shape': list(x.shape), 'data': [float('%.7g' % v) for v in x.astype('float64').ravel()]}


def arrays_in(path):
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item)
    with h5py.File(path, 'r') as file:
        file.visititems(visit)
    return found


def short(config):
    """Without what says only where Keras' classes lie, and the numbers of objects in its memory."""
    if isinstance(config, list):
        return [short(item) for item in config]
    if not isinstance(config, dict):
        return config
    return {key: short(value) for key, value in config.items() if key != 'shared_object_id'}


def settle(model):
    """Weights that JSON holds in few digits; variances are positive, counts of seeds stay."""
    for variable in model.weights:
        # Normalization computes with what it was adapted to
        if re.search('seed|/(mean|variance|count)$', variable.path):
            continue
        low = 0.25 if re.search('variance|gamma|scale', variable.path) else -1.0
        variable.assign(random(*variable.shape, low=low).astype('float32'))


def legacy_of(model, path, weights):
    """The names in a .h5, by layer, and the paths of the same arrays in a .keras; None where Keras cannot write one."""
    try:
        model.save(path)
    except TypeError as error:
        print('no .h5:', model.layers[-1].__class__.__name__, error)
        return None
    decode = lambda names: [n.decode() if isinstance(n, bytes) else str(n) for n in names]
    with h5py.File(path, 'r') as file:
        group = file['model_weights']
        groups = {layer: decode(group[layer].attrs['weight_names']) for layer in decode(group.attrs['layer_names'])}
        values = [np.asarray(group[layer][n]) for layer, names in groups.items() for n in names]
    # the same numbers in both files tell which name belongs to which path
    order = []
    for value in values:
        order.append(next(p for p, w in weights.items() if p not in order and w.shape == value.shape and np.array_equal(w, value)))
    return {'groups': groups, 'paths': order}


def case(name, model, xs, save=None):
    settle(model)
    outputs = model(xs if len(xs) > 1 else xs[0], training=False)
    outputs = [np.asarray(y) for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'm.keras')
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            description = short(json.loads(archive.read('config.json')))
            archive.extract('model.weights.h5', folder)
        weights = arrays_in(os.path.join(folder, 'model.weights.h5'))
        legacy = legacy_of(model, os.path.join(folder, 'm.h5'), weights)
        for ending in save or []:
            model.save(os.path.join(FOLDER, ending))
    lines.append({'name': name, 'description': description, 'weights': [{'path': p, **pack(w)} for p, w in weights.items()],
                  'legacy': legacy, 'inputs': [pack(x) for x in xs],
                  'outputs': [pack(y) for y in outputs]})


def one(layer, *xs, dtype='float32', name=None):
    """A functional model of one layer."""
    inputs = [keras.Input(x.shape[1:], dtype='int32' if x.dtype.kind == 'i' else dtype, name='input_%d' % k) for k, x in enumerate(xs)]
    result = layer(inputs if len(inputs) > 1 else inputs[0])
    case(name or layer.__class__.__name__, keras.Model(inputs if len(inputs) > 1 else inputs[0], result, name='model'), list(xs))


def row(name, *items, x, save=None):
    model = keras.Sequential([keras.Input(x.shape[1:], dtype='int32' if x.dtype.kind == 'i' else 'float32', name='input')] + list(items), name='row')
    case(name, model, [x], save)


# --- one layer each --------------------------------------------------------------------------------------------------
one(L.Dense(3, activation='relu', kernel_regularizer='l2', kernel_constraint=keras.constraints.MaxNorm(2)), random(2, 4))
one(L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de'), random(2, 2, 4))
one(L.Embedding(5, 3), np.array([[0, 4, 2]], dtype='int32'))
for name in ['relu', 'relu6', 'sigmoid', 'tanh', 'softmax', 'log_softmax', 'softplus', 'softsign', 'selu', 'elu', 'exponential', 'silu', 'gelu',
             'mish', 'hard_sigmoid', 'hard_silu', 'leaky_relu', 'log_sigmoid', 'celu', 'glu', 'hard_tanh', 'hard_shrink', 'soft_shrink',
             'tanh_shrink', 'sparse_plus', 'sparse_sigmoid', 'sparsemax', 'squareplus']:
    one(L.Activation(name), random(2, 4, low=-4, high=4), name='Activation ' + name)
one(L.ReLU(max_value=2, negative_slope=0.25, threshold=0.5), random(2, 4, low=-3, high=3))
one(L.LeakyReLU(negative_slope=0.1), random(2, 4))
one(L.ELU(alpha=0.5), random(2, 4))
one(L.PReLU(shared_axes=[1]), random(1, 2, 3))
one(L.Softmax(axis=1), random(1, 3, 2))
one(L.Conv1D(2, 3, padding='causal', dilation_rate=2), random(1, 6, 2))
one(L.Conv2D(2, (3, 2), strides=2, padding='same', activation='tanh'), random(1, 5, 6, 2))
one(L.Conv2D(4, 1, groups=2, use_bias=False), random(1, 2, 2, 4), name='Conv2D in groups')
one(L.Conv2D(2, 2, data_format='channels_first'), random(1, 2, 3, 3), name='Conv2D, channels first')
one(L.Conv3D(2, 2), random(1, 3, 3, 2, 1))
one(L.Conv1DTranspose(2, 3, strides=2), random(1, 3, 2))
one(L.Conv2DTranspose(2, 3, strides=2, padding='same'), random(1, 2, 3, 2))
one(L.Conv3DTranspose(1, 2), random(1, 2, 2, 2, 2))
one(L.DepthwiseConv1D(2, depth_multiplier=2), random(1, 4, 2))
one(L.DepthwiseConv2D(2, depth_multiplier=2, padding='same'), random(1, 3, 3, 2))
one(L.SeparableConv1D(3, 2), random(1, 4, 2))
one(L.SeparableConv2D(3, 2, depth_multiplier=2), random(1, 3, 3, 2))
for kind in ['Max', 'Average']:
    for rank in [1, 2, 3]:
        size = [1] + [5, 4, 3][:rank] + [2]
        one(getattr(L, '%sPooling%dD' % (kind, rank))(2, strides=1 if rank == 2 else 2, padding='same'), random(*size))
        one(getattr(L, 'Global%sPooling%dD' % (kind, rank))(keepdims=rank == 2), random(*size))
        one(getattr(L, 'Adaptive%sPooling%dD' % (kind, rank))(2), random(*size))
one(L.BatchNormalization(momentum=0.9), random(2, 3))
one(L.BatchNormalization(scale=False, epsilon=0.01), random(1, 2, 2, 3), name='BatchNormalization of pictures')
one(L.LayerNormalization(), random(2, 4))
one(L.LayerNormalization(axis=[1, 2], center=False), random(2, 2, 3), name='LayerNormalization of two axes')
one(L.RMSNormalization(), random(2, 4))
one(L.GroupNormalization(2), random(1, 2, 2, 4))
one(L.UnitNormalization(), random(2, 4))
one(L.Flatten(), random(1, 2, 2, 3))
one(L.Reshape((3, -1)), random(1, 2, 6))
one(L.Permute((2, 1)), random(1, 2, 3))
one(L.RepeatVector(2), random(2, 3))
one(L.Cropping1D((1, 2)), random(1, 5, 2))
one(L.Cropping2D(((1, 0), (2, 1))), random(1, 3, 5, 1))
one(L.Cropping3D(1), random(1, 3, 3, 4, 1))
one(L.ZeroPadding1D(2), random(1, 2, 2))
one(L.ZeroPadding2D(((1, 0), (0, 2))), random(1, 2, 2, 1))
one(L.ZeroPadding3D((1, 0, 1)), random(1, 1, 2, 1, 1))
one(L.UpSampling1D(3), random(1, 2, 2))
one(L.UpSampling2D((2, 3), interpolation='bilinear'), random(1, 2, 2, 1))
one(L.UpSampling3D(2), random(1, 1, 2, 1, 1))
one(L.Resizing(3, 5), random(1, 4, 4, 1))
one(L.CenterCrop(2, 2), random(1, 4, 5, 1))
a, b = random(2, 3), random(2, 3)
for name in ['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate']:
    one(getattr(L, name)(), a, b)
one(L.Concatenate(axis=1), random(1, 2, 2), random(1, 1, 2), name='Concatenate of steps')
one(L.Dot(axes=(2, 1), normalize=True), random(1, 2, 3), random(1, 3, 2))
x = random(2, 4, 3)
one(L.LSTM(2, return_sequences=True), x)
one(L.LSTM(2, activation='relu', recurrent_activation='hard_sigmoid', go_backwards=True, return_state=True), x, name='LSTM with states')
one(L.GRU(2), x)
one(L.GRU(2, reset_after=False, use_bias=False, return_sequences=True), x, name='GRU that resets before')
one(L.SimpleRNN(2, dropout=0.25), x)
one(L.RNN([L.LSTMCell(2), L.GRUCell(3), L.SimpleRNNCell(2)]), x, name='RNN of three cells')
one(L.RNN(L.GRUCell(2), return_sequences=True), x, name='RNN of a cell')
one(L.Bidirectional(L.LSTM(2, return_sequences=True)), x)
one(L.Bidirectional(L.GRU(2), backward_layer=L.GRU(2, go_backwards=True), merge_mode='sum'), x, name='Bidirectional of two layers')
one(L.TimeDistributed(L.Dense(2)), x)
one(L.TimeDistributed(L.Conv2D(2, 2)), random(1, 2, 3, 3, 1), name='TimeDistributed of pictures')
one(L.ConvLSTM1D(2, 2, padding='same'), random(1, 2, 3, 1))
one(L.ConvLSTM2D(1, 2, return_sequences=True), random(1, 2, 3, 3, 1))
one(L.ConvLSTM3D(1, 1), random(1, 2, 2, 2, 2, 1))
one(L.Attention(use_scale=True), random(1, 3, 2), random(1, 4, 2))
one(L.AdditiveAttention(), random(1, 3, 2), random(1, 4, 2))
one(L.Rescaling(0.5, offset=-1), random(1, 2, 2, 1))
one(L.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.25]), random(2, 2))
adapted = L.Normalization()
adapted.adapt(random(8, 2))
one(adapted, random(2, 2), name='Normalization that was adapted')
one(L.CategoryEncoding(4, output_mode='multi_hot'), np.array([[0, 2, 2]], dtype='int32'))
one(L.Discretization(bin_boundaries=[-0.5, 0.0, 0.5]), random(2, 3))
one(L.Identity(), a)
one(L.ActivityRegularization(l2=0.1), a)
for layer in [L.Dropout(0.3), L.GaussianDropout(0.2), L.GaussianNoise(0.1), L.AlphaDropout(0.2)]:
    one(layer, a)
for rank in [1, 2, 3]:
    one(getattr(L, 'SpatialDropout%dD' % rank)(0.3), random(*([1] + [2] * rank + [2])))
for layer in [L.RandomFlip(), L.RandomRotation(0.1), L.RandomZoom(0.2), L.RandomContrast(0.2), L.RandomTranslation(0.1, 0.1), L.RandomBrightness(0.1)]:
    one(layer, random(1, 3, 3, 3, low=0))


# --- calls with several inputs, masks, graphs --------------------------------------------------------------------------
def graph(name, shapes, make, save=None, dtype='float32'):
    inputs = [keras.Input(shape, name='input_%d' % k, dtype=dtype) for k, shape in enumerate(shapes)]
    outputs = make(*inputs)
    xs = [np.array(generator.integers(0, 5, (2, *[s or 3 for s in shape])), dtype='int32') if dtype == 'int32' else random(2, *[s or 3 for s in shape]) for shape in shapes]
    case(name, keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name='model'), xs, save)


graph('MultiHeadAttention', [(3, 4), (5, 4)], lambda q, v: L.MultiHeadAttention(2, 3)(q, v))
graph('MultiHeadAttention of itself, causal', [(3, 4)], lambda x: L.MultiHeadAttention(2, 2, use_bias=False)(x, x, use_causal_mask=True))
graph('MultiHeadAttention with scores', [(3, 4), (2, 4)], lambda q, v: list(L.MultiHeadAttention(1, 2)(q, v, return_attention_scores=True)))
graph('GroupQueryAttention', [(3, 4)], lambda x: L.GroupQueryAttention(2, 4, 2)(x, x))
graph('a mask through LSTM', [(4,)], lambda x: L.LSTM(2)(L.Embedding(5, 3, mask_zero=True)(x)), dtype='int32')
graph('a mask of values', [(4, 2)], lambda x: L.GRU(2, return_sequences=True)(L.Masking()(x)))
graph('states handed on', [(3, 2), (4, 2)], lambda a, b: L.LSTM(2)(b, initial_state=L.LSTM(2, return_state=True)(a)[1:]))
graph('a layer that is called twice', [(3,), (3,)], lambda a, b: (lambda d: L.Add()([d(a), d(d(b))]))(L.Dense(3, activation='tanh')))
graph('two outputs, repeated classes', [(4,)], lambda x: (lambda h: [L.Dense(2, name='first')(h), L.Dense(3, name='second')(h)])(L.BatchNormalization()(L.Dense(4)(L.Dropout(0.5)(x)))))
graph('steps of any number', [(None, 3)], lambda x: L.Dense(2)(L.LSTM(2, return_sequences=True)(x)))
graph('pictures of any size', [(None, None, 1)], lambda x: L.GlobalAveragePooling2D()(L.Conv2D(2, 2, padding='same')(x)))
graph('operations', [(3, 4)], lambda x: ops.mean(x * 2 + 1, axis=1) - ops.sum(ops.exp(x), axis=1))
graph('operations of numbers first', [(3,)], lambda x: 1 - x / 2)
graph('parts of steps', [(4, 3)], lambda x: ops.concatenate([x[:, -1], x[:, 1:3, 0], x[:, ::2, 1]], axis=-1))
graph('operations on shapes', [(4, 3)], lambda x: ops.reshape(ops.transpose(ops.cast(x > 0, 'float32') * ops.gelu(x), (0, 2, 1)), (-1, 12)))
graph('operations of arrays', [(3,)], lambda x: ops.where(x > 0, x, ops.clip(x, -0.5, 0.5)) * np.array([1.0, 2.0, 3.0], dtype='float32'))
graph('ends of sums', [(3, 2)], lambda x: ops.stack([ops.max(x, axis=1), ops.min(x, axis=1)], axis=1) + ops.einsum('abc,abd->acd', x, x))
graph('operations of several', [(3,), (3,)], lambda a, b: ops.concatenate([ops.maximum(a, b), ops.sqrt(ops.abs(a))], axis=-1))
inner = keras.Sequential([keras.Input((4,)), L.Dense(3, activation='relu'), L.Dense(2)], name='inner')
graph('a Sequential in a graph', [(4,), (4,)], lambda a, b: L.Concatenate()([inner(a), inner(b)]))
i = keras.Input((4,))
encoder = keras.Model(i, [L.Dense(2, name='mean')(i), L.Dense(2, name='spread')(i)], name='encoder')
graph('a graph in a graph, twice', [(4,)], lambda x: L.Add()(list(encoder(x)) + list(encoder(L.Dense(4)(x)))), save=['nested.keras'])
i = keras.Input((3,))
twice = keras.Model(i, L.Dense(3, activation='tanh')(i), name='twice')
graph('a graph at the end, twice', [(3,)], lambda x: (lambda first: [first, twice(L.Dense(3)(first)), L.Dense(2)(first)])(twice(x)))
row('models in rows', keras.Sequential([keras.Input((4,)), L.Dense(3)], name='deep'), L.Dense(2), x=random(2, 4))
row('pictures', L.Conv2D(3, 3, padding='same', activation='relu'), L.BatchNormalization(), L.MaxPooling2D(), L.Dropout(0.25), L.DepthwiseConv2D(3), L.Flatten(), L.Dense(4, activation='softmax'),
    x=random(1, 8, 8, 1), save=['pictures.keras'])
row('words', L.Embedding(6, 4, mask_zero=True), L.Bidirectional(L.LSTM(3)), L.Dense(2, activation='sigmoid'), x=np.array([[1, 5, 2, 0, 0]], dtype='int32'), save=['words.h5'])

text = ',\n'.join(json.dumps(line, separators=(',', ':')) for line in lines)
with open(os.path.join(FOLDER, 'written.json'), 'w') as file:
    file.write('{"source":"Keras %s","cases":[\n%s\n]}\n' % (keras.__version__, text))
print(len(lines), 'models,', os.path.getsize(os.path.join(FOLDER, 'written.json')) // 1000, 'kB')


# --- what each class of Keras 3 may be given ---------------------------------------------------------------------------
def settings_of(cls):
    import inspect
    names = []
    for base in cls.__mro__:
        if '__init__' not in base.__dict__:
            continue
        parameters = inspect.signature(base.__init__).parameters.values()
        names += [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != 'self' and p.name not in names]
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return [n for n in names if n not in ('name', 'trainable', 'dtype', 'autocast', 'activity_regularizer', 'rank', 'kwargs')]


skipped = re.compile('Input|^Layer$|^Lambda$|Wrapper$|FlaxLayer|JaxLayer|TFSM|Lookup|TextVector|Hash|Pipeline|Spectrogram|Quantized|Boxes')
rows = []
for name in sorted(n for n in dir(L) if n[0].isupper() and not skipped.search(n)):
    cls = getattr(L, name)
    if cls.__name__ in (name, 'GroupedQueryAttention'):
        rows.append("  %s: '%s'," % (name, ' '.join(settings_of(cls))))
header = '''/** What each class of layers of Keras 3 may be given, beside name, trainable and dtype. Written by scripts/golden/keras_files.py. */
export const keras3Settings: Readonly<Record<string, string>> = {
%s
};
''' % '\n'.join(rows)
with open(os.path.join(FOLDER, '../src/config/keras3-settings.ts'), 'w') as file:
    file.write(header)
print(len(rows), 'classes')
