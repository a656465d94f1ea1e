"""Golden values for reading and resizing of packages/vision: files that PIL wrote or read, and what PIL makes of a picture in other sizes.

Run: /usr/bin/python3 scripts/golden/pictures.py (needs PIL, NumPy). Writes packages/vision/fixtures/pictures.json. Bytes are base64.
"""

import base64
import io
import json
import os
import struct
import zlib

import numpy
import PIL
from PIL import Image

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
rng = numpy.random.default_rng(20240607)
b64 = lambda data: base64.b64encode(bytes(data)).decode()


def smooth(height, width, channels):
    """A picture with edges and gradients, as photographs have."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [127 + 90 * numpy.sin(x / (3 + c) + c) * numpy.cos(y / (5 - c)) + 30 * ((x + y * (c + 1)) // 7 % 2) for c in range(channels)]
    noise = rng.integers(-8, 9, (height, width, channels))
    return numpy.clip(numpy.stack(planes, -1) + noise, 0, 255).astype(numpy.uint8)


def encoded(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def chunk(name, body):
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


def png(width, height, depth, color, rows, interlaced=False, more=()):
    """A file by hand, for what PIL does not write. rows(left, top, dx, dy): the packed lines of a pass."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)] if interlaced else [(0, 0, 1, 1)]
    raw = b''.join(rows(*each) for each in passes)
    head = struct.pack('>IIBBBBB', width, height, depth, color, 0, 0, int(interlaced))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + b''.join(more) + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b'')


def lines(values, depth):
    """values [height, width, channels] -> the lines of a pass with filter 0."""
    def pack(left, top, dx, dy):
        part = values[top::dy, left::dx]
        if part.shape[0] == 0 or part.shape[1] == 0:
            return b''
        result = b''
        for row in part:
            flat = row.reshape(-1)
            if depth == 16:
                body = flat.astype('>u2').tobytes()
            elif depth == 8:
                body = flat.astype(numpy.uint8).tobytes()
            else:
                bits = ''.join(format(int(v), f'0{depth}b') for v in flat)
                bits += '0' * (-len(bits) % 8)
                body = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
            result += b'\0' + body
        return result
    return pack


files = []


