"""Golden values for packages/vision/src/augment: what torchvision makes of tensors of bytes and of floats.

Run: /usr/bin/python3 scripts/golden/augmentation.py (needs torchvision). Writes packages/vision/fixtures/augmentation.json. Bytes are base64,
[channels, height, width]; floats are numbers of five digits, 0 to 1, of the same pictures over 255.
"""

import base64
import json
import math
import os

import numpy
import torch
import torchvision
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import _apply_op

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
rng = numpy.random.default_rng(20240608)
b64 = lambda x: base64.b64encode(x.numpy().astype(numpy.uint8).tobytes()).decode()


def picture(channels, height, width):
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [120 + 70 * numpy.sin(x / (3 + c) + c) * numpy.cos(y / (5 - c)) + 30 * ((x + y * (c + 1)) // 5 % 2) for c in range(channels)]
    noise = rng.integers(-9, 10, (channels, height, width))
    return torch.from_numpy(numpy.clip(numpy.stack(planes) + noise, 3, 250).astype(numpy.uint8))


pictures = {'color': picture(3, 13, 17), 'grey': picture(1, 12, 12), 'flat': torch.full((3, 5, 6), 77, dtype=torch.uint8)}
cases = []


def add(operation, arguments, function, on=('color', 'grey'), floats=True):
    for name in on:
        source = pictures[name]
        case = {'operation': operation, 'arguments': arguments, 'picture': name, 'bytes': b64(function(source))}
        if floats:
            case['floats'] = [float('%.5f' % v) for v in function(source.float() / 255).reshape(-1).tolist()]
        cases.append(case)


every = ('color', 'grey', 'flat')
for v in (0.0, 0.45, 1.0, 1.7):
    add('brightness', [v], lambda x: F.adjust_brightness(x, v))
    add('contrast', [v], lambda x: F.adjust_contrast(x, v))
    add('saturation', [v], lambda x: F.adjust_saturation(x, v))
    add('sharpness', [v], lambda x: F.adjust_sharpness(x, v))
for v in (-0.5, -0.2, 0.0, 0.13, 0.5):
    add('hue', [v], lambda x: F.adjust_hue(x, v), on=('color', 'flat'))
for v in (0.5, 1.0, 2.2):
    add('gamma', [v], lambda x: F.adjust_gamma(x, v))
for bits in (0, 1, 3, 7, 8):
    add('posterize', [bits], lambda x: F.posterize(x, bits), floats=False)
for v in (0, 100, 128, 255):
    add('solarize', [v], lambda x: F.solarize(x, v if x.dtype == torch.uint8 else v / 255))
add('invert', [0], F.invert)
add('autocontrast', [0], F.autocontrast, on=every)
add('equalize', [0], F.equalize, on=every, floats=False)
add('grayscale', [1], lambda x: F.rgb_to_grayscale(x, num_output_channels=3), on=('color',))
for size, sigma in ((3, 0.6), (5, 1.3), (7, 2.0)):
    add('blur', [size, sigma], lambda x: F.gaussian_blur(x, [size, size], [sigma, sigma]))

MODES = {'nearest': InterpolationMode.NEAREST, 'bilinear': InterpolationMode.BILINEAR}
for mode, m in MODES.items():
    for angle in (-35.3, 12.1, 171.7):
        add('rotate', [mode, angle], lambda x: F.rotate(x, angle, m))
    for angle, translate, scale, shear in ((20.4, [2, -1], 1.0, [0.0, 0.0]), (-31.2, [0, 3], 0.83, [7.3, 0.0]), (0.0, [1, 1], 1.31, [-12.6, 9.2])):
        add('affine', [mode, angle, translate, scale, shear], lambda x: F.affine(x, angle, translate, scale, shear, m))
    start, end = [[0, 0], [16, 0], [16, 12], [0, 12]], [[2, 1], [14, 0], [15, 10], [1, 11]]
    add('perspective', [mode, start, end], lambda x: F.perspective(x, start, end, m), on=('color',))
    field = torch.from_numpy(rng.integers(-64, 65, (1, 13, 17, 2)) / 512).float()
    add('elastic', [mode, [float(v) for v in field.reshape(-1)]], lambda x: F.elastic_transform(x, field, m, fill=None), on=('color',))

for name, magnitudes in {'ShearX': (0.213, -0.31), 'ShearY': (0.17,), 'TranslateX': (3.0, -2.7), 'TranslateY': (4.2,), 'Rotate': (17.0, -8.3), 'Brightness': (0.4,),
                         'Color': (-0.6,), 'Contrast': (0.5,), 'Sharpness': (0.7, -0.9), 'Posterize': (3.0,), 'Solarize': (110.0,), 'AutoContrast': (0.0,), 'Equalize': (0.0,)}.items():
    for m in magnitudes:
        add('policy', [name[0].lower() + name[1:].replace('Contrast', 'contrast') if name == 'AutoContrast' else name[0].lower() + name[1:], m],
            lambda x: _apply_op(x, name, m, InterpolationMode.NEAREST, None), floats=False)

path = 'packages/vision/fixtures/augmentation.json'
parts = {'source': f'torchvision {torchvision.__version__.split("a")[0]}', 'pictures': {k: {'shape': list(v.shape), 'bytes': b64(v)} for k, v in pictures.items()}, 'cases': cases}
with open(os.path.join(ROOT, path), 'w') as file:
    rows = lambda v: '[\n' + ',\n'.join(json.dumps(x, separators=(',', ':')) for x in v) + '\n]' if isinstance(v, list) else json.dumps(v, separators=(',', ':'))
    file.write('{\n' + ',\n'.join(f'{json.dumps(k)}:{rows(v)}' for k, v in parts.items()) + '\n}\n')
print(path, len(cases), os.path.getsize(os.path.join(ROOT, path)))
