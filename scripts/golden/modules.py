"""Cases of layers: a module of PyTorch with known parameters, its outputs, and the gradients of inputs and parameters.

Owns the form of a case, which layers.py and networks.py fill. To the common form it adds parameters (by PyTorch's name,
buffers too), parameterGradients, training, and state (buffers after the call). attributes are { arguments, options } of the
constructor in nn's words.
"""

import torch

from common import cotangent, pack, random


def attach(module):
    """Doubles with short binary fractions in place of the random start values; buffers too, variances kept positive."""
    module.double()
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(random(*p.shape, low=-0.5, high=0.5))
        for name, b in module.named_buffers():
            if b.dtype == torch.float64:
                b.copy_(random(*b.shape, low=0.5, high=2) if 'var' in name else random(*b.shape))
    return module


def values(module):
    return {name: pack(t.clone()) for name, t in [*module.named_parameters(), *module.named_buffers()]}


def layer_case(operation, module, inputs, arguments, options=None, training=True, call=None, second=False, **more):
    """With `second`, also the gradients by the inputs of the sum of all gradients, each times its cotangent."""
    module = attach(module).train(training)
    inputs = [t.clone().requires_grad_(t.dtype == torch.float64) for t in inputs]
    entry = {
        'operation': operation, 'attributes': {'arguments': arguments, 'options': options or {}}, 'training': training,
        'parameters': values(module), 'inputs': [pack(t) for t in inputs], **more,
    }
    output = call(module, *inputs) if call else module(*inputs)
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    entry['output'] = [pack(t) for t in outputs] if len(outputs) > 1 else pack(outputs[0])
    floats = [t for t in outputs if t.dtype == torch.float64]
    joined = torch.cat([t.reshape(-1) for t in floats])  # one cotangent runs through all outputs in order
    named = list(module.named_parameters())
    leaves = [t for t in inputs if t.requires_grad]
    wanted = leaves + [p for _, p in named]
    found = torch.autograd.grad((joined * cotangent(joined)).sum(), wanted, allow_unused=True, create_graph=second) if wanted else []
    found = [torch.zeros_like(t) if g is None else g for t, g in zip(wanted, found)]
    rest = iter(found)
    entry['gradients'] = [pack(next(rest)) if t.requires_grad else None for t in inputs]
    entry['parameterGradients'] = {name: pack(next(rest)) for name, _ in named}
    if second:
        slopes = torch.cat([g.reshape(-1) for g in found])
        twice = torch.autograd.grad((slopes * cotangent(slopes)).sum(), leaves, allow_unused=True)
        entry['second'] = [pack(torch.zeros_like(t) if g is None else g) for t, g in zip(leaves, twice)]
    buffers = dict(module.named_buffers())
    if buffers:
        entry['state'] = {name: pack(b) for name, b in buffers.items()}
    return entry
