"""Files of PyTorch and NumPy as these libraries write them, with the values that they read back: fixtures of @nn/serialize.

Owns packages/serialize/fixtures/{torch,numpy}.json (files as base64 beside their tensors) and shared-weights.json, the checksums of
the tensors in files of others that lie in ../shared/fixtures (absent: that part is left as it is). Run with PyTorch 1.13 or newer.
"""

import argparse
import base64
import collections
import io
import json
import os
import pickle
import struct
import tarfile
import tempfile
import warnings
import zipfile
import zlib

import numpy
import torch

warnings.simplefilter('ignore')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
FIXTURES = os.path.join(ROOT, 'packages', 'serialize', 'fixtures')
SHARED = os.path.join(ROOT, '..', 'shared', 'fixtures')
TYPES = {
    'float32': 'F32', 'float64': 'F64', 'float16': 'F16', 'bfloat16': 'BF16', 'int64': 'I64', 'int32': 'I32',
    'int16': 'I16', 'int8': 'I8', 'uint8': 'U8', 'bool': 'BOOL',
}


def as_read(tensor):
    """The array that the package makes of a tensor: floats as float32, integers as int32, bool as bytes."""
    tensor = tensor.detach()
    if tensor.dtype == torch.bool:
        return tensor.numpy().astype('u1')
    return tensor.float().numpy() if tensor.dtype.is_floating_point else tensor.numpy().astype('<i4')


def described(tensor):
    values = [str(v) if isinstance(v, float) and not numpy.isfinite(v) else v for v in as_read(tensor).flatten().tolist()]
    return {'type': TYPES[str(tensor.dtype).split('.')[1]], 'shape': list(tensor.shape), 'values': values}


