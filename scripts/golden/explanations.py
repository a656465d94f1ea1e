"""Golden values for @nn/explain: methods written out with PyTorch's autograd and hooks, in double precision.

Run: python3 scripts/golden/explanations.py (needs PyTorch and scikit-learn). Writes packages/explain/fixtures/golden.json.
A small convolutional network with weights that float32 holds, and what each method says of it by its definition: guided
backpropagation by hooks on its ReLU modules, DeepLift by the rescale rule on its modules (written apart from ours, which acts
on the graph), integrals by 4,000 midpoints. Lime's weights are scikit-learn's Lasso.
"""

import itertools
import json
import math
import os

import numpy as np
import torch
from sklearn.linear_model import Lasso, LinearRegression

from common import ROOT, random

torch.set_default_dtype(torch.float64)
conv_w, conv_b = random(3, 1, 3, 3, low=-1, high=1), random(3, low=-1, high=1)
lin_w, lin_b = random(4, 12, low=-1, high=1), random(4, low=-1, high=1)
out_w, out_b = random(3, 4, low=-1, high=1), random(3, low=-1, high=1)
x, base = random(2, 1, 6, 6, low=-1, high=2), random(1, 6, 6, low=-1, high=1)
target = 1


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.pool, self.a, self.b = torch.nn.Conv2d(1, 3, 3), torch.nn.MaxPool2d(2), torch.nn.Linear(12, 4), torch.nn.Linear(4, 3)
        self.r, self.s, self.t = torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.Tanh()
        for p, v in [(self.conv.weight, conv_w), (self.conv.bias, conv_b), (self.a.weight, lin_w), (self.a.bias, lin_b), (self.b.weight, out_w), (self.b.bias, out_b)]:
            p.data = v.clone()

    def forward(self, x):
        self.maps = self.r(self.conv(x))
        self.hidden = self.t(self.s(self.a(self.pool(self.maps).flatten(1))))
        return self.b(self.hidden)


net = Net()


def slope(points):
    points = points.clone().requires_grad_(True)
    return torch.autograd.grad(net(points)[:, target].sum(), points)[0]


saliency = slope(x).abs()
steps = 4000
places = [(i + 0.5) / steps for i in range(steps)]
integrated = sum(slope(base + a * (x - base)) for a in places) / steps * (x - base)
scores = net(x)
cam_slope = torch.autograd.grad(scores[:, target].sum(), net.maps)[0]
cam = (cam_slope.mean((2, 3), keepdim=True) * net.maps).sum(1, keepdim=True)

handles = [m.register_full_backward_hook(lambda m, gi, go: (gi[0].clamp(min=0),)) for m in (net.r, net.s)]
guided = slope(x)
for h in handles:
    h.remove()
guided_cam = guided * torch.nn.functional.interpolate(cam.clamp(min=0), size=(6, 6), mode='nearest')

# conductance of the hidden layer: the integral of dF/dh times dh/da along the path
conductance = 0
for a in places:
    p = (base + a * (x - base)).requires_grad_(True)
    f = net(p)[:, target].sum()
    dh = torch.autograd.grad(f, net.hidden)[0]
    _, tangent = torch.autograd.functional.jvp(lambda q: (net(q), net.hidden)[1], p.detach(), x - base)
    conductance = conductance + dh * tangent / steps


