"""Golden values for @nn/compress: losses of distillation and their gradients, masks of torch.nn.utils.prune, LoRA
and DoRA as PEFT defines them, in double precision.

Run: python3 scripts/golden/compression.py (needs PyTorch). Writes packages/compress/fixtures/golden.json.
"""

import json
import math
import os

import torch
import torch.nn.functional as F
from torch.nn.utils import prune

from common import ROOT, cotangent, distinct, number, random

torch.set_default_dtype(torch.float64)


def pack(x):
    return {'shape': list(x.shape), 'data': [number(v) if v != 0 else 0 for v in x.detach().reshape(-1).tolist()]}


def loss(name, student, teacher, value, **options):
    student = student.clone().requires_grad_(True)
    result = value(student, teacher)
    (slope,) = torch.autograd.grad(result, student)
    return {'name': name, 'options': options, 'student': pack(student), 'teacher': pack(teacher), 'loss': number(result.item()), 'slope': pack(slope)}


def hinton(temperature, targets=None, alpha=0.0):
    def value(student, teacher):
        soft = F.kl_div(F.log_softmax(student / temperature, 1), F.softmax(teacher / temperature, 1), reduction='none').sum(1).mean() * temperature**2
        return soft if targets is None else alpha * F.cross_entropy(student, targets) + (1 - alpha) * soft
    return value


def attention_transfer(power):
    def value(student, teacher):
        at = lambda x: F.normalize(x.abs().pow(power).mean(1).flatten(1))
        return (at(student) - at(teacher)).pow(2).mean()
    return value


def similarity(student, teacher):
    g = lambda x: F.normalize(x.flatten(1) @ x.flatten(1).t())
    return (g(student) - g(teacher)).pow(2).mean()


def weights(student, teacher):
    return F.kl_div(student.log(), teacher, reduction='none').sum(-1).mean()


classes = torch.tensor([2, 0, 4])
maps = random(3, 5, 4, 3)
losses = [
    loss('distillationLoss', random(3, 5), random(3, 5), hinton(2), temperature=2),
    loss('distillationLoss', random(3, 5), random(3, 5), hinton(4, classes, 0.25), temperature=4, alpha=0.25, targets=classes.tolist()),
    loss('distillationLoss', random(3, 5, 2), random(3, 5, 2), hinton(1.5), temperature=1.5),
    loss('featureLoss', random(3, 4), random(3, 4), lambda s, t: F.mse_loss(s, t)),
    loss('featureLoss', random(3, 4), random(3, 4), lambda s, t: F.mse_loss(F.normalize(s), F.normalize(t)), normalize=True),
    loss('attentionTransferLoss', random(3, 2, 4, 3), maps, attention_transfer(2)),
    loss('attentionTransferLoss', random(3, 2, 4, 3), maps, attention_transfer(1), power=1),
    loss('similarityLoss', random(3, 4), maps, similarity),
    loss('attentionWeightLoss', random(2, 2, 3, 4).softmax(-1), random(2, 2, 3, 4).softmax(-1), weights),
]



# pruning: what torch.nn.utils.prune keeps, one method after the other on one module
def apart(*shape):
    """Numbers of either sign whose sizes differ, so that no two are equally small."""
    size = distinct(*shape)
    return (size - size.min() + 1 / 16) * torch.where(random(*shape) < 0, -1.0, 1.0)


def pruned(*methods, shape=(6, 5)):
    module = torch.nn.Module()
    weight = apart(*shape)
    module.weight = torch.nn.Parameter(weight.clone())
    masks = []
    for method, arguments in methods:
        getattr(prune, method)(module, 'weight', **arguments)
        masks.append([int(v) for v in module.weight_mask.reshape(-1).tolist()])
    return {'weight': pack(weight), 'methods': [[method, {k: ('Infinity' if v == float('inf') else v) for k, v in arguments.items()}] for method, arguments in methods], 'masks': masks}