def saved(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def tensors_of(value, name=''):
    """Tensors by the names that the package gives them."""
    if isinstance(value, torch.nn.Module):
        value = value.state_dict()
    if isinstance(value, torch.Tensor):
        return {name: value} if not value.is_sparse and not value.is_quantized and not value.is_complex() else {}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    found = {}
    for key, item in items:
        found.update(tensors_of(item, f'{name}.{key}' if name else str(key)))
    return found


def rewritten(file, change, compression=zipfile.ZIP_STORED):
    """The archive with other contents: change(name, bytes) -> bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, 'w', compression) as new:
        for info in old.infolist():
            new.writestr(info.filename, change(info.filename, old.read(info)))
    return out.getvalue()


def big_endian(file, width):
    def change(name, content):
        if name.split('/')[-2] != 'data':
            return content
        return b''.join(content[at:at + width][::-1] for at in range(0, len(content), width))
    out = io.BytesIO(rewritten(file, change))
    with zipfile.ZipFile(out, 'a') as archive:
        archive.writestr('archive/byteorder', 'big')
    return out.getvalue()


def tar(tensors):
    """The format before 0.1.10, by the reader that PyTorch still has for it."""
    def dump(value):
        return pickle.dumps(value, protocol=2)

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            return keys[id(value)] if isinstance(value, torch.Tensor) else None
    keys = {id(tensor): 100 + at for at, tensor in enumerate(tensors.values())}
    storages = dump(len(tensors))
    views = dump(len(tensors))
    for at, tensor in enumerate(tensors.values()):
        storages += dump((at, 'cpu', torch.FloatStorage)) + struct.pack('<q', tensor.storage().size())
        storages += bytes(tensor.storage().untyped() if hasattr(tensor.storage(), 'untyped') else tensor.storage())
        rank = tensor.dim()
        views += dump((100 + at, at, torch.FloatTensor)) + struct.pack('<ii', rank, 0)
        views += struct.pack(f'<{2 * rank + 1}q', *tensor.shape, *tensor.stride(), tensor.storage_offset())
    storages += dump([])
    pickled = io.BytesIO()
    Pickler(pickled, protocol=2).dump(collections.OrderedDict(tensors))
    machine = dump({'protocol_version': 1000, 'little_endian': True, 'type_sizes': {'short': 2, 'int': 4, 'long': 4}})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:', format=tarfile.PAX_FORMAT) as archive:
        for name, content in (('sys_info', machine), ('pickle', pickled.getvalue()), ('storages', storages), ('tensors', views)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    file = out.getvalue()
    # PyTorch reads a tar from a file of the disk alone.
    with tempfile.NamedTemporaryFile() as temporary:
        temporary.write(file)
        temporary.flush()
        for name, tensor in torch.load(temporary.name).items():
            assert torch.equal(tensor, tensors[name]), name
    return file


def torch_cases():
    torch.manual_seed(5)
    grid = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    types = {
        'f32': torch.tensor([1.5, -0.0, float('inf'), float('nan')]), 'f64': torch.tensor([0.1, 1e300], dtype=torch.float64),
        'f16': torch.tensor([1.5, -65504.0, 6e-8], dtype=torch.float16), 'bf16': torch.tensor([1.5, 3e38], dtype=torch.bfloat16),
        'i64': torch.tensor([2 ** 31 - 1, -2 ** 31]), 'i32': torch.tensor([-5], dtype=torch.int32),
        'i16': torch.tensor([-300], dtype=torch.int16), 'i8': torch.tensor([-128], dtype=torch.int8),
        'u8': torch.tensor([255], dtype=torch.uint8), 'bool': torch.tensor([True, False]),
    }
    views = {
        'whole': grid, 'transposed': grid.transpose(0, 2), 'row': grid[1, 2], 'steps': grid[:, ::2, 1::2],
        'expanded': grid[0, 0, :1].expand(3, 1), 'scalar': grid[1, 1, 1], 'empty': grid[:, :0], 'permuted': grid.permute(1, 2, 0)[1:],
        'halves': torch.arange(6, dtype=torch.float16).reshape(2, 3).t(), 'longs': torch.arange(6).reshape(2, 3).t(),
        'flags': torch.tensor([[True, False, True], [False, False, True]]).t(),
    }
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(4, 2)).sum().backward()
    optimizer.step()
    weight = torch.nn.Parameter(torch.arange(6, dtype=torch.float32).reshape(2, 3))
    tied = collections.OrderedDict([('embedding.weight', weight), ('head.weight', weight), ('head.bias', torch.zeros(2))])
    checkpoint = {
        'epoch': 7, 'best': numpy.float64(0.5), 'arguments': argparse.Namespace(rate=0.1), 'state_dict': model.state_dict(),
        'optimizer': optimizer.state_dict(), 'note': 'text', 'nothing': None, 'names': ['a', 'b'],
    }
    wrapped = collections.OrderedDict((f'module._orig_mod.{name}', value) for name, value in model.state_dict().items())
    odd = {
        'sparse': torch.eye(2).to_sparse(), 'complex': torch.zeros(1, dtype=torch.complex64), 'good': torch.ones(1), 1: torch.ones(2),
        'quantized': torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), '__proto__': torch.full((1,), 3.0),
        'nested': {'__proto__': {'x': torch.full((1,), 4.0)}, 'list': [torch.zeros(1), 'text']}, 'set': {1, 2}, 'large': 2 ** 70,
    }
    old = {'_use_new_zipfile_serialization': False}
    values = {'types': types, 'views': views, 'checkpoint': checkpoint, 'tied': tied, 'wrapped': wrapped, 'odd': odd, 'module': model}
    for name, value in values.items():
        yield name, saved(value), tensors_of(value)
        # Old files cannot hold quantised storages, whose elements have no size that is known there.
        yield f'{name}, legacy', saved({k: v for k, v in value.items() if k != 'quantized'} if name == 'odd' else value, **old), tensors_of(value)
    yield 'protocol 4', saved(checkpoint, pickle_protocol=4), tensors_of(checkpoint)
    yield 'deflated', rewritten(saved(views), lambda _, content: content, zipfile.ZIP_DEFLATED), tensors_of(views)
    big = {'a': grid, 'b': grid.transpose(0, 1)}
    yield 'big-endian', big_endian(saved(big), 4), tensors_of(big)
    floats = {name: value for name, value in views.items() if value.dtype == torch.float32}
    yield 'tar', tar(floats), floats
    yield 'a tensor alone', saved(grid), {'tensor': grid}
    yield 'a list', saved([grid, [torch.zeros(1)]]), {'0': grid, '1.0': torch.zeros(1)}
    two = {'ema': {'a': torch.ones(1)}, 'model': {'a': torch.full((1,), 2.0)}}
    yield 'two models', saved(two), tensors_of(two)
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), script)
    yield 'TorchScript', script.getvalue(), {}


def numpy_cases():
    grid = numpy.arange(6).reshape(2, 3)
    arrays = {kind: grid.astype(kind) for kind in ('<f2', '<f4', '<f8', '|i1', '<i2', '<i4', '<i8', '|u1', '<u2', '<u4', '<u8', '|b1')}
    arrays.update({kind: grid.astype(kind) for kind in ('>f2', '>f4', '>f8', '>i4', '>i8')})
    arrays.update(fortran=numpy.asfortranarray(numpy.arange(24, dtype='<f4').reshape(2, 3, 4)), scalar=numpy.float32(2.5), empty=numpy.zeros((2, 0), '<f4'))
    refused = {'text': numpy.array(['a']), 'objects': numpy.array([{}, None], dtype=object), 'records': numpy.zeros(2, [('x', 'f4')]), 'complex': numpy.zeros(1, 'c16')}
    for name, array in {**arrays, **refused}.items():
        for version in ((1, 0), (2, 0), (3, 0)) if name == 'fortran' else ((1, 0),):
            file = io.BytesIO()
            numpy.lib.format.write_array(file, numpy.asarray(array), version=version)
            yield f'{name}, version {version[0]}', file.getvalue(), {} if name in refused else {'array': array}
    for name, save in (('savez', numpy.savez), ('savez_compressed', numpy.savez_compressed)):
        file = io.BytesIO()
        save(file, **arrays, **refused)
        yield name, file.getvalue(), arrays


def described_array(array):
    array = numpy.asarray(array)
    kind = {'f': 'F', 'i': 'I', 'u': 'U', 'b': 'BOOL'}[array.dtype.kind]
    return {
        'type': kind if kind == 'BOOL' else f'{kind}{8 * array.dtype.itemsize}', 'shape': list(array.shape),
        'values': [int(v) if kind == 'BOOL' else v for v in array.astype('f8' if kind == 'F' else 'i8').flatten().tolist()],
    }


def shared_cases():
    for folder, _, names in sorted(os.walk(os.path.join(SHARED, 'torch'))):
        for name in sorted(names):
            path = os.path.join(folder, name)
            try:
                tensors = tensors_of(torch.load(path, map_location='cpu'))
            except Exception:
                continue
            yield os.path.relpath(path, SHARED), {
                key: {
                    'type': TYPES[str(tensor.dtype).split('.')[1]], 'shape': list(tensor.shape),
                    'crc32': zlib.crc32(numpy.ascontiguousarray(as_read(tensor)).tobytes()),
                } for key, tensor in tensors.items()
            }


def write(name, cases):
    with open(os.path.join(FIXTURES, name), 'w') as file:
        lines = ',\n'.join(json.dumps(case) for case in cases)
        file.write('{"source": "scripts/golden/weights.py, PyTorch %s, NumPy %s", "cases": [\n%s\n]}\n' % (torch.__version__, numpy.__version__, lines))


def case(name, file, tensors, describe):
    return {'name': name, 'file': base64.b64encode(file).decode(), 'tensors': {str(key): describe(value) for key, value in tensors.items()}}


write('torch.json', [case(*item, described) for item in torch_cases()])
write('numpy.json', [case(*item, described_array) for item in numpy_cases()])
if os.path.isdir(SHARED):
    write('shared-weights.json', [{'path': path, 'tensors': tensors} for path, tensors in shared_cases()])
