"""The polynomials of packages/core/src/functions: near-minimax fits by interpolation at Chebyshev's nodes.

Run: python3 scripts/golden/coefficients.py (needs SciPy). Prints the largest relative error and the coefficients, lowest
power first; they are copied by hand into trigonometry.ts, error-functions.ts and gamma.ts.
"""

import numpy as np
from numpy.polynomial import chebyshev, polynomial
from scipy import special


def fit(name, function, low, high, count):
    angles = np.pi * (np.arange(count) + 0.5) / count
    nodes = (low + high) / 2 + (high - low) / 2 * np.cos(angles)
    powers = chebyshev.cheb2poly(chebyshev.chebfit(np.cos(angles), function(nodes), count - 1))
    scaled = np.array([-(low + high) / (high - low), 2 / (high - low)])
    result = np.zeros(1)
    for coefficient in powers[::-1]:
        result = polynomial.polyadd(polynomial.polymul(result, scaled), [coefficient])
    points = np.linspace(low, high, 20001)[1:-1]
    error = np.max(np.abs(polynomial.polyval(points, result) / function(points) - 1))
    print(f'{name}: error {error:.1e}\n  ' + ', '.join('%.9g' % value for value in result))


def from_ratio(q):
    return 3 * (1 + q) / (1 - q)


def inverse_error_function(w):
    x = np.sqrt(-np.expm1(-w))
    near = special.erfinv(np.minimum(x, 0.99999))
    return np.where(w < 1, near, special.erfcinv(np.exp(-w) / (1 + x))) / x


fit('atan(t) / t in t^2', lambda z: np.arctan(np.sqrt(z)) / np.sqrt(z), 1e-9, 1, 11)
fit('(asin(t) / t - 1) / t^2 in t^2', lambda z: (np.arcsin(np.sqrt(z)) / np.sqrt(z) - 1) / z, 1e-4, 0.25, 7)
fit('(1 + 2x) erfcx(x) in (x - 3) / (x + 3)', lambda q: (1 + 2 * from_ratio(q)) * special.erfcx(from_ratio(q)),
    -1 + 1e-12, (10.2 - 3) / (10.2 + 3), 11)
fit('erfinv(x) / x in w - 2.5', lambda v: inverse_error_function(v + 2.5), -2.5 + 1e-9, 2.5, 10)
fit('erfinv(x) / x in sqrt(w) - 3', lambda v: inverse_error_function((v + 3) ** 2), 5 ** 0.5 - 3, 17.4 ** 0.5 - 3, 10)
fit('lgamma(1 + s) / (s (s - 1))', lambda s: special.gammaln(1 + s) / (s * (s - 1)), 1e-5, 1 - 1e-5, 10)