l1, ln = 'l1_unstructured', 'ln_structured'
pruning = [
    pruned((l1, {'amount': 0.3}), (l1, {'amount': 0.5}), (l1, {'amount': 4})),
    pruned((l1, {'amount': 0.25}), shape=(5, 2)),  # 2.5 is rounded to 2
    pruned((l1, {'amount': 0.35}), shape=(5, 2)),  # 3.5 to 4
    pruned((ln, {'amount': 0.34, 'n': 2, 'dim': 0}), (ln, {'amount': 2, 'n': 1, 'dim': 1})),
    pruned((ln, {'amount': 0.5, 'n': float('inf'), 'dim': 1}), (l1, {'amount': 0.5}), (ln, {'amount': 0.4, 'n': 2, 'dim': 0})),
    pruned((ln, {'amount': 0.5, 'n': 2, 'dim': 0}), (l1, {'amount': 0.2}), shape=(4, 2, 3, 3)),
]
left, right = torch.nn.Linear(5, 4, bias=False), torch.nn.Conv2d(2, 3, 2, bias=False)
values = apart(44)
left.weight.data, right.weight.data = values[:20].reshape(4, 5).clone(), values[20:].reshape(3, 2, 2, 2).clone()
both = [(left, 'weight'), (right, 'weight')]
prune.global_unstructured(both, pruning_method=prune.L1Unstructured, amount=0.4)
prune.global_unstructured(both, pruning_method=prune.L1Unstructured, amount=0.4)
together = {'values': pack(values), 'masks': [[int(v) for v in m.weight_mask.reshape(-1).tolist()] for m in (left, right)]}


# LoRA and DoRA as PEFT computes them: what layers give, and the slopes of what is learned
def adapter(kind, weight, bias, x, rank, alpha, rs, dora):
    out = weight.shape[0]
    a = random(rank, *weight.shape[1:], low=-1, high=1).requires_grad_(True)
    b = random(out, rank, *[1] * (weight.dim() - 2), low=-1, high=1).requires_grad_(True)
    scale = alpha / (math.sqrt(rank) if rs else rank)
    product = F.linear if kind == 'linear' else (lambda x, w, c=None: F.conv2d(x, w, c, stride=2, padding=1))
    thin = F.linear if kind == 'linear' else F.conv2d
    learned = [a, b]
    low = scale * thin(product(x, a), b)
    if dora:
        ones = [1] * (weight.dim() - 1)
        m = (weight.flatten(1).norm(dim=1) + random(out, low=0, high=1)).requires_grad_(True)
        learned.append(m)
        delta = (b.flatten(1) @ a.flatten(1)).reshape(weight.shape) * scale
        factor = (m / (weight + delta).flatten(1).norm(dim=1).detach()).reshape(-1, *ones[1:])
        y = factor * (product(x, weight) + low) + bias.reshape(-1, *ones[1:])
    else:
        y = product(x, weight, bias) + low
    slopes = torch.autograd.grad((y * cotangent(y)).sum(), learned)
    return {'kind': kind, 'options': {'rank': rank, 'alpha': alpha, 'rankStabilized': rs, 'decomposed': dora}, 'weight': pack(weight), 'bias': pack(bias), 'x': pack(x), 'learned': [pack(p) for p in learned], 'output': pack(y), 'slopes': [pack(s) for s in slopes]}


linear = (random(4, 6), random(4), random(3, 6))
conv = (random(3, 2, 3, 3), random(3), random(2, 2, 5, 5))
adapters = [adapter(kind, *parts, rank=2, alpha=6, rs=rs, dora=dora) for kind, parts in (('linear', linear), ('conv', conv)) for rs, dora in ((False, False), (True, False), (False, True))]

with open(os.path.join(ROOT, 'packages/compress/fixtures/golden.json'), 'w') as file:
    json.dump({'source': 'PyTorch ' + torch.__version__.split('a')[0], 'losses': losses, 'pruning': pruning, 'global': together, 'adapters': adapters}, file, separators=(',', ':'))
    file.write('\n')
