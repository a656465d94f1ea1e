"""Golden values for packages/audio/src/features and src/augment: torchaudio's transforms and its phase vocoder; librosa's and Whisper's conventions by their formulas in NumPy.

Run: /usr/bin/python3 scripts/golden/sound_features.py (torchaudio). Writes packages/audio/fixtures/features.json; float32 numbers are base64, and every
signal is a sum of sines that the tests compute as well.
"""

import base64
import json
import math
import os

import numpy
import torch
import torchaudio
import torchaudio.functional as F
import torchaudio.transforms as T

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
floats = lambda x: base64.b64encode(numpy.ascontiguousarray(numpy.asarray(x), dtype='<f4').tobytes()).decode()


def signal(length, seed):
    """0.4 sin(a n) + 0.25 sin(b n^2) + 0.1 hash(n), in float32: that of packages/audio/src/testing.ts."""
    n = numpy.arange(length, dtype=numpy.float64)
    noise = ((n * 7919 + seed * 104729) % 1009) / 1009 - 0.5
    return (0.4 * numpy.sin(0.07 * (1 + seed) * n) + 0.25 * numpy.sin(2e-5 * n * n) + 0.1 * noise).astype(numpy.float32)


cases = []


def add(operation, length, options, output, seed=1, **more):
    cases.append({'operation': operation, 'length': length, 'seed': seed, 'options': options, 'shape': list(output.shape), 'output': floats(output), **more})


def torch_signal(length, seed=1):
    return torch.from_numpy(signal(length, seed)).double()


x = torch_signal(1000)
for options, ours in (({}, {}), (dict(n_fft=64), dict(fftSize=64)), (dict(n_fft=64, hop_length=10, win_length=40, power=1.0), dict(fftSize=64, hopLength=10, windowLength=40, power=1)),
                      (dict(n_fft=50, center=False, power=3.0), dict(fftSize=50, center=False, power=3)), (dict(n_fft=65, pad_mode='constant'), dict(fftSize=65, padMode='constant'))):
    add('spectrogram', 1000, ours, T.Spectrogram(**options).double()(x))
for options, ours in ((dict(n_mels=20), dict(mels=20)), (dict(n_mels=12, n_fft=128, f_min=100.0, f_max=6000.0, sample_rate=16000), dict(mels=12, fftSize=128, lowFrequency=100, highFrequency=6000)),
                      (dict(n_mels=9, n_fft=100, sample_rate=8000, norm='slaney', mel_scale='slaney'), dict(mels=9, fftSize=100, sampleRate=8000, norm='slaney', scale='slaney'))):
    transform = T.MelSpectrogram(**options).double()
    mel = transform(x)
    add('melSpectrogram', 1000, dict(ours, convention='torchaudio'), mel)
    add('logMelSpectrogram', 1000, dict(ours, convention='torchaudio'), T.AmplitudeToDB()(mel))
add('mfcc', 1000, dict(convention='torchaudio', mels=23, coefficients=13), T.MFCC(n_mfcc=13, melkwargs=dict(n_mels=23)).double()(x))
power = T.Spectrogram(n_fft=32).double()(x)
add('deltas', 1000, dict(window=5), F.compute_deltas(power))


