"""Golden trajectories for the optimizers and schedules of @nn/optim.

Run: python3 scripts/golden/optimizers.py (needs PyTorch). Writes packages/optim/fixtures/{optimizers,schedules,plateau}.json.
The network is 2-4-1 with tanh and mean squared error, in float32, on the data in the head of the file. Each case has the
loss before every step, and the parameters after the steps named in "at".
"""

import math

import torch

from common import number, pack, random, write

STEPS, AT = 25, [1, 2, 3, 10, 25]
x = random(8, 2).float()
y = random(8, 1, low=-1, high=1).float()
start = {
    'hidden.weight': random(4, 2, low=-1, high=1).float(), 'hidden.bias': random(4, low=-0.5, high=0.5).float(),
    'output.weight': random(1, 4, low=-1, high=1).float(), 'output.bias': random(1, low=-0.5, high=0.5).float(),
}
CASES = []


def train(optimizer, options, make, clip=None, schedule=None, groups=None):
    parameters = {name: t.clone().requires_grad_() for name, t in start.items()}
    w1, b1, w2, b2 = parameters.values()
    torch_optimizer = make([w1, b1, w2, b2])
    scheduler = schedule(torch_optimizer) if schedule else None
    losses, snapshots = [], []
    for step in range(1, STEPS + 1):
        loss = ((torch.tanh(x @ w1.T + b1) @ w2.T + b2 - y) ** 2).mean()
        torch_optimizer.zero_grad()
        loss.backward()
        if clip:
            clip([w1, b1, w2, b2])
        torch_optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(number(loss.item()))
        if step in AT:
            snapshots.append({name: [number(v) for v in p.detach().reshape(-1).tolist()] for name, p in parameters.items()})
    CASES.append({'optimizer': optimizer, 'options': options, **({'groups': groups} if groups else {}), 'losses': losses, 'parameters': snapshots})


O = torch.optim
train('SGD', {'learningRate': 0.1}, lambda p: O.SGD(p, lr=0.1))
train('SGD', {'learningRate': 0.05, 'momentum': 0.9}, lambda p: O.SGD(p, lr=0.05, momentum=0.9))
train('SGD', {'learningRate': 0.05, 'momentum': 0.9, 'dampening': 0.3}, lambda p: O.SGD(p, lr=0.05, momentum=0.9, dampening=0.3))
train('SGD', {'learningRate': 0.05, 'momentum': 0.9, 'nesterov': True}, lambda p: O.SGD(p, lr=0.05, momentum=0.9, nesterov=True))
train('SGD', {'learningRate': 0.05, 'momentum': 0.8, 'weightDecay': 0.1}, lambda p: O.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.1))
train('SGD', {'learningRate': 0.05, 'weightDecay': 0.1}, lambda p: O.SGD(p, lr=0.05, weight_decay=0.1))
train('SGD', {'learningRate': 0.01, 'maximize': True, 'weightDecay': 0.1}, lambda p: O.SGD(p, lr=0.01, maximize=True, weight_decay=0.1))
train('Adam', {}, lambda p: O.Adam(p))
train('Adam', {'learningRate': 0.05, 'betas': [0.8, 0.99], 'epsilon': 1e-4}, lambda p: O.Adam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-4))
train('Adam', {'learningRate': 0.05, 'weightDecay': 0.1}, lambda p: O.Adam(p, lr=0.05, weight_decay=0.1))
train('Adam', {'learningRate': 0.05, 'betas': [0.8, 0.7], 'amsgrad': True}, lambda p: O.Adam(p, lr=0.05, betas=(0.8, 0.7), amsgrad=True))
train('Adam', {'learningRate': 0.01, 'maximize': True}, lambda p: O.Adam(p, lr=0.01, maximize=True))
train('AdamW', {}, lambda p: O.AdamW(p))
train('AdamW', {'learningRate': 0.05, 'weightDecay': 0.2}, lambda p: O.AdamW(p, lr=0.05, weight_decay=0.2))
train('AdamW', {'learningRate': 0.05, 'betas': [0.9, 0.7], 'amsgrad': True}, lambda p: O.AdamW(p, lr=0.05, betas=(0.9, 0.7), amsgrad=True))
train('RMSprop', {}, lambda p: O.RMSprop(p))
train('RMSprop', {'learningRate': 0.02, 'alpha': 0.9, 'epsilon': 1e-4}, lambda p: O.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-4))
train('RMSprop', {'learningRate': 0.01, 'momentum': 0.8}, lambda p: O.RMSprop(p, lr=0.01, momentum=0.8))
train('RMSprop', {'learningRate': 0.01, 'centered': True, 'epsilon': 1e-3}, lambda p: O.RMSprop(p, lr=0.01, centered=True, eps=1e-3))
train('RMSprop', {'learningRate': 0.01, 'centered': True, 'epsilon': 1e-3, 'momentum': 0.5, 'weightDecay': 0.1},
      lambda p: O.RMSprop(p, lr=0.01, centered=True, eps=1e-3, momentum=0.5, weight_decay=0.1))

