"""Golden values for packages/audio/src/recognition and src/models: torchaudio's transducer loss and Conformer, M5 of PyTorch's tutorial.

Run: /usr/bin/python3 scripts/golden/recognition.py (torchaudio). Writes packages/audio/fixtures/recognition.json; float32 numbers are base64.
"""

import base64
import json
import os

import numpy
import torch
import torch.nn.functional as F
import torchaudio
from torch import nn

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
floats = lambda x: base64.b64encode(numpy.ascontiguousarray(x.detach().numpy(), dtype='<f4').tobytes()).decode()
torch.manual_seed(20261129)
losses = []
for batch, steps, labels, classes, blank, lengths, targets in ((1, 2, 1, 3, -1, None, None), (2, 4, 3, 5, 0, [4, 3], [3, 1]), (3, 7, 2, 4, -1, [7, 5, 1], [2, 0, 2]), (1, 3, 5, 4, 2, None, None)):
    logits = torch.randn(batch, steps, labels + 1, classes, requires_grad=True)
    choices = [c for c in range(classes) if c != (blank if blank >= 0 else classes - 1)]
    target = torch.tensor([[choices[(3 * n + 5 * u) % len(choices)] for u in range(labels)] for n in range(batch)], dtype=torch.int32)
    lengths = lengths or [steps] * batch
    targets = targets or [labels] * batch
    loss = torchaudio.functional.rnnt_loss(logits, target, torch.tensor(lengths, dtype=torch.int32), torch.tensor(targets, dtype=torch.int32), blank=blank, reduction='none')
    (loss * torch.arange(1, batch + 1)).sum().backward()
    losses.append({'shape': [batch, steps, labels + 1, classes], 'logits': floats(logits), 'target': target.tolist(), 'inputLengths': lengths, 'targetLengths': targets,
                   'blank': blank, 'losses': loss.tolist(), 'gradient': floats(logits.grad)})


class M5(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(1, width, 80, stride=16), nn.BatchNorm1d(width)
        self.conv2, self.bn2 = nn.Conv1d(width, width, 3), nn.BatchNorm1d(width)
        self.conv3, self.bn3 = nn.Conv1d(width, 2 * width, 3), nn.BatchNorm1d(2 * width)
        self.conv4, self.bn4 = nn.Conv1d(2 * width, 2 * width, 3), nn.BatchNorm1d(2 * width)
        self.fc1 = nn.Linear(2 * width, classes)

    def forward(self, x):
        for k in '1234':
            x = F.max_pool1d(F.relu(getattr(self, 'bn' + k)(getattr(self, 'conv' + k)(x))), 4)
        return self.fc1(x.mean(2))


class Dropless(torchaudio.models.Conformer):
    def forward(self, x):
        return super().forward(x, torch.tensor([x.shape[1], x.shape[1] - 3]))[0]


models = []


def add(name, options, model, shape, extra=None):
    for tensor in model.state_dict().values():
        if tensor.dtype.is_floating_point:
            tensor.copy_(tensor + 0.1 * torch.randn(tensor.shape).abs())
    model.eval()
    x = torch.randn(shape)
    with torch.no_grad():
        y = model(x)
    state = {key: {'shape': list(value.shape), 'data': floats(value)} for key, value in model.state_dict().items() if value.dtype.is_floating_point}
    models.append({'name': name, 'options': options, 'shape': shape, 'input': floats(x), 'outputShape': list(y.shape), 'output': floats(y), 'state': state, **(extra or {})})


add('M5', {'classes': 5, 'width': 4}, M5(5, 4), [2, 1, 8000])
common = dict(input_dim=8, num_heads=2, ffn_dim=12, num_layers=1, depthwise_conv_kernel_size=5)
ours = {'dimension': 8, 'heads': 2, 'feedForward': 12, 'layers': 1, 'kernelSize': 5}
add('Conformer', {**ours, 'layers': 2}, Dropless(**{**common, 'num_layers': 2}), [2, 11, 8], {'lengths': [11, 8]})
add('Conformer', {**ours, 'groupNorm': True, 'convolutionFirst': True}, Dropless(**common, use_group_norm=True, convolution_first=True), [2, 9, 8], {'lengths': [9, 6]})

path = os.path.join(ROOT, 'packages/audio/fixtures/recognition.json')
with open(path, 'w') as file:
    lines = lambda rows: ',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows)
    file.write(f'{{"source": "torchaudio {torchaudio.__version__}", "losses": [\n{lines(losses)}\n], "models": [\n{lines(models)}\n]}}\n')
print(path, os.path.getsize(path))
