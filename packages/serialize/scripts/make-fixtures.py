"""Writes the fixtures of @nn/serialize: safetensors files made by hand from the format's description, with the values
that NumPy and PyTorch read from the same bytes. Where the reference package `safetensors` is installed, every file is
checked against it. Run from anywhere: python3 make-fixtures.py"""
import base64
import json
import math
import pathlib
import struct

import numpy
import torch

try:
    from safetensors import _safetensors_rust as reference
except ImportError:
    reference = None

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / 'fixtures'


def file_bytes(tensors, metadata=None, pad=True, order=None):
    """tensors: name -> (dtype, shape, bytes), in the order of their bytes."""
    header = {}
    if metadata is not None:
        header['__metadata__'] = metadata
    end = 0
    regions = {}
    for name, (dtype, shape, content) in tensors.items():
        regions[name] = {'dtype': dtype, 'shape': list(shape), 'data_offsets': [end, end + len(content)]}
        end += len(content)
    for name in order or regions:
        header[name] = regions[name]
    text = json.dumps(header, separators=(',', ':'), ensure_ascii=False).encode('utf-8')
    if pad:
        text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + b''.join(content for _, _, content in tensors.values())


def numbers(values):
    """JSON has no NaN and no infinities, and -0 would be lost."""
    def one(value):
        value = float(value)
        if math.isnan(value):
            return 'NaN'
        if math.isinf(value):
            return 'Infinity' if value > 0 else '-Infinity'
        return '-0' if value == 0 and math.copysign(1, value) < 0 else value
    return [one(value) for value in values]


def small_float(code, exponent_bits, mantissa_bits, bias):
    sign = -1.0 if code >> (exponent_bits + mantissa_bits) else 1.0
    exponent = code >> mantissa_bits & (2**exponent_bits - 1)
    fraction = (code & (2**mantissa_bits - 1)) / 2**mantissa_bits
    return sign * math.ldexp(fraction, 1 - bias) if exponent == 0 else sign * math.ldexp(1 + fraction, exponent - bias)


def type_cases():
    choose = numpy.random.RandomState(1)
    cases = []

    def add(dtype, shape, content, values, **more):
        cases.append({'dtype': dtype, 'shape': list(shape), 'values': numbers(values),
                      'file': file_bytes({'x': (dtype, shape, content)}), **more})

    floats = numpy.array([[1.5, -2.25, 0.1], [-0.0, 3e38, 1e-45]], '<f4')
    add('F32', (2, 3), floats.tobytes(), floats.flatten())
    doubles = numpy.array([1 / 3, -1e300, 1e-300, 2.5], '<f8')
    with numpy.errstate(over='ignore'):
        add('F64', (4,), doubles.tobytes(), doubles.astype('<f4'), narrow=True)
    half = numpy.arange(0, 65536, 97, dtype='<u2')
    half = numpy.concatenate([half, numpy.array([0, 0x8000, 1, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x7E00], '<u2')])
    add('F16', half.shape, half.tobytes(), half.view('<f2').astype('<f4'))
    brain = torch.tensor([1.0, -3.140625, 1e38, 1e-40, float('inf'), -0.0, float('nan')]).bfloat16()
    add('BF16', (7,), brain.view(torch.int16).numpy().tobytes(), brain.float().tolist())
    for dtype, kind, wide in [('I8', '<i1', False), ('U8', '<u1', False), ('I16', '<i2', False), ('U16', '<u2', False),
                              ('I32', '<i4', False), ('U32', '<u4', True), ('I64', '<i8', True), ('U64', '<u8', True)]:
        limits = numpy.iinfo(numpy.dtype(kind))
        low, high = max(limits.min, -2**31), min(limits.max, 2**31 - 1)
        values = numpy.concatenate([[low, high, 0], choose.randint(low, high + 1, 5, dtype=numpy.int64)]).astype(kind)
        add(dtype, (2, 4), values.tobytes(), values.tolist())
        if wide:
            over = numpy.array([0, 2**31], kind)
            add(dtype, (2,), over.tobytes(), [], error='int32 cannot hold it')
    flags = numpy.array([1, 0, 0, 1], '<u1')
    add('BOOL', (4,), flags.tobytes(), flags.tolist())
    add('BOOL', (2,), bytes([1, 2]), [], error='only 0 and 1 are')
    every = bytes(range(256))
    # E5M2 is the upper byte of float16, so NumPy knows it; the others are computed from their definition.
    upper = (numpy.arange(256, dtype='<u2') << 8).astype('<u2').view('<f2').astype('<f4')
    add('F8_E5M2', (256,), every, upper)
    add('F8_E4M3', (256,), every, [math.nan if code & 127 == 127 else small_float(code, 4, 3, 7) for code in range(256)])
    add('F8_E8M0', (256,), every, [math.nan if code == 255 else math.ldexp(1, code - 127) for code in range(256)])
    add('F8_E4M3FNUZ', (256,), every, [math.nan if code == 128 else small_float(code, 4, 3, 8) for code in range(256)])
    add('F8_E5M2FNUZ', (256,), every, [math.nan if code == 128 else small_float(code, 5, 2, 16) for code in range(256)])
    for dtype, count, size in [('F4', 4, 2), ('F6_E2M3', 4, 3), ('F6_E3M2', 8, 6), ('C64', 2, 16)]:
        add(dtype, (count,), bytes(size), [], error='has no counterpart here')
    add('F32', (), struct.pack('<f', 7), [7])
    add('F32', (3, 0), b'', [])
    return cases