U = torch.nn.utils
train('SGD', {'learningRate': 0.2, 'momentum': 0.9, 'clip': {'globalNorm': 0.25}}, lambda p: O.SGD(p, lr=0.2, momentum=0.9), lambda p: U.clip_grad_norm_(p, 0.25))
train('SGD', {'learningRate': 0.2, 'clip': {'value': 0.05}}, lambda p: O.SGD(p, lr=0.2), lambda p: U.clip_grad_value_(p, 0.05))
train('SGD', {'learningRate': 0.2, 'clip': {'norm': 0.1}}, lambda p: O.SGD(p, lr=0.2), lambda p: [U.clip_grad_norm_(q, 0.1) for q in p])
train('AdamW', {'learningRate': {'schedule': 'cosineDecay', 'arguments': [0.1, {'steps': 20}]}}, lambda p: O.AdamW(p, lr=0.1),
      schedule=lambda o: O.lr_scheduler.LambdaLR(o, lambda t: (1 + math.cos(math.pi * min(t, 20) / 20)) / 2))
groups = [
    {'parameters': ['hidden.weight', 'hidden.bias'], 'learningRate': 0.1, 'weightDecay': 0.01},
    {'parameters': ['output.weight', 'output.bias'], 'momentum': 0.5},
]
train('SGD', {'learningRate': 0.02}, lambda p: O.SGD([{'params': p[:2], 'lr': 0.1, 'weight_decay': 0.01}, {'params': p[2:], 'momentum': 0.5}], lr=0.02), groups=groups)

write('packages/optim/fixtures/optimizers.json', CASES, x=pack(x), y=pack(y), at=AT, start={name: pack(t) for name, t in start.items()})

# --- schedules ------------------------------------------------------------------------------------------------------
SCHEDULES = []
S = O.lr_scheduler


def rates(schedule, arguments, make, steps=24, learning_rate=0.5):
    optimizer = O.SGD([torch.zeros(1)], lr=learning_rate)
    scheduler = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(number(optimizer.param_groups[0]['lr']))
        optimizer.step()
        scheduler.step()
    SCHEDULES.append({'schedule': schedule, 'arguments': arguments, 'values': values})


rates('stepDecay', [0.5, {'every': 5, 'factor': 0.2}], lambda o: S.StepLR(o, 5, 0.2))
rates('multiStepDecay', [0.5, {'milestones': [3, 4, 15], 'factor': 0.1}], lambda o: S.MultiStepLR(o, [3, 4, 15]))
rates('exponentialDecay', [0.5, {'factor': 0.9}], lambda o: S.ExponentialLR(o, 0.9))
rates('cosineDecay', [0.5, {'steps': 24, 'minimum': 0.05}], lambda o: S.CosineAnnealingLR(o, 24, 0.05))
rates('linearRamp', [0.5, {'steps': 6, 'from': 0.25}], lambda o: S.LinearLR(o, 0.25, 1.0, 6))
rates('linearRamp', [0.5, {'steps': 8, 'from': 1, 'to': 0.1}], lambda o: S.LinearLR(o, 1.0, 0.1, 8))
rates('oneCycle', [0.8, {'steps': 25}], lambda o: S.OneCycleLR(o, 0.8, total_steps=25))
rates('oneCycle', [0.8, {'steps': 25, 'rise': 0.4, 'divideStart': 10, 'divideEnd': 100, 'anneal': 'linear'}],
      lambda o: S.OneCycleLR(o, 0.8, total_steps=25, pct_start=0.4, div_factor=10, final_div_factor=100, anneal_strategy='linear'))
rates('oneCycle', [0.8, {'steps': 25, 'threePhase': True}], lambda o: S.OneCycleLR(o, 0.8, total_steps=25, three_phase=True))

write('packages/optim/fixtures/schedules.json', SCHEDULES)

# --- ReduceLROnPlateau ----------------------------------------------------------------------------------------------
PLATEAU = []
FALLING = [5, 4, 3.9, 3.9, 3.8999, 3.95, 4, float('nan'), 3.8, 3.8, 3.8, 3.8, 3.8, 3.7, 3.7, 3.7, 3.7, 3.7, 3.7, 3.7]


def plateau(options, make, values):
    optimizer = O.SGD([{'params': [torch.zeros(1)]}, {'params': [torch.zeros(1)], 'lr': 0.25}], lr=0.5)
    scheduler, found = make(optimizer), []
    for value in values:
        scheduler.step(value)
        found.append([number(group['lr']) for group in optimizer.param_groups])
    PLATEAU.append({'options': options, 'values': [number(float(v)) for v in values], 'rates': found})


R = S.ReduceLROnPlateau
plateau({'patience': 2}, lambda o: R(o, patience=2), FALLING)
plateau({'patience': 0, 'factor': 0.5}, lambda o: R(o, patience=0, factor=0.5), FALLING)
plateau({'patience': 1, 'cooldown': 2, 'factor': 0.5}, lambda o: R(o, patience=1, cooldown=2, factor=0.5), FALLING)
plateau({'patience': 1, 'threshold': 0.05, 'factor': 0.3}, lambda o: R(o, patience=1, threshold=0.05, factor=0.3), FALLING)
plateau({'patience': 1, 'threshold': 0.05, 'thresholdMode': 'absolute'}, lambda o: R(o, patience=1, threshold=0.05, threshold_mode='abs'), FALLING)
plateau({'patience': 1, 'mode': 'max', 'factor': 0.5}, lambda o: R(o, mode='max', patience=1, factor=0.5), [10 - v for v in FALLING])
plateau({'patience': 0, 'minimum': [0.01, 0.002]}, lambda o: R(o, patience=0, min_lr=[0.01, 0.002]), FALLING)
plateau({'patience': 0, 'epsilon': 0.01}, lambda o: R(o, patience=0, eps=0.01), FALLING)

write('packages/optim/fixtures/plateau.json', PLATEAU)
