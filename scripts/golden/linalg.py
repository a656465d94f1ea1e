"""Golden values for packages/core/src/linalg, with first and second gradients.

Run: python3 scripts/golden/linalg.py (needs PyTorch). Writes packages/conformance/fixtures/linalg.json, with cases as those of
vocabulary.py. What the sign or the symmetry of a matrix leaves open is settled as the docstrings of core say.
"""

import torch
from torch import linalg

from common import function_case, random, write

CASES = []


def case(*given, **options):
    CASES.append(function_case(*given, **{'absolute': 2e-6, 'slope': 2e-5, **options}))


def regular(*shape, shift=3.0):
    return random(*shape) + shift * torch.eye(shape[-1], dtype=torch.float64)


def symmetric(x):
    return (x + x.mT) / 2


def definite(*shape):
    x = random(*shape, step=1 / 8)
    return x @ x.mT + torch.eye(shape[-1], dtype=torch.float64)


def sign_of(vectors):
    """Of columns: the sign of the component with the largest magnitude."""
    place = vectors.detach().abs().argmax(-2, keepdim=True)
    return vectors.detach().gather(-2, place).sign()


def eigh(x):
    values, vectors = linalg.eigh(symmetric(x))
    return [values, vectors * sign_of(vectors)]


def svd(x):
    u, s, vh = linalg.svd(x, full_matrices=False)
    sign = sign_of(u)
    return [u * sign, s, vh * sign.mT]


def lstsq(a, b):
    vector = b.dim() == 1
    columns = b.unsqueeze(-1) if vector else b
    x = linalg.pinv(a) @ columns
    residuals = ((a @ x - columns) ** 2).sum(-2)
    return [x.squeeze(-1), residuals.squeeze(-1)] if vector else [x, residuals]


one = random(1, 1) + 3
for a, b in [(regular(3, 3), random(3)), (regular(2, 4, 4), random(2, 4, 2)), (regular(4, 4), random(3, 1, 4, 2)), (regular(3, 3, 3), random(3, 3)),
             (one, random(1, 2))]:
    case('solve', linalg.solve, [a, b])
for a in [regular(3, 3), regular(2, 4, 4), one, random(5, 5) + torch.flip(torch.eye(5, dtype=torch.float64), [0]) * 4]:
    case('inverse', linalg.inv, [a])
    case('det', linalg.det, [a], absolute=1e-4, slope=2e-3)
    case('slogdet', lambda t: list(linalg.slogdet(t)), [a])
    case('matrixExp', linalg.matrix_exp, [a / 4], absolute=1e-5, slope=2e-4)
    for power in [3, -2, 0, 1]:
        case('matrixPower', lambda t, n=power: linalg.matrix_power(t, n), [a / 2], lambda x, n=power: [x, n], absolute=1e-4, slope=2e-3,
             differentiable=power != 0)
case('matrixExp', linalg.matrix_exp, [random(4, 4) * 8], absolute=1, second=False, slope=20)
case('matrixExp', linalg.matrix_exp, [torch.zeros(2, 2, dtype=torch.float64)])
for upper in [False, True]:
    for unit in [False, True]:
        for a, b in [(regular(3, 3), random(3, 2)), (regular(2, 3, 3), random(2, 3, 1))]:
            options = {'upper': upper, 'unitriangular': unit}
            case('triangularSolve', lambda a, b, u=upper, o=unit: linalg.solve_triangular(a, b, upper=u, unitriangular=o), [a, b],
                 lambda a, b, o=options: [a, b, o])
        case('triangularSolve', lambda a, b, u=upper, o=unit: linalg.solve_triangular(a, b, upper=u, unitriangular=o, left=False),
             [regular(3, 3), random(2, 3)], lambda a, b, o=options: [a, b, {**o, 'left': False}])
    for a in [definite(3, 3), definite(2, 4, 4), one]:
        case('cholesky', lambda t, u=upper: linalg.cholesky(symmetric(t), upper=u), [a], lambda x, u=upper: [x, {'upper': u}], slope=1e-4)
    factor = linalg.cholesky(definite(3, 3), upper=upper)
    factor = torch.round(factor * 64) / 64
    part = torch.triu if upper else torch.tril
    case('choleskySolve', lambda b, l, u=upper, p=part: torch.cholesky_solve(b, p(l), upper=u), [random(3, 2), factor], lambda b, l, u=upper: [b, l, {'upper': u}],
         slope=1e-4)
for shape in [(3, 3), (5, 3), (3, 5), (2, 4, 2), (1, 1), (3, 1)]:
    a = random(*shape) + 2 * torch.eye(*shape[-2:], dtype=torch.float64)
    case('qr', lambda t: list(linalg.qr(t)), [a], slope=1e-4)
    case('svd', svd, [a], slope=2e-4)
    case('pinv', linalg.pinv, [a], slope=1e-4)
    case('lstsq', lstsq, [a, random(*shape[:-1], 2)], slope=5e-4)
case('qr', lambda t: list(linalg.qr(t, mode='complete')), [random(5, 3)], lambda x: [x, {'mode': 'complete'}], differentiable=False)
case('qr', lambda t: list(linalg.qr(t, mode='complete')), [random(3, 4)], lambda x: [x, {'mode': 'complete'}], slope=1e-4)
case('lstsq', lstsq, [random(4, 2), random(4)], slope=5e-4)
# of rank 2 by construction
low = random(5, 2, step=1 / 8) @ random(2, 4, step=1 / 8)
case('pinv', lambda t: linalg.pinv(t, rtol=1e-6), [low], lambda x: [x, {'relativeTolerance': 1e-6}], second=False)
case('matrixRank', lambda t: linalg.matrix_rank(t.float(), rtol=1e-5), [torch.stack([low, random(5, 4), 0 * low])], lambda x: [x, {'relativeTolerance': 1e-5}],
     differentiable=False)
for a in [symmetric(regular(3, 3)), symmetric(random(2, 5, 5)), one]:
    case('eigh', eigh, [a], slope=5e-4)
# badly conditioned: Hilbert's matrix, rounded, whose inverse has elements of a million
hilbert = torch.tensor([[round(2 ** 24 / (i + j + 1)) / 2 ** 24 for j in range(6)] for i in range(6)], dtype=torch.float64)
case('inverse', linalg.inv, [hilbert], differentiable=False, absolute=1)
case('solve', linalg.solve, [hilbert, random(6)], differentiable=False, absolute=1e-3)
case('svd', svd, [hilbert], differentiable=False)
case('eigh', eigh, [hilbert], differentiable=False)
# nothing
for name, function in [('inverse', linalg.inv), ('det', linalg.det), ('cholesky', linalg.cholesky), ('matrixExp', linalg.matrix_exp), ('pinv', linalg.pinv)]:
    for shape in [(0, 0), (0, 3, 3)]:
        case(name, function, [torch.zeros(*shape, dtype=torch.float64)], differentiable=False)
case('det', linalg.det, [torch.zeros(2, 0, 0, dtype=torch.float64)], differentiable=False)
case('pinv', linalg.pinv, [torch.zeros(0, 3, dtype=torch.float64)], differentiable=False)
case('solve', linalg.solve, [torch.zeros(0, 0, dtype=torch.float64), torch.zeros(0, 2, dtype=torch.float64)], differentiable=False)

write('packages/conformance/fixtures/linalg.json', CASES)