def layout_cases():
    """Whole files: what the writer must write to the byte, and what the reader must read though the writer would not."""
    f = lambda *values: struct.pack('<%df' % len(values), *values)
    i = lambda *values: struct.pack('<%di' % len(values), *values)
    # In the writer's order: larger types first, then by name.
    written = {'b': ('F32', (2, 1), f(3, 4)), 'é"\\ \n': ('F32', (), f(5)), '10': ('I32', (3,), i(-1, 0, 7)),
               '2': ('I32', (0,), b''), 'half': ('F16', (2,), struct.pack('<2e', 1, -2)), 'small': ('I8', (3,), b'\x00\x7f\x80'),
               'flag': ('BOOL', (3,), b'\1\0\1')}
    cases = [
        {'name': 'empty', 'exact': True, 'file': file_bytes({})},
        {'name': 'metadata alone', 'exact': True, 'file': file_bytes({}, {'format': 'pt', 'ünï': 'a "b"\n'})},
        {'name': 'all that is written', 'exact': True, 'file': file_bytes(written, {'step': '12'})},
        {'name': 'names against the order of bytes', 'exact': False,
         'file': file_bytes(written, order=sorted(written))},
        {'name': 'data that is not aligned', 'exact': False,
         'file': file_bytes({'flag': ('BOOL', (1,), b'\1'), 'x': ('F32', (1,), f(2.5))}, pad=False)},
    ]
    return cases


def rewritten(found, content):
    """The file as the reference writes it."""
    kinds = {'F32': 'float32', 'I32': 'int32', 'F16': 'float16', 'I8': 'int8', 'BOOL': 'bool'}
    length = struct.unpack('<Q', content[:8])[0]
    metadata = json.loads(content[8:8 + length]).get('__metadata__')
    arrays = {name: numpy.frombuffer(data or b'\0', numpy.uint8) for name, (_, _, data) in found.items()}
    tensors = {name: reference.TensorSpec(dtype=kinds[dtype], shape=list(shape), data_ptr=arrays[name].ctypes.data,
                                         data_len=len(data))
               for name, (dtype, shape, data) in found.items()}
    return reference.serialize(tensors, metadata)


def check(case):
    content = case['file']
    if reference is not None:
        found = {name: (info['dtype'], info['shape'], bytes(info['data'])) for name, info in reference.deserialize(content)}
        length = struct.unpack('<Q', content[:8])[0]
        header = json.loads(content[8:8 + length])
        header.pop('__metadata__', None)
        assert set(found) == set(header), case
        if case.get('exact') and len(header) > 0:
            assert content == rewritten(found, content), case['name']
        for name, info in header.items():
            begin, end = info['data_offsets']
            assert found[name] == (info['dtype'], info['shape'], content[8 + length + begin:8 + length + end]), (case, name)
    return {**case, 'file': base64.b64encode(content).decode()}


def state_dict_case():
    """The state of a PyTorch model, by PyTorch's own names, and what it computes."""
    torch.manual_seed(4)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.Flatten(),
                                torch.nn.Linear(8, 3))
    model(torch.randn(5, 1, 4, 4))  # Moves the running statistics.
    model.eval()
    inputs = torch.randn(2, 1, 4, 4)
    outputs = model(inputs)
    kinds = {torch.float32: 'F32', torch.int64: 'I64'}
    state = sorted(model.state_dict().items(), key=lambda item: (kinds[item[1].dtype] != 'I64', item[0]))
    tensors = {name: (kinds[value.dtype], tuple(value.shape), value.numpy().tobytes()) for name, value in state}
    return {'file': file_bytes(tensors, {'format': 'pt'}), 'names': [name for name, _ in state],
            'inputs': inputs.flatten().tolist(), 'outputs': outputs.detach().flatten().tolist()}


FIXTURES.mkdir(exist_ok=True)
cases = {'types': [check(case) for case in type_cases()], 'layouts': [check(case) for case in layout_cases()],
         'state-dict': check(state_dict_case())}
for name, value in cases.items():
    (FIXTURES / f'{name}.json').write_text(json.dumps(value) + '\n')
print('checked against the reference' if reference else 'the reference package is not installed; nothing was checked against it')
