"""Golden values for @nn/compress: losses of distillation and their gradients, in PyTorch and double precision.

Run: python3 scripts/golden/compression.py (needs PyTorch). Writes packages/compress/fixtures/golden.json.
"""

import json
import os

import torch
import torch.nn.functional as F

from common import ROOT, number, random

torch.set_default_dtype(torch.float64)


def pack(x):
    return {'shape': list(x.shape), 'data': [number(v) for v in x.detach().reshape(-1).tolist()]}


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

with open(os.path.join(ROOT, 'packages/compress/fixtures/golden.json'), 'w') as file:
    json.dump({'source': 'PyTorch ' + torch.__version__.split('a')[0], 'losses': losses}, file, separators=(',', ':'))
    file.write('\n')
