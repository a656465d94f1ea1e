"""Golden values for packages/distributions: log-probabilities, entropies, divergences with gradients (PyTorch), quantiles and
chances for tests of samples, and the derivative of gamma numbers by their concentration (SciPy).

Run: python3 scripts/golden/distributions.py (needs PyTorch and SciPy). Writes packages/distributions/fixtures/distributions.json.
"""

import json
import os

import numpy
import scipy.special
import scipy.stats
import torch
from torch import distributions as D

from common import ROOT, cotangent, pack, random

positive = lambda *shape: random(*shape, low=0.25, high=4)
chances = lambda *shape: random(*shape, low=0.0625, high=0.9375)
inside = lambda *shape: random(*shape, low=0.0625, high=0.9375)


def simplex(*shape):
    # exact in float32, and their sum exactly 1: multiples of 2^-8
    x = torch.floor(random(*shape, low=0.1, high=1) * 64 / shape[-1])
    x[..., 0] += 64 - x.sum(-1)
    return x / 64


def matrix(*shape):
    x = torch.tril(random(*shape))
    return x - torch.diag_embed(torch.diagonal(x, dim1=-2, dim2=-1)) + torch.diag_embed(positive(*shape[:-1]))


# name, parameters, how PyTorch takes them, values, a second set of parameters for the divergence
FAMILIES = [
    ('Normal', [random(3), positive(2, 3)], lambda a, b: D.Normal(a, b), random(2, 3), [random(3), positive(2, 3)]),
    ('Uniform', [random(3), random(3) + 5], lambda a, b: D.Uniform(a, b, validate_args=False), random(2, 3) + 2, [random(3) - 4, random(3) + 10]),
    ('Laplace', [random(3), positive(2, 3)], lambda a, b: D.Laplace(a, b), random(2, 3), [random(3), positive(2, 3)]),
    ('Exponential', [positive(3)], lambda a: D.Exponential(a), positive(2, 3), [positive(3)]),
    ('Gamma', [positive(3), positive(2, 3)], lambda a, b: D.Gamma(a, b), positive(2, 3), [positive(3), positive(2, 3)]),
    ('Beta', [positive(3), positive(2, 3)], lambda a, b: D.Beta(a, b), inside(2, 3), [positive(3), positive(2, 3)]),
    ('Dirichlet', [positive(2, 3)], lambda a: D.Dirichlet(a), simplex(4, 2, 3), [positive(2, 3)]),
    ('Bernoulli/probabilities', [chances(3)], lambda p: D.Bernoulli(probs=p), torch.tensor([[0.0, 1, 1], [1, 0, 0]], dtype=torch.float64), [chances(3)]),
    ('Bernoulli/logits', [random(3)], lambda p: D.Bernoulli(logits=p), torch.tensor([[0.0, 1, 1], [1, 0, 0]], dtype=torch.float64), [random(3)]),
    ('Categorical/probabilities', [chances(2, 4)], lambda p: D.Categorical(probs=p), torch.tensor([[0.0, 3], [2, 1], [1, 1]], dtype=torch.float64), [chances(2, 4)]),
    ('Categorical/logits', [random(2, 4)], lambda p: D.Categorical(logits=p), torch.tensor([[0.0, 3], [2, 1], [1, 1]], dtype=torch.float64), [random(2, 4)]),
    ('Multinomial/probabilities', [chances(3)], lambda p: D.Multinomial(5, probs=p), torch.tensor([[0.0, 3, 2], [5, 0, 0]], dtype=torch.float64), None),
    ('Multinomial/logits', [random(3)], lambda p: D.Multinomial(5, logits=p), torch.tensor([[0.0, 3, 2], [5, 0, 0]], dtype=torch.float64), None),
    ('Poisson', [positive(3)], lambda a: D.Poisson(a), torch.tensor([[0.0, 1, 5], [2, 7, 3]], dtype=torch.float64), [positive(3)]),
    ('MultivariateNormal/scaleTril', [random(2, 3), matrix(2, 3, 3)], lambda m, l: D.MultivariateNormal(m, scale_tril=torch.tril(l)), random(4, 2, 3), [random(3), matrix(3, 3)]),
    ('MultivariateNormal/covariance', [random(3), (lambda l: l @ l.mT)(matrix(3, 3))], lambda m, c: D.MultivariateNormal(m, covariance_matrix=(c + c.mT) / 2),
     random(4, 3), [random(3), (lambda l: l @ l.mT)(matrix(3, 3))]),
]
MIXED = [
    ('Uniform', [random(3), random(3) + 5], 'Normal', [random(3), positive(3)], lambda a, b: D.Uniform(a, b), lambda a, b: D.Normal(a, b)),
    ('Gamma', [positive(3), positive(3)], 'Exponential', [positive(3)], lambda a, b: D.Gamma(a, b), lambda a: D.Exponential(a)),
    ('Exponential', [positive(3)], 'Gamma', [positive(3), positive(3)], lambda a: D.Exponential(a), lambda a, b: D.Gamma(a, b)),
]


