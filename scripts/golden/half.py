"""Golden values for autocast: networks forwards and backwards in double precision, and in PyTorch's autocast to bfloat16 on the processor, whose
distance from the former is what rounding may cost.

Run: python3 scripts/golden/half.py (needs PyTorch). Writes packages/layers/fixtures/half.json.
"""

import json
import os

import torch
from torch import nn

from common import ROOT, number


def pack(x):
    return {'shape': list(x.shape), 'data': [number(v + 0) for v in x.detach().double().reshape(-1).tolist()]}


def networks():
    torch.manual_seed(7)
    return {
        'linear': (
            nn.Sequential(nn.Linear(24, 32), nn.GELU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 6), nn.Sigmoid(), nn.Linear(6, 4)),
            torch.randn(9, 24),
        ),
        'conv': (
            nn.Sequential(
                *[nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, stride=2), nn.Tanh(), nn.Flatten()],
                nn.Linear(24, 3),
            ),
            torch.randn(3, 2, 10, 10),
        ),
    }


def run(model, x, dtype=None):
    model.zero_grad()
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=dtype is not None):
        y = model(x)
    y.double().square().mean().backward()
    return [y] + [p.grad.clone() for p in model.parameters()]


cases = []
for name, (model, x) in networks().items():
    # numbers that bfloat16 would round, and float32 holds
    start = {key: pack(value) for key, value in model.state_dict().items()}
    half = run(model, x, torch.bfloat16)
    exact = run(model.double(), x.double())
    cases.append(
        {
            'name': name,
            'input': pack(x),
            'start': start,
            'exact': [pack(value) for value in exact],
            'distance': [float((a.double() - b).abs().max()) for a, b in zip(half, exact)],
        }
    )

with open(os.path.join(ROOT, 'packages/layers/fixtures/half.json'), 'w') as file:
    json.dump({'cases': cases}, file, separators=(',', ':'))
    file.write('\n')
