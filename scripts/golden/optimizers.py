"""Golden trajectories for the optimizers and schedules of @nn/optim.

Run: python3 scripts/golden/optimizers.py (needs PyTorch). Writes packages/optim/fixtures/{optimizers,schedules,plateau,lbfgs}.json.
The network is 2-4-1 with tanh and mean squared error, in float32, on the data in the head of the file. Each case has the
loss before every step, and the parameters after the steps named in "at"; "average" are weights to use that are others.
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


def train(optimizer, options, make, clip=None, schedule=None, groups=None, average=None):
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
    case = {'optimizer': optimizer, 'options': options, **({'groups': groups} if groups else {}), 'losses': losses, 'parameters': snapshots}
    if average:
        case['average'] = {name: [number(v) for v in average(torch_optimizer, p).reshape(-1).tolist()] for name, p in parameters.items()}
    CASES.append(case)


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

train('Adagrad', {}, lambda p: O.Adagrad(p))
train('Adagrad', {'learningRate': 0.1, 'learningRateDecay': 0.05, 'initialAccumulator': 0.1, 'epsilon': 1e-3, 'weightDecay': 0.1},
      lambda p: O.Adagrad(p, lr=0.1, lr_decay=0.05, initial_accumulator_value=0.1, eps=1e-3, weight_decay=0.1))
train('Adadelta', {}, lambda p: O.Adadelta(p))
train('Adadelta', {'learningRate': 0.7, 'rho': 0.8, 'epsilon': 1e-3, 'weightDecay': 0.1}, lambda p: O.Adadelta(p, lr=0.7, rho=0.8, eps=1e-3, weight_decay=0.1))
train('Adamax', {}, lambda p: O.Adamax(p))
train('Adamax', {'learningRate': 0.05, 'betas': [0.8, 0.9], 'epsilon': 1e-3, 'weightDecay': 0.1}, lambda p: O.Adamax(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1))
train('RAdam', {}, lambda p: O.RAdam(p))
train('RAdam', {'learningRate': 0.05, 'betas': [0.8, 0.9], 'epsilon': 1e-3, 'weightDecay': 0.1}, lambda p: O.RAdam(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1))
train('Rprop', {}, lambda p: O.Rprop(p))
train('Rprop', {'learningRate': 0.1, 'etas': [0.4, 1.3], 'stepSizes': [0.01, 0.15]}, lambda p: O.Rprop(p, lr=0.1, etas=(0.4, 1.3), step_sizes=(0.01, 0.15)))
train('ASGD', {}, lambda p: O.ASGD(p))
train('ASGD', {'learningRate': 0.1, 'lambda': 0.05, 'alpha': 0.6, 't0': 5, 'weightDecay': 0.1},
      lambda p: O.ASGD(p, lr=0.1, lambd=0.05, alpha=0.6, t0=5, weight_decay=0.1), average=lambda o, p: o.state[p]['ax'])


# Those that PyTorch 1.13 lacks (or has wrong: NAdam's second product): the papers' formulas, in double precision.
# rule(p, g, s, t) answers the new p; s is a dict that starts empty; average(p, s) the weights to use, where they are others.
def follow(optimizer, options, rule, average=None, names=tuple(start)):
    parameters = {name: t.double().clone().requires_grad_(name in names) for name, t in start.items()}
    states = {name: {} for name in start}
    losses, snapshots = [], []
    for step in range(1, STEPS + 1):
        w1, b1, w2, b2 = parameters.values()
        loss = ((torch.tanh(x.double() @ w1.T + b1) @ w2.T + b2 - y.double()) ** 2).mean()
        found = dict(zip(names, torch.autograd.grad(loss, [parameters[name] for name in names])))
        losses.append(number(loss.item()))
        for name in names:
            p = parameters[name].detach()
            parameters[name] = rule(p, found[name], states[name], step).detach().requires_grad_()
        if step in AT:
            snapshots.append({name: [number(v) for v in p.detach().reshape(-1).tolist()] for name, p in parameters.items()})
    case = {'optimizer': optimizer, 'options': options, 'losses': losses, 'parameters': snapshots}
    if len(names) < len(start):
        case['groups'] = [{'parameters': list(names)}]
    if average:
        case['average'] = {name: [number(v) for v in average(p.detach(), states[name]).reshape(-1).tolist()] for name, p in parameters.items()}
    CASES.append(case)


def kept(s, name, p):
    return s.get(name, torch.zeros_like(p))


def nadam(lr=0.002, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, md=0.004):
    def rule(p, g, s, t):
        g = g + decay * p
        mu, ahead = [b1 * (1 - 0.5 * 0.96 ** (k * md)) for k in (t, t + 1)]
        s['P'] = s.get('P', 1) * mu
        s['m'] = b1 * kept(s, 'm', p) + (1 - b1) * g
        s['v'] = b2 * kept(s, 'v', p) + (1 - b2) * g * g
        return p - lr * ((1 - mu) / (1 - s['P']) * g + ahead / (1 - s['P'] * ahead) * s['m']) / ((s['v'] / (1 - b2 ** t)).sqrt() + eps)
    return rule


def lion(lr=1e-4, b1=0.9, b2=0.99, decay=0.0):
    def rule(p, g, s, t):
        m = kept(s, 'm', p)
        s['m'] = b2 * m + (1 - b2) * g
        return (1 - lr * decay) * p - lr * torch.sign(b1 * m + (1 - b1) * g)
    return rule


def lamb(lr=1e-3, b1=0.9, b2=0.999, eps=1e-6, decay=0.0):
    def rule(p, g, s, t):
        s['m'] = b1 * kept(s, 'm', p) + (1 - b1) * g
        s['v'] = b2 * kept(s, 'v', p) + (1 - b2) * g * g
        u = s['m'] / (1 - b1 ** t) / ((s['v'] / (1 - b2 ** t)).sqrt() + eps) + decay * p
        trust = p.norm() / u.norm() if p.norm() > 0 and u.norm() > 0 else 1
        return p - lr * trust * u
    return rule


def adan(lr=1e-3, b1=0.98, b2=0.92, b3=0.99, eps=1e-8, decay=0.0):
    def rule(p, g, s, t):
        change = g - s.get('g', g)
        s['g'] = g
        s['m'] = b1 * kept(s, 'm', p) + (1 - b1) * g
        s['v'] = b2 * kept(s, 'v', p) + (1 - b2) * change
        s['n'] = b3 * kept(s, 'n', p) + (1 - b3) * (g + b2 * change) ** 2
        way = s['m'] / (1 - b1 ** t) + b2 * s['v'] / (1 - b2 ** t)
        return (p - lr * way / ((s['n'] / (1 - b3 ** t)).sqrt() + eps)) / (1 + lr * decay)
    return rule


def adafactor(lr=0.01, power=-0.8, eps=2.0 ** -23, least=1e-3, d=1.0, decay=0.0):
    def rms(q):
        return (q * q).mean().sqrt()

    def rule(p, g, s, t):
        b = 1 - t ** power
        p = (1 - lr * decay) * p
        if g.dim() < 2:
            s['v'] = b * kept(s, 'v', p) + (1 - b) * g * g
            v = s['v']
        else:
            s['r'] = b * s.get('r', 0) + (1 - b) * (g * g).mean(-1)
            s['c'] = b * s.get('c', 0) + (1 - b) * (g * g).mean(-2)
            v = torch.outer(s['r'], s['c']) / s['r'].mean().clamp(min=eps)
        u = g / v.clamp(min=eps * eps).sqrt()
        return p - max(least, rms(p)) * min(lr, t ** -0.5) * u / max(1, rms(u) / d)
    return rule


def muon(lr=1e-3, decay=0.1, b=0.95, nesterov=True, eps=1e-7, adjust=lambda r, c: max(1, r / c) ** 0.5):
    def rule(p, g, s, t):
        s['m'] = b * kept(s, 'm', p) + (1 - b) * g
        u = b * s['m'] + (1 - b) * g if nesterov else s['m']
        z = u.T if u.shape[0] > u.shape[1] else u
        z = z / z.norm().clamp(min=eps)
        for _ in range(5):
            a = z @ z.T
            z = 3.4445 * z + (-4.775 * a + 2.0315 * a @ a) @ z
        z = z.T if u.shape[0] > u.shape[1] else z
        return (1 - lr * decay) * p - lr * adjust(*u.shape) * z
    return rule


def ftrl(lr=0.001, power=-0.5, initial=0.1, l1=0.0, l2=0.0, shrinkage=0.0, beta=0.0):
    def rule(p, g, s, t):
        n = s.get('n', torch.full_like(p, initial))
        s['n'] = n + g * g
        s['z'] = kept(s, 'z', p) + g + 2 * shrinkage * p - (s['n'] ** -power - n ** -power) / lr * p
        return (s['z'].clamp(-l1, l1) - s['z']) / (s['n'] ** -power / lr + 2 * (l2 + beta / (2 * lr)))
    return rule


def schedule_free(lr=0.0025, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, warmup=0, r=0.0, power=2.0):
    def rule(p, g, s, t):
        rate = lr * min(1, t / max(1, warmup))
        z = s.get('z', p)
        x = s.get('x', p)
        s['v'] = b2 * kept(s, 'v', p) + (1 - b2) * g * g
        u = g / ((s['v'] / (1 - b2 ** t)).sqrt() + eps) + decay * p
        s['largest'] = max(s.get('largest', 0), rate)
        w = t ** r * s['largest'] ** power
        s['sum'] = s.get('sum', 0) + w
        s['z'] = z - rate * u
        s['x'] = x + w / s['sum'] * (s['z'] - x)
        return (1 - b1) * s['z'] + b1 * s['x']
    return rule


MATRICES = ('hidden.weight', 'output.weight')
follow('NAdam', {}, nadam())
follow('NAdam', {'learningRate': 0.05, 'betas': [0.8, 0.9], 'epsilon': 1e-3, 'momentumDecay': 0.1, 'weightDecay': 0.1}, nadam(0.05, 0.8, 0.9, 1e-3, 0.1, 0.1))
follow('Lion', {}, lion())
follow('Lion', {'learningRate': 0.01, 'betas': [0.8, 0.95], 'weightDecay': 0.3}, lion(0.01, 0.8, 0.95, 0.3))
follow('LAMB', {}, lamb())
follow('LAMB', {'learningRate': 0.05, 'betas': [0.8, 0.9], 'epsilon': 1e-3, 'weightDecay': 0.1}, lamb(0.05, 0.8, 0.9, 1e-3, 0.1))
follow('Adan', {}, adan())
follow('Adan', {'learningRate': 0.05, 'betas': [0.9, 0.8, 0.95], 'epsilon': 1e-3, 'weightDecay': 0.1}, adan(0.05, 0.9, 0.8, 0.95, 1e-3, 0.1))
follow('Adafactor', {}, adafactor())
follow('Adafactor', {'learningRate': 0.3, 'decayPower': -0.5, 'minimumScale': 0.5, 'clipThreshold': 0.7, 'weightDecay': 0.1}, adafactor(0.3, -0.5, least=0.5, d=0.7, decay=0.1))
follow('Muon', {}, muon(), names=MATRICES)
follow('Muon', {'learningRate': 0.05, 'momentum': 0.8, 'nesterov': False, 'weightDecay': 0, 'adjust': 'adamw'},
       muon(0.05, 0, 0.8, False, adjust=lambda r, c: 0.2 * max(r, c) ** 0.5), names=MATRICES)
follow('FTRL', {}, ftrl())
follow('FTRL', {'learningRate': 0.5, 'learningRatePower': -0.6, 'initialAccumulator': 0.2, 'l1': 0.02, 'l2': 0.1, 'l2Shrinkage': 0.05, 'beta': 0.3},
       ftrl(0.5, -0.6, 0.2, 0.02, 0.1, 0.05, 0.3))
follow('ScheduleFreeAdamW', {}, schedule_free(), average=lambda p, s: s['x'])
follow('ScheduleFreeAdamW', {'learningRate': 0.05, 'betas': [0.8, 0.9], 'epsilon': 1e-3, 'weightDecay': 0.1, 'warmUpSteps': 5, 'averagePower': 0.5, 'ratePower': 1},
       schedule_free(0.05, 0.8, 0.9, 1e-3, 0.1, 5, 0.5, 1.0), average=lambda p, s: s['x'])

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

rates('polynomialDecay', [0.5, {'steps': 9, 'power': 2}], lambda o: S.PolynomialLR(o, 9, 2.0))
rates('constantFactor', [0.5], lambda o: S.ConstantLR(o))
rates('constantFactor', [0.5, {'factor': 0.25, 'steps': 7}], lambda o: S.ConstantLR(o, 0.25, 7))
rates('cosineWarmRestarts', [0.5, {'steps': 5}], lambda o: S.CosineAnnealingWarmRestarts(o, 5))
rates('cosineWarmRestarts', [0.5, {'steps': 3, 'multiply': 2, 'minimum': 0.05}], lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.05))
rates('cyclic', [0.1, {'maximum': 0.5, 'up': 4}], lambda o: S.CyclicLR(o, 0.1, 0.5, 4, cycle_momentum=False))
rates('cyclic', [0.1, {'maximum': 0.5, 'up': 4, 'down': 2, 'mode': 'triangular2'}], lambda o: S.CyclicLR(o, 0.1, 0.5, 4, 2, 'triangular2', cycle_momentum=False))
rates('cyclic', [0.1, {'maximum': 0.5, 'up': 3, 'mode': 'exponential', 'factor': 0.9}],
      lambda o: S.CyclicLR(o, 0.1, 0.5, 3, mode='exp_range', gamma=0.9, cycle_momentum=False))


# Keras' schedules and Noam's, by their formulas
def formula(schedule, arguments, rate, steps=24):
    SCHEDULES.append({'schedule': schedule, 'arguments': arguments, 'values': [number(rate(t)) for t in range(steps)]})


formula('exponentialDecay', [0.5, {'factor': 0.5, 'steps': 6}], lambda t: 0.5 * 0.5 ** (t / 6))
formula('exponentialDecay', [0.5, {'factor': 0.5, 'steps': 6, 'staircase': True}], lambda t: 0.5 * 0.5 ** (t // 6))
formula('inverseTimeDecay', [0.5, {'factor': 0.5, 'steps': 6}], lambda t: 0.5 / (1 + 0.5 * t / 6))
formula('inverseTimeDecay', [0.5, {'factor': 0.5, 'steps': 6, 'staircase': True}], lambda t: 0.5 / (1 + 0.5 * (t // 6)))
formula('piecewiseConstant', [[4, 11], [0.5, 0.25, 0.1]], lambda t: 0.5 if t <= 4 else 0.25 if t <= 11 else 0.1)
formula('polynomialDecay', [0.5, {'steps': 9, 'power': 0.5, 'minimum': 0.1}], lambda t: (0.5 - 0.1) * (1 - min(t, 9) / 9) ** 0.5 + 0.1)
formula('polynomialDecay', [0.5, {'steps': 9, 'minimum': 0.1, 'cycle': True}], lambda t: (0.5 - 0.1) * (1 - t / (9 * max(1, math.ceil(t / 9)))) + 0.1)
formula('noam', [2, {'size': 16, 'warmUpSteps': 8}], lambda t: 2 * 16 ** -0.5 * min((t + 1) ** -0.5, (t + 1) * 8 ** -1.5))


def restarts(t, base=0.5, first=4, t_mul=2, m_mul=0.5, alpha=0.1):  # Keras' CosineDecayRestarts
    done = t / first
    n = math.floor(math.log(1 - done * (1 - t_mul)) / math.log(t_mul) + 1e-9)
    done = (done - (1 - t_mul ** n) / (1 - t_mul)) / t_mul ** n
    # its minimum alpha is a share of the first rate
    return base * ((1 - alpha) * 0.5 * m_mul ** n * (1 + math.cos(math.pi * done)) + alpha)


formula('cosineWarmRestarts', [0.5, {'steps': 4, 'multiply': 2}], lambda t: restarts(t, m_mul=1, alpha=0))
formula('cosineWarmRestarts', [0.5, {'steps': 4, 'multiply': 2, 'shrink': 0.5}], lambda t: restarts(t, alpha=0))

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

# --- L-BFGS: calls of step, in double precision ---------------------------------------------------------------------
LBFGS = []


def lbfgs(function, options, begin, calls, **torch_options):
    p = torch.tensor(begin, dtype=torch.float64, requires_grad=True)
    optimizer, losses, found = O.LBFGS([p], **torch_options), [], []

    def closure():
        optimizer.zero_grad()
        loss = FUNCTIONS[function](p)
        loss.backward()
        return loss

    for _ in range(calls):
        losses.append(number(optimizer.step(closure).item()))
        found.append([number(v) for v in p.tolist()])
    evaluations = optimizer.state[p]['func_evals']
    LBFGS.append({'function': function, 'options': options, 'start': begin, 'losses': losses, 'parameters': found, 'evaluations': evaluations})


FUNCTIONS = {
    'rosenbrock': lambda p: ((1 - p[:-1]) ** 2 + 10 * (p[1:] - p[:-1] ** 2) ** 2).sum(),
    'logCosh': lambda p: (torch.log(torch.cosh(p - torch.arange(len(p)))) * (1 + torch.arange(len(p)))).sum(),
}
lbfgs('rosenbrock', {'iterations': 4}, [-1.0, 1.5], 4, max_iter=4, line_search_fn='strong_wolfe')
lbfgs('rosenbrock', {'iterations': 3, 'history': 2}, [-1.0, 0.5, 1.5, 0.25], 4, max_iter=3, history_size=2, line_search_fn='strong_wolfe')
lbfgs('logCosh', {'iterations': 3, 'learningRate': 0.5}, [3.0, -2.0, 0.5], 3, max_iter=3, lr=0.5, line_search_fn='strong_wolfe')
lbfgs('logCosh', {'iterations': 3, 'learningRate': 0.25, 'lineSearch': 'none'}, [1.0, 0.5, 1.5], 4, max_iter=3, lr=0.25)

write('packages/optim/fixtures/lbfgs.json', LBFGS)
