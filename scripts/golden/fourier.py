"""Golden values for packages/core/src/fourier, with first and second gradients (the second are 0: all of it is linear).

Run: python3 scripts/golden/fourier.py (needs PyTorch). Writes packages/conformance/fixtures/fourier.json, with cases as those
of vocabulary.py. Complex numbers are pairs in a last axis of 2.
"""

import torch
from torch import fft

from common import function_case, random, write

CASES = []
pairs, numbers = torch.view_as_real, lambda z: torch.view_as_complex(z.contiguous())


def case(*given, **options):
    CASES.append(function_case(*given, **{'absolute': 2e-6, 'slope': 2e-6, 'second': False, **options}))


def with_options(options):
    """The arguments in JavaScript, and the names of the options in PyTorch."""
    names = {'length': 'n', 'axis': 'dim', 'norm': 'norm', 'size': 's', 'axes': 'dim'}
    return (lambda x: [x, options]) if options else None, {names[name]: value for name, value in options.items()}


# powers of 2, products of small factors, primes below and above 31, large ones
for n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 30, 31, 37, 62, 64, 77, 100, 101]:
    few = n in (1, 2, 3, 4, 7, 15)
    for name, function in [('fft', fft.fft), ('ifft', fft.ifft)]:
        case(name, lambda z, f=function: pairs(f(numbers(z))), [random(2, n, 2)], differentiable=few)
    case('rfft', lambda x: pairs(fft.rfft(x)), [random(2, n)], differentiable=few)
    case('irfft', lambda z, n=n: fft.irfft(numbers(z), n=n), [random(2, n // 2 + 1, 2)], lambda z, n=n: [z, {'length': n}], differentiable=few)
for options in [{'norm': 'ortho'}, {'norm': 'forward'}, {'norm': 'backward'}, {'length': 3}, {'length': 7}, {'axis': 0}, {'axis': -2, 'norm': 'ortho'}, {'axis': 1, 'length': 4}]:
    given, named = with_options(options)
    for name, function in [('fft', fft.fft), ('ifft', fft.ifft)]:
        case(name, lambda z, f=function, o=named: pairs(f(numbers(z), **o)), [random(3, 2, 5, 2)], given)
    case('rfft', lambda x, o=named: pairs(fft.rfft(x, **o)), [random(3, 2, 5)], given)
    case('irfft', lambda z, o=named: fft.irfft(numbers(z), **o), [random(3, 2, 5, 2)], given)
for options in [{}, {'norm': 'ortho'}, {'norm': 'forward'}, {'size': [3, 6]}, {'axes': [0, 2]}, {'axes': [-1, 0], 'size': [5, 2]}]:
    given, named = with_options(options)
    for name, function in [('fft2', fft.fft2), ('ifft2', fft.ifft2)]:
        case(name, lambda z, f=function, o=named: pairs(f(numbers(z), **o)), [random(3, 4, 5, 2)], given)
    case('rfft2', lambda x, o=named: pairs(fft.rfft2(x, **o)), [random(3, 4, 5)], given)
    case('irfft2', lambda z, o=named: fft.irfft2(numbers(z), **o), [random(3, 4, 5, 2)], given)
for name, function in [('fftShift', fft.fftshift), ('ifftShift', fft.ifftshift)]:
    case(name, function, [random(4, 5)])
    case(name, lambda x, f=function: f(x, dim=1), [random(4, 5)], lambda x: [x, 1])
for n in [1, 4, 5]:
    case('fftFrequencies', lambda n=n: fft.fftfreq(n, 0.5), [], lambda n=n: [n, 0.5], differentiable=False)
    case('rfftFrequencies', lambda n=n: fft.rfftfreq(n, 0.5), [], lambda n=n: [n, 0.5], differentiable=False)
    for periodic in [True, False]:
        for name, function in [('hannWindow', torch.hann_window), ('hammingWindow', torch.hamming_window), ('blackmanWindow', torch.blackman_window)]:
            case(name, lambda f=function, n=n, p=periodic: f(n, periodic=p, dtype=torch.float64), [], lambda n=n, p=periodic: [n, {'periodic': p}],
                 differentiable=False)
for options in [{'fftSize': 8}, {'fftSize': 8, 'hopLength': 3}, {'fftSize': 8, 'windowLength': 5}, {'fftSize': 8, 'normalized': True, 'onesided': False},
                {'fftSize': 7, 'hopLength': 2, 'center': False}, {'fftSize': 6, 'padMode': 'constant'}, {'fftSize': 6, 'padMode': 'replicate'}, {'fftSize': 6, 'padMode': 'circular'}]:
    o = {'center': True, 'padMode': 'reflect', 'normalized': False, 'onesided': True, 'windowLength': options['fftSize'], 'hopLength': options['fftSize'] // 4, **options}
    window = torch.hann_window(o['windowLength'], dtype=torch.float64) + 0.125

    def stft(x, w, o=o):
        z = torch.stft(x, o['fftSize'], o['hopLength'], o['windowLength'], w, o['center'], o['padMode'], o['normalized'], o['onesided'], return_complex=True)
        return pairs(z)

    def istft(z, w, o=o):
        return torch.istft(numbers(z), o['fftSize'], o['hopLength'], o['windowLength'], w, o['center'], o['normalized'], o['onesided'])

    window = torch.round(window * 64) / 64
    case('stft', stft, [random(2, 20), window], lambda x, w, o=options: [x, {**o, 'window': w}])
    z = stft(random(2, 20), window).detach()
    z = torch.round(z * 64) / 64
    back = {name: value for name, value in options.items() if name != 'padMode'}
    case('istft', istft, [z, window], lambda z, w, o=back: [z, {**o, 'window': w}], slope=2e-5)
case('complexProduct', lambda a, b: pairs(numbers(a) * numbers(b)), [random(2, 3, 2), random(3, 2)], second=True)
case('magnitude', lambda z: numbers(z).abs(), [random(4, 2)])
case('angle', lambda z: numbers(z).angle(), [random(4, 2)])
case('conjugate', lambda z: pairs(numbers(z).conj().resolve_conj()), [random(4, 2)])
for shape in [(0, 4, 2), (3, 0, 4, 2)]:
    case('fft', lambda z: pairs(fft.fft(numbers(z))), [torch.zeros(*shape, dtype=torch.float64)], differentiable=False)

write('packages/conformance/fixtures/fourier.json', CASES)