def add(name, data, pixels):
    """pixels: [height, width, channels] of what PIL reads."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    files.append({'name': name, 'bytes': b64(data), 'shape': list(pixels.shape), 'pixels': b64(pixels.astype(numpy.uint8).tobytes())})


def read(data, mode):
    return numpy.asarray(Image.open(io.BytesIO(data)).convert(mode))


rgb, rgba = Image.fromarray(smooth(13, 19, 3)), Image.fromarray(smooth(9, 11, 4), 'RGBA')
grey = Image.fromarray(smooth(13, 19, 1)[..., 0])
for name, image, mode in [
    ('png rgb', rgb, 'RGB'), ('png rgba', rgba, 'RGBA'), ('png grey', grey, 'L'), ('png grey alpha', rgba.convert('LA'), 'RGBA'),
    ('png palette 8', rgb.quantize(200), 'RGB'), ('png palette 4', rgb.quantize(13), 'RGB'), ('png palette 2', rgb.quantize(4), 'RGB'), ('png 1 bit', grey.convert('1'), 'L'),
]:
    data = encoded(image, format='PNG')
    add(name, data, read(data, mode))
transparent = rgb.quantize(7)
data = encoded(transparent, format='PNG', transparency=bytes([0, 40, 255]))
add('png palette with alpha', data, read(data, 'RGBA'))
data = encoded(grey, format='PNG', transparency=int(numpy.asarray(grey)[2, 3]))
add('png grey with a clear colour', data, read(data, 'RGBA'))
data = encoded(rgb, format='PNG', transparency=tuple(int(v) for v in numpy.asarray(rgb)[2, 3]))
add('png rgb with a clear colour', data, read(data, 'RGBA'))
wide = rng.integers(0, 65536, (5, 7, 3))
data = png(7, 5, 16, 2, lines(wide, 16))
add('png rgb 16', data, read(data, 'RGB'))
data = png(7, 5, 16, 0, lines(wide[..., :1], 16))
add('png grey 16', data, wide[..., :1] >> 8)
for depth in (1, 2, 4):
    values = rng.integers(0, 2 ** depth, (6, 11, 1))
    data = png(11, 6, depth, 0, lines(values, depth))
    add(f'png grey {depth}', data, read(data, 'L'))
for width, height in ((19, 13), (1, 1), (3, 5), (8, 8)):
    values = smooth(height, width, 3)
    data = png(width, height, 8, 2, lines(values, 8), interlaced=True)
    add(f'png interlaced {width} x {height}', data, read(data, 'RGB'))
values = rng.integers(0, 4, (9, 10, 1))
palette = rng.integers(0, 256, 12).astype(numpy.uint8).tobytes()
data = png(10, 9, 2, 3, lines(values, 2), interlaced=True, more=[chunk(b'PLTE', palette)])
add('png interlaced palette', data, read(data, 'RGB'))

photo = Image.fromarray(smooth(37, 45, 3))
small, thin = Image.fromarray(smooth(3, 5, 3)), Image.fromarray(smooth(41, 3, 3))


def resampled(data, *samplings):
    """The file with other numbers of samples for its components, which makes other pictures of the same codes: PIL writes few kinds itself."""
    at = data.index(b'\xff\xc0')
    frame = bytearray(data)
    for k, sampling in enumerate(samplings):
        frame[at + 11 + 3 * k] = sampling
    return bytes(frame)


def restarted(image, height, **options):
    """A file that begins anew after each row of blocks: PIL here writes none, so rows are files of their own whose codes are joined."""
    whole = encoded(image, format='JPEG', **options)
    scan = whole.index(b'\xff\xda')
    start = scan + 2 + struct.unpack('>H', whole[scan + 2:scan + 4])[0]
    rows = [encoded(image.crop((0, y, image.width, y + height)), format='JPEG', **options) for y in range(0, image.height, height)]
    units = -(-image.width // (16 if options.get('subsampling') else 8))
    body = b''.join((b'' if k == 0 else bytes([0xff, 0xd0 + (k - 1) % 8])) + row[start:-2] for k, row in enumerate(rows))
    return whole[:scan] + b'\xff\xdd\0\4' + struct.pack('>H', units) + whole[scan:start] + body + b'\xff\xd9'


long = Image.fromarray(smooth(96, 20, 3))
for name, data in [('jpeg with restarts', restarted(long, 8, quality=90, subsampling=0)), ('jpeg with restarts 4:2:0', restarted(long, 16, quality=90, subsampling=2))]:
    add(name, data, read(data, 'RGB'))
for name, image, mode, options in [
    ('jpeg 4:4:4', photo, 'RGB', {'quality': 90, 'subsampling': 0}), ('jpeg progressive', photo, 'RGB', {'quality': 90, 'subsampling': 0, 'progressive': True}),
    ('jpeg grey', photo.convert('L'), 'L', {'quality': 85}),
    ('jpeg 4:2:0', photo, 'RGB', {'quality': 90, 'subsampling': 2}), ('jpeg 4:2:2', photo, 'RGB', {'quality': 90, 'subsampling': 1}),
    ('jpeg progressive 4:2:0', photo, 'RGB', {'quality': 97, 'subsampling': 2, 'progressive': True}),
    ('jpeg progressive grey', photo.convert('L'), 'L', {'quality': 60, 'progressive': True}), ('jpeg of the least quality', photo, 'RGB', {'quality': 1}),
    ('jpeg of the best quality', photo, 'RGB', {'quality': 100, 'subsampling': 0, 'optimize': True}),
    ('jpeg 5 x 3', small, 'RGB', {'quality': 90, 'subsampling': 2}), ('jpeg 3 x 41', thin, 'RGB', {'quality': 90, 'subsampling': 2}),
    ('jpeg 3 x 41 4:2:2', thin, 'RGB', {'quality': 90, 'subsampling': 1}), ('jpeg 1 x 1', small.crop((0, 0, 1, 1)), 'RGB', {'quality': 90, 'subsampling': 2}),
]:
    data = encoded(image, format='JPEG', **options)
    add(name, data, read(data, mode))
# other samplings with as many blocks as one that PIL writes: the codes stay, what they stand for does not
square = Image.fromarray(smooth(32, 32, 3))
for name, subsampling, samplings in [
    ('jpeg 4:4:0', 1, (0x12, 0x11, 0x11)), ('jpeg 4:1:1', 2, (0x41, 0x11, 0x11)), ('jpeg with chroma of a quarter the height', 2, (0x14, 0x11, 0x11)),
]:
    data = resampled(encoded(square, format='JPEG', quality=90, subsampling=subsampling), *samplings)
    add(name, data, read(data, 'RGB'))
for name, quality, transform in [('jpeg cmyk', 95, None), ('jpeg cmyk with luma', 95, 2)]:
    data = encoded(photo.convert('CMYK'), format='JPEG', quality=quality, subsampling=0)
    if transform is not None:
        at = data.index(b'Adobe')
        data = data[:at + 11] + bytes([transform]) + data[at + 12:]
    add(name, data, read(data, 'RGB'))
data = encoded(photo, format='JPEG', quality=95, subsampling=0)
at = data.index(b'\xff\xe0')
plain = data[:at] + data[at + 18:]
frame = plain.index(b'\xff\xc0')
scan = plain.index(b'\xff\xda')
named = bytearray(plain)
for k, letter in enumerate(b'RGB'):
    named[frame + 10 + 3 * k] = letter
    named[scan + 5 + 2 * k] = letter
add('jpeg rgb', bytes(named), read(bytes(named), 'RGB'))
add('jpeg without its marks', plain, read(plain, 'RGB'))

turns = []
for orientation in range(1, 9):
    small = Image.fromarray(numpy.repeat(numpy.repeat(rng.integers(0, 2, (2, 3, 1)).astype(numpy.uint8) * 255, 16, 0), 16, 1).repeat(3, 2))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(small, format='JPEG', quality=95, subsampling=0, exif=exif)
    from PIL import ImageOps
    upright = numpy.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert('L'))
    turns.append({'orientation': orientation, 'bytes': b64(data), 'shape': list(upright.shape), 'pixels': b64((upright > 127).astype(numpy.uint8).tobytes())})

FILTERS = {'nearest': Image.NEAREST, 'box': Image.BOX, 'bilinear': Image.BILINEAR, 'hamming': Image.HAMMING, 'bicubic': Image.BICUBIC, 'lanczos': Image.LANCZOS}
source = smooth(23, 31, 3)
resized = []
for kind, number in FILTERS.items():
    for width, height in ((12, 9), (31, 10), (10, 23), (50, 41), (7, 60), (1, 1)):
        out = numpy.asarray(Image.fromarray(source).resize((width, height), number))
        resized.append({'kind': kind, 'width': width, 'height': height, 'box': None, 'pixels': b64(out.tobytes())})
    out = numpy.asarray(Image.fromarray(source).resize((9, 14), number, box=(3.25, 2.5, 28.75, 20)))
    resized.append({'kind': kind, 'width': 9, 'height': 14, 'box': [3.25, 2.5, 28.75, 20], 'pixels': b64(out.tobytes())})

import torchvision.transforms.functional as F  # noqa: E402
centers = []
for width, height in ((10, 8), (31, 23), (13, 12), (40, 30), (20, 31)):
    centers.append({'width': width, 'height': height, 'pixels': b64(numpy.asarray(F.center_crop(Image.fromarray(source), (height, width))).tobytes())})
shorter = []
for length in (7, 12, 40):
    out = F.resize(Image.fromarray(source), length, F.InterpolationMode.BICUBIC)
    shorter.append({'length': length, 'width': out.size[0], 'height': out.size[1], 'pixels': b64(numpy.asarray(out).tobytes())})

path = 'packages/vision/fixtures/pictures.json'
parts = {'source': f'PIL {PIL.__version__}', 'files': files, 'turns': turns, 'image': {'shape': list(source.shape), 'pixels': b64(source.tobytes())},
         'resized': resized, 'centers': centers, 'shorter': shorter}
os.makedirs(os.path.dirname(os.path.join(ROOT, path)), exist_ok=True)
with open(os.path.join(ROOT, path), 'w') as file:
    rows = lambda v: '[\n' + ',\n'.join(json.dumps(x, separators=(',', ':')) for x in v) + '\n]' if isinstance(v, list) else json.dumps(v, separators=(',', ':'))
    file.write('{\n' + ',\n'.join(f'{json.dumps(k)}:{rows(v)}' for k, v in parts.items()) + '\n}\n')
print(path, os.path.getsize(os.path.join(ROOT, path)))
