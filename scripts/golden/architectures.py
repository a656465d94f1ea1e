"""Golden values for packages/vision/src/models: logits of torchvision's networks in evaluation, and one step of training.

Run: /usr/bin/python3 scripts/golden/architectures.py (needs torchvision). Writes packages/vision/fixtures/architectures.json. No weights are stored:
both sides compute them from the parameter's name and the element's number (weights_by_name.py).
"""

import json
import os
import sys

import torch
import torchvision
from torch import nn
from torchvision import models

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from weights_by_name import fill, noise, signature  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
torch.set_num_threads(2)


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if type(module).__name__ == 'StochasticDepth':
            module.p = 0.0
    return model


def hidden(model, units, first):
    """Smaller classifiers for AlexNet and VGG, whose own have a hundred million weights."""
    c = model.classifier
    places = [k for k, m in enumerate(c) if isinstance(m, nn.Linear)]
    for k, (a, b) in zip(places, [(first, units), (units, units), (units, 7)]):
        c[k] = nn.Linear(a, b)
    return model


M = models
CASES = [
    ('alexNet', {'classes': 7, 'hidden': 24, 'dropout': 0}, lambda: hidden(M.alexnet(num_classes=7), 24, 9216), 67),
    ('vgg11', {'classes': 7, 'hidden': 16, 'dropout': 0}, lambda: hidden(M.vgg11(num_classes=7), 16, 25088), 32),
    ('vgg16', {'classes': 7, 'hidden': 16, 'dropout': 0, 'batchNorm': True}, lambda: hidden(M.vgg16_bn(num_classes=7), 16, 25088), 32),
    ('squeezeNet1_0', {'classes': 7, 'dropout': 0}, lambda: M.squeezenet1_0(num_classes=7), 70),
    ('squeezeNet1_1', {'classes': 7, 'dropout': 0}, lambda: M.squeezenet1_1(num_classes=7), 70),
    ('resnet18', {'classes': 7}, lambda: M.resnet18(num_classes=7), 64),
    ('resnet50', {'classes': 7}, lambda: M.resnet50(num_classes=7), 64),
    ('mobileNetV2', {'classes': 7, 'dropout': 0}, lambda: M.mobilenet_v2(num_classes=7), 64),
    ('mobileNetV3Large', {'classes': 7, 'dropout': 0}, lambda: M.mobilenet_v3_large(num_classes=7), 64),
    ('mobileNetV3Small', {'classes': 7, 'dropout': 0}, lambda: M.mobilenet_v3_small(num_classes=7), 64),
    ('efficientNetB0', {'classes': 7, 'dropout': 0, 'stochasticDepth': 0}, lambda: M.efficientnet_b0(num_classes=7), 64),
    ('denseNet121', {'classes': 7}, lambda: M.densenet121(num_classes=7), 64),
    ('shuffleNetV2Half', {'classes': 7}, lambda: M.shufflenet_v2_x0_5(num_classes=7), 64),
    ('shuffleNetV2', {'classes': 7}, lambda: M.shufflenet_v2_x1_0(num_classes=7), 64),
    ('convNeXtTiny', {'classes': 7, 'stochasticDepth': 0}, lambda: M.convnext_tiny(num_classes=7), 64),
    ('VisionTransformer', {'classes': 7, 'imageSize': 32, 'patchSize': 8, 'layers': 3, 'heads': 2, 'hidden': 32, 'mlp': 48},
     lambda: M.VisionTransformer(32, 8, 3, 2, 32, 48, num_classes=7), 32),
]
NAMES = [('vgg13', {'hidden': 4, 'classes': 2}, None), ('resnet34', {}, M.resnet34), ('resnet101', {}, M.resnet101), ('resnet152', {}, M.resnet152), ('vitB16', {}, M.vit_b_16)]
short = lambda t: [float('%.7g' % v) for v in t.reshape(-1).tolist()]


cases = []
for name, options, make, size in CASES:
    model = without_dropout(make())
    fill(model)
    model = model.double()
    batch = 4
    x = torch.from_numpy(noise('input', batch * 3 * size * size) * 2).reshape(batch, 3, size, size)
    model.eval()
    with torch.no_grad():
        logits = model(x)
    model.train()
    targets = torch.arange(batch) % 7
    before = {k: p.detach().clone() for k, p in model.named_parameters()}
    out = model(x)
    loss = nn.functional.cross_entropy(out, targets)
    loss.backward()
    rate = 0.1 / max(p.grad.abs().max().item() for p in model.parameters())  # no weight moves by more than a tenth
    rate = float('%.3g' % rate)
    all_names = list(before)
    chosen = sorted(set(all_names[round(k * (len(all_names) - 1) / 7)] for k in range(8)))
    with torch.no_grad():
        for p in model.parameters():
            p -= rate * p.grad
    steps = {}
    for key in chosen:
        p = dict(model.named_parameters())[key]
        moved = (p.detach() - before[key]).reshape(-1)
        cot = ((7 * torch.arange(moved.numel())) % 11 - 5).double() / 8
        steps[key] = [float('%.7g' % moved.norm().item()), float('%.7g' % (moved * cot).sum().item())]
    buffers = [k for k, _ in model.named_buffers() if k.endswith('running_mean')]
    states = {k: float('%.7g' % dict(model.named_buffers())[k].sum().item()) for k in buffers[:1] + buffers[-1:]}
    model.eval()
    cases.append({'name': name, 'options': options, 'size': size, 'batch': batch, 'signature': signature(model), 'logits': short(logits), 'training': short(out.detach()),
                  'loss': float('%.8g' % loss.item()), 'rate': rate, 'steps': steps, 'states': states})
    print(name, float(logits.abs().max()), float(loss), rate, file=sys.stderr)
names = [{'name': n, 'options': o, 'signature': signature(m() if m else hidden(M.vgg13(num_classes=7), 4, 25088))} for n, o, m in NAMES if m]

path = 'packages/vision/fixtures/architectures.json'
with open(os.path.join(ROOT, path), 'w') as file:
    rows = lambda v: '[\n' + ',\n'.join(json.dumps(x, separators=(',', ':')) for x in v) + '\n]'
    file.write('{"source":%s,\n"cases":%s,\n"names":%s}\n' % (json.dumps(f'torchvision {torchvision.__version__.split("a")[0]}'), rows(cases), rows(names)))
print(path, len(cases), os.path.getsize(os.path.join(ROOT, path)))
