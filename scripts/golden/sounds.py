"""Golden values for packages/audio: files as SoX, SciPy and libsndfile write them, samples as torchaudio reads them, other rates as torchaudio makes them.

Run: /usr/bin/python3 scripts/golden/sounds.py (torchaudio, SciPy, and the package soundfile 0.14 for MP3 and Opus). Writes
packages/audio/fixtures/sounds.json. Bytes and float32 numbers are base64.
"""

import base64
import io
import json
import os
import tempfile

import numpy
import scipy.io.wavfile
import soundfile
import torch
import torchaudio

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
b64 = lambda data: base64.b64encode(data).decode()
floats = lambda x: b64(numpy.ascontiguousarray(numpy.asarray(x), dtype='<f4').tobytes())
rng = numpy.random.default_rng(20261129)


def sound(channels, length, rate, level=0.7):
    t = numpy.arange(length) / rate
    rows = [level * numpy.sin(2 * numpy.pi * (220 + 130 * c) * t + c) + 0.1 * rng.uniform(-1, 1, length) for c in range(channels)]
    return torch.from_numpy(numpy.clip(numpy.stack(rows), -0.99, 0.99).astype(numpy.float32))


def read(data, ending='wav'):
    with tempfile.NamedTemporaryFile(suffix='.' + ending) as file:
        file.write(data)
        file.flush()
        return torchaudio.load(file.name, format=ending)


files = []


def add(name, data, reference=None, rate=None, **more):
    samples, found = read(data) if reference is None else (reference, rate)
    files.append({'name': name, 'bytes': b64(data), 'sampleRate': found, 'channels': samples.shape[0], 'samples': floats(samples), **more})


def sox(channels, **options):
    out = io.BytesIO()
    torchaudio.save(out, sound(channels, 37, 8000), 8000, format='wav', **options)
    return out.getvalue()


def scipy_file(kind, channels=2):
    x = sound(channels, 31, 11025).numpy().T
    values = {'uint8': lambda: (x * 127 + 128).astype(numpy.uint8), 'int16': lambda: (x * 32767).astype(numpy.int16),
              'int32': lambda: (x * 2147483647.0).astype(numpy.int32), 'float32': lambda: x.astype(numpy.float32),
              'float64': lambda: x.astype(numpy.float64)}[kind]()
    out = io.BytesIO()
    scipy.io.wavfile.write(out, 11025, values)
    return out.getvalue()


def sndfile(subtype, channels=2, form='WAV', rate=8000, length=29):
    out = io.BytesIO()
    soundfile.write(out, sound(channels, length, rate).numpy().T, rate, subtype=subtype, format=form)
    return out.getvalue()


for bits in (8, 16, 24, 32):
    add(f'SoX PCM {bits}', sox(1, encoding='PCM_U' if bits == 8 else 'PCM_S', bits_per_sample=bits))
add('SoX float 32', sox(2, encoding='PCM_F', bits_per_sample=32))
add('SoX mu-law', sox(1, encoding='ULAW'))
add('SoX A-law', sox(1, encoding='ALAW'))
add('SoX six channels', sox(6, encoding='PCM_S', bits_per_sample=24))
for kind in ('uint8', 'int16', 'int32', 'float32', 'float64'):
    add(f'SciPy {kind}', scipy_file(kind))
for subtype in ('PCM_16', 'PCM_24', 'FLOAT', 'DOUBLE', 'ULAW', 'ALAW'):
    data = sndfile(subtype, form='WAVEX')
    add(f'libsndfile extensible {subtype}', data)
data = sndfile('PCM_16', form='RF64')
samples, rate = soundfile.read(io.BytesIO(data), dtype='float32')
add('libsndfile RF64', data, reference=torch.from_numpy(samples.T), rate=rate)

packed = []
for name, form, subtype, rate, bound in (('FLAC', 'FLAC', 'PCM_16', 16000, 4e-5), ('Ogg Vorbis', 'OGG', 'VORBIS', 16000, 1e-3),
                                         ('MP3', 'MP3', 'MPEG_LAYER_III', 16000, 1e-3), ('Ogg Opus', 'OGG', 'OPUS', 48000, 1e-2)):
    data = sndfile(subtype, channels=1, form=form, rate=rate, length=rate // 8)
    samples, found = soundfile.read(io.BytesIO(data), dtype='float32')
    packed.append({'name': name, 'bytes': b64(data), 'sampleRate': found, 'length': len(samples), 'tolerance': bound,
                   'samples': floats(samples[:400])})

rates = []
for before, after, options in ((8000, 16000, {}), (16000, 8000, {}), (44100, 16000, {}), (16000, 22050, {}), (48000, 44100, {}), (7, 3, {}),
                               (16000, 8000, {'lowpass_filter_width': 16, 'rolloff': 0.85}),
                               (8000, 11025, {'resampling_method': 'kaiser_window', 'beta': 9.5})):
    x = sound(2, 300, 8000)
    y = torchaudio.functional.resample(x.double(), before, after, **options)
    names = {'lowpass_filter_width': 'lowpassFilterWidth', 'rolloff': 'rolloff', 'beta': 'beta'}
    ours = {names[k]: v for k, v in options.items() if k in names}
    if 'resampling_method' in options:
        ours['window'] = 'kaiser'
    rates.append({'from': before, 'to': after, 'options': ours, 'input': floats(x), 'output': floats(y)})


def trimmed(x, below, frame, hop):
    """librosa.effects.trim, by its definition."""
    padded = numpy.pad(x.astype(numpy.float64), [(0, 0), (frame // 2, frame // 2)])
    count = 1 + (padded.shape[1] - frame) // hop
    power = numpy.array([[numpy.mean(row[t * hop:t * hop + frame] ** 2) for t in range(count)] for row in padded]).mean(0)
    decibels = 10 * numpy.log10(numpy.maximum(1e-10, power)) - 10 * numpy.log10(max(1e-10, power.max()))
    loud = numpy.flatnonzero(decibels > -below)
    return [int(loud[0] * hop), int(min(x.shape[1], (loud[-1] + 1) * hop))] if len(loud) else [0, 0]


trims = []
for channels, below, frame, hop in ((1, 60, 2048, 512), (1, 20, 64, 16), (2, 30, 50, 25)):
    x = sound(channels, 3000, 8000).numpy() * numpy.clip(numpy.sin(numpy.pi * (numpy.arange(3000) - 700) / 1500), 0.0001, 1)
    trims.append({'below': below, 'frameLength': frame, 'hopLength': hop, 'channels': channels, 'input': floats(x),
                  'range': trimmed(x.astype(numpy.float32), below, frame, hop)})

path = os.path.join(ROOT, 'packages/audio/fixtures/sounds.json')
with open(path, 'w') as file:
    lists = {'files': files, 'packed': packed, 'rates': rates, 'trims': trims}
    head = {'source': f'torchaudio {torchaudio.__version__}, SciPy {scipy.__version__}, libsndfile {soundfile.__libsndfile_version__}'}
    text = json.dumps(head)[:-1]
    for name, cases in lists.items():
        text += f', "{name}": [\n' + ',\n'.join(json.dumps(case, separators=(',', ':')) for case in cases) + '\n]'
    file.write(text + '}\n')
print(path, os.path.getsize(path))