def learning(parameters):
    return [p.clone().requires_grad_(True) for p in parameters]


def with_gradients(output, inputs):
    gradients = torch.autograd.grad((output * cotangent(output)).sum(), inputs, allow_unused=True, retain_graph=True) if output.requires_grad else [None] * len(inputs)
    return {'value': pack(output), 'gradients': [pack(torch.zeros_like(x) if g is None else g) for g, x in zip(gradients, inputs)]}


def entropy_of(name, distribution):
    if name != 'Poisson':
        return distribution.entropy()
    return torch.tensor(scipy.stats.poisson.entropy(distribution.rate.detach().numpy()))


cases = []
for name, parameters, make, value, others in FAMILIES:
    p, x = learning(parameters), value.clone().requires_grad_(True)
    d = make(*p)
    case = {'name': name, 'parameters': [pack(q) for q in parameters], 'at': pack(value), 'logProbability': with_gradients(d.log_prob(x), [*p, x])}
    case['entropy'] = with_gradients(entropy_of(name, d), p)
    if not name.startswith('Categorical'):
        case['mean'], case['variance'] = pack(d.mean.expand(d.batch_shape + d.event_shape)), pack(d.variance.expand(d.batch_shape + d.event_shape))
    if others is not None:
        q = learning(others)
        case['others'] = [pack(o) for o in others]
        case['klDivergence'] = with_gradients(D.kl_divergence(d, make(*q)), [*p, *q])
    cases.append(case)

mixed = []
for name, parameters, other, others, make, make_other in MIXED:
    p, q = learning(parameters), learning(others)
    mixed.append({'name': name, 'parameters': [pack(x) for x in parameters], 'other': other, 'others': [pack(x) for x in others],
                  'klDivergence': with_gradients(D.kl_divergence(make(*p), make_other(*q)), [*p, *q])})

levels = [k / 50 for k in range(1, 50)]
S = scipy.stats
quantiles = [
    ('Normal', [1.5, 2], S.norm(1.5, 2)), ('Uniform', [-1, 3], S.uniform(-1, 4)), ('Laplace', [0.5, 2], S.laplace(0.5, 2)), ('Exponential', [2], S.expon(scale=0.5)),
    *[('Gamma', [a, 2], S.gamma(a, scale=0.5)) for a in [0.3, 1, 2.5, 50]],
    *[('Beta', [a, b], S.beta(a, b)) for a, b in [(0.4, 0.6), (2, 5), (1, 1)]],
]
masses = [('Poisson', [rate], S.poisson(rate), range(0, int(rate + 6 * rate ** 0.5 + 6))) for rate in [0.2, 3, 9.5, 10.5, 40, 400]]
slopes = []
for a in [0.0625, 0.25, 0.75, 1, 2.5, 10, 64, 1000]:
    for u in [0.001, 0.05, 0.3, 0.5, 0.8, 0.99, 0.9999]:
        logs = lambda b: numpy.log(scipy.special.gammaincinv(b, u) if u < 0.5 else scipy.special.gammainccinv(b, 1 - u))
        h = a * 1e-4
        # of fourth order
        slope = (8 * (logs(a + h) - logs(a - h)) - (logs(a + 2 * h) - logs(a - 2 * h))) / (12 * h)
        if logs(a) > -80:
            slopes.append({'concentration': a, 'logZ': float(logs(a)), 'slope': float(slope)})

out = {
    'source': f'PyTorch {torch.__version__.split("a")[0]}, SciPy {scipy.__version__}', 'cases': cases, 'mixed': mixed,
    'levels': levels,
    'quantiles': [{'name': n, 'parameters': p, 'values': [float('%.9g' % d.ppf(x)) for x in levels]} for n, p, d in quantiles],
    'masses': [{'name': n, 'parameters': p, 'from': r[0], 'cumulative': [float('%.9g' % d.cdf(k)) for k in r]} for n, p, d, r in masses],
    'poissonEntropy': [{'rate': r, 'entropy': float(S.poisson(r).entropy())} for r in [0.1, 1, 5, 15.5, 16.5, 100]],
    'slopes': slopes,
}
path = 'packages/distributions/fixtures/distributions.json'
os.makedirs(os.path.dirname(os.path.join(ROOT, path)), exist_ok=True)
with open(os.path.join(ROOT, path), 'w') as file:
    file.write('{\n' + ',\n'.join(f'{json.dumps(k)}:{json.dumps(v, separators=(",", ":"))}' for k, v in out.items()) + '\n}\n')
print(path, os.path.getsize(os.path.join(ROOT, path)))
