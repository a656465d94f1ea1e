"""Golden values for packages/vision/src/generative: the pair of DCGAN built of PyTorch's layers, divergences of torch.distributions, schedules by their
formulas in double precision.

Run: /usr/bin/python3 scripts/golden/generative.py. Writes packages/vision/fixtures/generative.json. Weights are those of weights_by_name.py.
"""

import json
import math
import os
import sys

import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from weights_by_name import fill, noise, signature  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
short = lambda t: [float('%.7g' % v) for v in t.reshape(-1).tolist()]


class Net(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def up(a, b, first=False):
    return nn.ConvTranspose2d(a, b, 4, 1 if first else 2, 0 if first else 1, bias=False)


def down(a, b):
    return nn.Conv2d(a, b, 4, 2, 1, bias=False)


# 16 x 16 pixels: latent 5, width 3
generator = Net(up(5, 6, True), nn.BatchNorm2d(6), nn.ReLU(), up(6, 3), nn.BatchNorm2d(3), nn.ReLU(), up(3, 2), nn.Tanh())
discriminator = Net(down(2, 3), nn.LeakyReLU(0.2), down(3, 6), nn.BatchNorm2d(6), nn.LeakyReLU(0.2), nn.Conv2d(6, 1, 4, bias=False))
code = torch.from_numpy(noise('code', 3 * 5) * 2).reshape(3, 5, 1, 1)
gan = {}
for mode in ('evaluation', 'training'):
    for net in (generator, discriminator):
        fill(net)
        net.double()
        net.train(mode == 'training')
    with torch.no_grad():
        made = generator(code)
        gan[mode] = {'made': short(made), 'logits': short(discriminator(made).reshape(-1))}
gan['signatures'] = [signature(generator), signature(discriminator)]

mean, log_variance = (torch.from_numpy(noise(n, 12) * 3).reshape(3, 4) for n in ('mean', 'logVariance'))
divergence = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)


def ladder(variances):
    product, out = 1.0, []
    for v in variances:
        product *= 1 - v
        out.append(float('%.12g' % product))
    return out


cosine = lambda t, T: math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2
schedules = {
    'linear': ladder([1e-4 + (0.02 - 1e-4) * t / 999 for t in range(1000)])[::111],
    'cosine': ladder([min(0.999, 1 - cosine(t + 1, 100) / cosine(t, 100)) for t in range(100)])[::11],
}
path = 'packages/vision/fixtures/generative.json'
with open(os.path.join(ROOT, path), 'w') as file:
    json.dump({'gan': gan, 'divergence': short(divergence), 'schedules': schedules}, file, separators=(',', ':'))
    file.write('\n')
print(path, os.path.getsize(os.path.join(ROOT, path)))