def deep_lift(x, base):
    """Rescale for ReLU and tanh, the rule of max pooling as in DeepLift's paper; module by module, backwards."""
    base = base.expand_as(x)
    both = []
    for p in (x, base):
        c = net.conv(p); r = net.r(c); m, where = torch.nn.functional.max_pool2d(r, 2, return_indices=True)
        l = net.a(m.flatten(1)); s = net.s(l); t = net.t(s)
        both.append(dict(c=c, r=r, m=m, where=where, l=l, s=s, t=t))
    now, then = both

    def ratio(y, x_, own):
        d = now[x_] - then[x_]
        return torch.where(d.abs() < 1e-10, own, (now[y] - then[y]) / torch.where(d == 0, torch.ones_like(d), d))

    g = out_w[target].expand(x.shape[0], -1)
    g = g * ratio('t', 's', 1 - now['t'] ** 2)
    g = g * ratio('s', 'l', (now['l'] > 0).double())
    g = (g @ lin_w).reshape(now['m'].shape)
    top = torch.maximum(now['m'], then['m'])
    back = torch.nn.functional.max_unpool2d(g * (top - then['m']), now['where'], 2) + torch.nn.functional.max_unpool2d(g * (now['m'] - top), then['where'], 2)
    d = now['r'] - then['r']
    own = torch.nn.functional.max_unpool2d(g, now['where'], 2)
    g = torch.where(d.abs() < 1e-10, own, back / torch.where(d == 0, torch.ones_like(d), d))
    g = g * ratio('r', 'c', (now['c'] > 0).double())
    return torch.nn.functional.conv_transpose2d(g, conv_w) * (x - base)


lifted = deep_lift(x, base)
net(x)
assert torch.allclose(lifted.sum((1, 2, 3)), (net(x) - net(base[None]))[:, target])

# Shapley values and interactions by all orders, of a function of four features that are 0 or there
values = [3.0, -1.0, 2.0, 0.5]


def play(z):
    a, b, c, d = [v if on else 0.0 for v, on in zip(values, z)]
    return a * b + max(c - d, 0) * a + math.tanh(b + c) + d


M = 4
shapley = np.zeros(M)
for order in itertools.permutations(range(M)):
    z = [0] * M
    for i in order:
        before = play(z)
        z[i] = 1
        shapley[i] += play(z) - before
shapley /= math.factorial(M)
inter = np.zeros((M, M))
for i, j in itertools.permutations(range(M), 2):
    rest = [k for k in range(M) if k not in (i, j)]
    for n in range(len(rest) + 1):
        for chosen in itertools.combinations(rest, n):
            weight = math.factorial(n) * math.factorial(M - n - 2) / (2 * math.factorial(M - 1))
            v = lambda *more: play([1 if k in (*chosen, *more) else 0 for k in range(M)])
            inter[i, j] += weight * (v(i, j) - v(i) - v(j) + v())
for i in range(M):
    inter[i, i] = shapley[i] - inter[i].sum()

# Lasso with weights of samples
Z = random(30, 5, low=0, high=1).round().numpy()
y = (random(30).numpy() * 0.1 + Z @ np.array([3.0, 0, -2, 0, 0.5]) + 1)
w = random(30, low=0.1, high=1).abs().numpy()
lasso = Lasso(alpha=0.05, tol=1e-12, max_iter=100000).fit(Z, y, sample_weight=w)
plain = LinearRegression().fit(Z, y, sample_weight=w)


def rounded(v):
    v = v.detach().numpy() if isinstance(v, torch.Tensor) else np.asarray(v)
    return [float('%.9g' % n) for n in v.reshape(-1)]


found = dict(
    weights=dict(conv_w=conv_w, conv_b=conv_b, lin_w=lin_w, lin_b=lin_b, out_w=out_w, out_b=out_b),
    x=x, base=base, scores=scores, saliency=saliency, integrated=integrated, cam=cam, guided=guided, guidedCam=guided_cam,
    conductance=conductance, deepLift=lifted, shapley=shapley, interactions=inter,
    lasso=dict(Z=Z, y=y, w=w, coefficients=lasso.coef_, intercept=[lasso.intercept_], plain=plain.coef_),
)
pack = lambda v: {k: pack(n) for k, n in v.items()} if isinstance(v, dict) else rounded(v)
os.makedirs(os.path.join(ROOT, 'packages/explain/fixtures'), exist_ok=True)
with open(os.path.join(ROOT, 'packages/explain/fixtures/golden.json'), 'w') as file:
    json.dump(dict(source=f'scripts/golden/explanations.py, PyTorch {torch.__version__.split("+")[0]}', **pack(found)), file)
    file.write('\n')
