"""Writes the fixtures of @nn/data: CSV texts with the records that Python's csv module reads from them, IDX files packed
with struct and gzip, and statistics by NumPy. Run from anywhere: python3 make-fixtures.py"""
import base64
import csv
import gzip
import io
import json
import pathlib
import random
import struct

import numpy

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / 'fixtures'


def csv_cases():
    """Random tables of fields that need quotes, written and read back by Python."""
    choose = random.Random(7)
    pieces = ['', 'a', '0', '1.5', 'plain', 'with space', ' lead', 'comma,', 'say "hi"', '"', '""', 'two\nlines', 'cr\r\nlf',
              'tab\there', 'ünï', '漢字', ';', "'", '#', '-3e5']
    cases = []
    for number in range(60):
        columns = choose.randint(2, 5)
        records = [[''.join(choose.choices(pieces, k=choose.randint(1, 2))) for _ in range(columns)]
                   for _ in range(choose.randint(1, 6))]
        text = io.StringIO()
        separator = choose.choice([',', ',', ';', '\t'])
        writer = csv.writer(text, delimiter=separator, lineterminator=choose.choice(['\n', '\r\n']),
                            quoting=choose.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        writer.writerows(records)
        content = text.getvalue()
        if number % 3 == 0:
            content = content.rstrip('\r\n')  # Without the last line end.
        read = list(csv.reader(io.StringIO(content, newline=''), delimiter=separator, strict=True))
        cases.append({'text': content, 'separator': separator, 'records': read})
    return cases


def idx_cases():
    choose = numpy.random.RandomState(3)
    cases = []
    kinds = [('uint8', 0x08, '>u1'), ('int8', 0x09, '>i1'), ('int16', 0x0B, '>i2'), ('int32', 0x0C, '>i4'),
             ('float32', 0x0D, '>f4'), ('float64', 0x0E, '>f8')]
    for name, code, order in kinds:
        for shape in [(5,), (2, 3), (3, 2, 2)]:
            if name.startswith('float'):
                values = (choose.randint(-1000, 1000, shape) / 8).astype(order)
            else:
                limits = numpy.iinfo(numpy.dtype(order))
                values = choose.randint(max(limits.min, -2**31), min(limits.max, 2**31 - 1) + 1, shape).astype(order)
            content = struct.pack('>BBBB', 0, 0, code, len(shape)) + struct.pack('>%dI' % len(shape), *shape) + values.tobytes()
            cases.append({'type': name, 'shape': shape, 'values': values.flatten().tolist(),
                          'plain': base64.b64encode(content).decode(),
                          'gzip': base64.b64encode(gzip.compress(content, mtime=0)).decode()})
    return cases


def statistics_cases():
    choose = numpy.random.RandomState(5)
    values = (choose.randn(7, 3, 2, 2) * [[[2.0]], [[0.5]], [[30.0]]] + [[[1.0]], [[-40.0]], [[1000.0]]]).astype(numpy.float32)
    case = {'shape': values.shape, 'values': values.flatten().tolist()}
    wide = values.astype(numpy.float64)
    for per, axes in [('element', (0,)), ('channel', (0, 2, 3)), ('array', (0, 1, 2, 3))]:
        mean = wide.mean(axes, keepdims=True)
        deviation = wide.std(axes, keepdims=True)
        low = wide.min(axes, keepdims=True)
        high = wide.max(axes, keepdims=True)
        case[per] = {'mean': mean.flatten().tolist(), 'deviation': deviation.flatten().tolist(),
                     'standard': ((wide - mean) / deviation).astype(numpy.float32).flatten().tolist(),
                     'minMax': (-1 + 2 * (wide - low) / (high - low)).astype(numpy.float32).flatten().tolist()}
    return case


FIXTURES.mkdir(exist_ok=True)
for name, make in {'csv': csv_cases, 'idx': idx_cases, 'statistics': statistics_cases}.items():
    (FIXTURES / f'{name}.json').write_text(json.dumps(make(), ensure_ascii=True) + '\n')