def slaney_bank(rate, size, mels):
    """librosa.filters.mel: Slaney's scale, each filter over its width."""
    to_mel = lambda f: f / (200 / 3) if f < 1000 else 15 + numpy.log(f / 1000) / (numpy.log(6.4) / 27)
    to_hertz = lambda m: numpy.where(m < 15, m * 200 / 3, 1000 * numpy.exp(numpy.log(6.4) / 27 * (m - 15)))
    corners = to_hertz(numpy.linspace(0, to_mel(rate / 2), mels + 2))
    hertz = numpy.arange(size // 2 + 1) * rate / size
    ramps = corners[:, None] - hertz[None]
    width = numpy.diff(corners)
    bank = numpy.maximum(0, numpy.minimum(-ramps[:-2] / width[:-1, None], ramps[2:] / width[1:, None]))
    return bank * (2 / (corners[2:] - corners[:-2]))[:, None]


def frames_power(y, size, hop, mode):
    padded = numpy.pad(y.astype(numpy.float64), size // 2, mode=mode)
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(size) / size)
    count = 1 + (len(padded) - size) // hop
    return numpy.abs(numpy.stack([numpy.fft.rfft(window * padded[t * hop:t * hop + size]) for t in range(count)], 1)) ** 2


def power_to_db(power, below):
    decibels = 10 * numpy.log10(numpy.maximum(1e-10, power))
    return numpy.maximum(decibels, decibels.max() - below)


y = signal(6000, 2)
mel = slaney_bank(22050, 2048, 40) @ frames_power(y, 2048, 512, 'constant')
levels = power_to_db(mel, 80)
add('melSpectrogram', 6000, dict(convention='librosa', mels=40), mel, seed=2)
add('logMelSpectrogram', 6000, dict(convention='librosa', mels=40), levels, seed=2)
k = numpy.arange(20)[:, None]
table = numpy.cos(numpy.pi / 40 * (numpy.arange(40)[None] + 0.5) * k) * numpy.sqrt(numpy.where(k == 0, 1, 2) / 40)
add('mfcc', 6000, dict(convention='librosa', mels=40), table @ levels, seed=2)
mel = slaney_bank(16000, 400, 80) @ frames_power(y, 400, 160, 'reflect')[:, :-1]
log = numpy.log10(numpy.maximum(mel, 1e-10))
add('logMelSpectrogram', 6000, dict(convention='whisper'), (numpy.maximum(log, log.max() - 8) + 4) / 4, seed=2)

add('decibels', 1000, dict(range=30, magnitude=True, floor=1e-5, reference=2), F.amplitude_to_DB(power, 20.0, 1e-5, math.log10(2), 30.0), of='power')
add('griffinLim', 1000, dict(fftSize=32, iterations=6, start='zero', length=1000),
    F.griffinlim(power, window=torch.hann_window(32).double(), n_fft=32, hop_length=16, win_length=32, power=2.0, n_iter=6, momentum=0.99, length=1000, rand_init=False), of='power')
for rate, length, options, ours in ((8000, 8000, {}, {}), (16000, 9000, dict(frame_time=0.02, win_length=7, freq_low=100, freq_high=600), dict(frameTime=0.02, window=7, lowFrequency=100, highFrequency=600))):
    add('pitch', length, dict(ours, sampleRate=rate), F.detect_pitch_frequency(torch_signal(length).float(), rate, **options))

banks = []
for scale, norm, mels, size, rate in (('htk', 'none', 40, 512, 16000), ('slaney', 'slaney', 30, 256, 22050), ('htk', 'slaney', 23, 200, 8000)):
    bank = F.melscale_fbanks(size // 2 + 1, 0.0, rate / 2, mels, rate, norm=None if norm == 'none' else norm, mel_scale=scale)
    banks.append({'options': dict(scale=scale, norm=norm, mels=mels, fftSize=size, sampleRate=rate), 'output': floats(bank)})

stretches = []
for length, rate, size, hop in ((2000, 0.8, 512, 128), (1500, 1.3, 128, 32), (900, 1.0, 64, 16)):
    x = torch_signal(length)
    window = torch.hann_window(size).double()
    spectrum = torch.stft(x, size, hop, window=window, return_complex=True)
    advance = torch.linspace(0, math.pi * hop, size // 2 + 1, dtype=torch.float64)[:, None]
    y = torch.istft(F.phase_vocoder(spectrum, rate, advance), size, hop, window=window, length=int(round(length / rate)))
    stretches.append({'operation': 'stretch', 'length': length, 'by': rate, 'options': {'fftSize': size, 'hopLength': hop}, 'output': floats(y)})
for length, steps in ((2000, 3), (1500, -4), (1000, 12)):
    stretches.append({'operation': 'shiftPitch', 'length': length, 'by': steps, 'options': {}, 'output': floats(F.pitch_shift(torch_signal(length), 4000, steps))})

path = os.path.join(ROOT, 'packages/audio/fixtures/features.json')
with open(path, 'w') as file:
    lines = lambda rows: ',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows)
    file.write(f'{{"source": "torchaudio {torchaudio.__version__}, NumPy {numpy.__version__}", "cases": [\n{lines(cases)}\n], "banks": [\n{lines(banks)}\n], "stretches": [\n{lines(stretches)}\n]}}\n')
print(path, os.path.getsize(path))
