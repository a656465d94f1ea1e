"""Weights that both sides compute from a parameter's name and the element's number, so that no fixture stores them: packages/vision/src/testing.ts is the other side."""

import math
import zlib

import numpy
import torch


def noise(name, count):
    """Numbers in [-0.5, 0.5) with 24 bits, from a hash of the name (FNV-1a) and the element's number."""
    seed = 2166136261
    for letter in name.encode():
        seed = ((seed ^ letter) * 16777619) % 2 ** 32
    with numpy.errstate(over='ignore'):
        h = (numpy.arange(1, count + 1, dtype=numpy.uint32) * numpy.uint32(2654435761)) + numpy.uint32(seed)
        h ^= h >> numpy.uint32(15)
        h *= numpy.uint32(2246822519)
        h ^= h >> numpy.uint32(13)
    return (h >> numpy.uint32(8)).astype(numpy.float64) / 2 ** 24 - 0.5


def fill(model):
    for name, tensor in model.state_dict().items():
        if name.endswith('num_batches_tracked'):
            continue
        values = noise(name, tensor.numel())
        if name.endswith('running_var'):
            values = 1 + 0.5 * values
        elif name.endswith('running_mean') or name.endswith('bias') or name.endswith('class_token') or name.endswith('pos_embedding'):
            values = 0.2 * values
        elif tensor.dim() < 2 or name.endswith('layer_scale'):
            values = 1 + 0.4 * values
        else:
            values = values * math.sqrt(24 / (tensor.numel() / tensor.shape[0]))
        tensor.copy_(torch.from_numpy(values.astype(numpy.float32)).reshape(tensor.shape))


def signature(model):
    """The names and shapes of a state dictionary, as a checksum."""
    text = '\n'.join(sorted(f'{name} {"x".join(map(str, t.shape))}' for name, t in model.state_dict().items()))
    return zlib.crc32(text.encode())
