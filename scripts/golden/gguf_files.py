"""Files of llama.cpp as its own Python package writes them, with the values that it reads back: fixtures of @nn/serialize.

Owns packages/serialize/fixtures/gguf.json (files as base64 beside their tensors, values as base64 of float32). Run with the
package gguf 0.19 and numpy: pip install gguf==0.19.0, python3 scripts/golden/gguf_files.py
"""

import base64
import json
import os
import tempfile

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from gguf import quants

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
FIXTURE = os.path.join(ROOT, 'packages', 'serialize', 'fixtures', 'gguf.json')
random = numpy.random.default_rng(17)
BLOCKS = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'MXFP4']
# Where the scales of a block are, as halves: random bits would make infinities of them.
HALVES = {
    'Q4_0': [0], 'Q4_1': [0, 2], 'Q5_0': [0], 'Q5_1': [0, 2], 'Q8_0': [0], 'Q2_K': [80, 82], 'Q3_K': [108],
    'Q4_K': [0, 2], 'Q5_K': [0, 2], 'Q6_K': [208], 'MXFP4': [],
}


def blocks(name, rows, columns):
    """Blocks of random bits, with finite scales: every bit of the layout has a part in the values."""
    size, width = gguf.GGML_QUANT_SIZES[Type[name]]
    raw = random.integers(0, 256, (rows * columns // size, width), dtype=numpy.uint8)
    for at in HALVES[name]:
        scales = random.normal(0, 0.1, len(raw)).astype('<f2')
        raw[:, at:at + 2] = scales.view(numpy.uint8).reshape(-1, 2)
    if name == 'MXFP4':
        raw[:, 0] = random.integers(118, 138, len(raw))
    return raw.reshape(rows, -1)


def written(tensors, facts, alignment=None):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'a.gguf')
        writer = gguf.GGUFWriter(path, 'llama')
        if alignment:
            writer.add_custom_alignment(alignment)
        for key, add in facts.items():
            add(writer, key)
        for name, (array, kind) in tensors.items():
            writer.add_tensor(name, array, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with open(path, 'rb') as file:
            return file.read()


def described(path):
    """The tensors as the package reads them back."""
    found = {}
    for tensor in gguf.GGUFReader(path).tensors:
        shape = [int(size) for size in tensor.shape[::-1]]
        if tensor.tensor_type in (Type.F32, Type.F16, Type.BF16) or tensor.tensor_type.name in BLOCKS:
            values = quants.dequantize(tensor.data, tensor.tensor_type).astype('<f4')
        else:
            values = tensor.data.astype('<f4' if tensor.data.dtype.kind == 'f' else '<i4')
        found[tensor.name] = {
            'type': tensor.tensor_type.name,
            'shape': shape,
            'kind': values.dtype.kind,
            'values': base64.b64encode(values.tobytes()).decode(),
        }
    return found


def case(name, file):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'a.gguf')
        with open(path, 'wb') as out:
            out.write(file)
        tensors = described(path)
    return {'name': name, 'file': base64.b64encode(file).decode(), 'tensors': tensors}


def cases():
    yield case('blocks', written({name: (blocks(name, 2, 256), Type[name]) for name in BLOCKS}, {}))
    normal = random.normal(0, 1, (3, 64)).astype(numpy.float32)
    bf16 = (normal.view('<u4') >> 16).astype('<u2').view(numpy.uint8).reshape(3, -1)
    plain = {
        'f32': (normal, None),
        'f16': (normal.astype(numpy.float16), None),
        'bf16': (bf16, Type.BF16),
        'f64': (normal[:1].astype(numpy.float64), None),
        'i8': (numpy.arange(-3, 3, dtype=numpy.int8), None),
        'i16': (numpy.arange(-3, 3, dtype=numpy.int16).reshape(2, 3), None),
        'i32': (numpy.arange(-3, 3, dtype=numpy.int32).reshape(1, 2, 3), None),
        'i64': (numpy.arange(-3, 3, dtype=numpy.int64), None),
        'q4_0': (quants.quantize(normal, Type.Q4_0), Type.Q4_0),
        'q8_0': (quants.quantize(normal, Type.Q8_0), Type.Q8_0),
    }
    facts = {
        'general.name': lambda writer, key: writer.add_string(key, 'klein, größer'),
        'llama.block_count': lambda writer, key: writer.add_uint32(key, 2),
        'llama.epsilon': lambda writer, key: writer.add_float32(key, 1e-5),
        'llama.causal': lambda writer, key: writer.add_bool(key, True),
        'tokenizer.tokens': lambda writer, key: writer.add_array(key, ['<s>', 'a', 'ä']),
        'tokenizer.scores': lambda writer, key: writer.add_array(key, [0.5, -1.0, 0.25]),
        'tokenizer.types': lambda writer, key: writer.add_array(key, [1, 2, -3]),
        'large': lambda writer, key: writer.add_uint64(key, 2**63 + 1),
    }
    yield case('plain', written(plain, facts, 64))


def main():
    with open(FIXTURE, 'w', encoding='utf-8') as file:
        file.write('{"cases": [\n' + ',\n'.join(json.dumps(found) for found in cases()) + '\n]}\n')
    print(FIXTURE, os.path.getsize(FIXTURE))


main()
