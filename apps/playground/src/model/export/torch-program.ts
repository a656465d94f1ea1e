/**
 * The experiment as a program for PyTorch: the same layers, loss and optimizer, which reads samples, start values, the order of
 * the batches and the learning rates from `data.npz`, and so comes to the same numbers. What is in that file is worker/export.ts.
 */
import { planLayers } from '../build.ts';
import type { ProgramFacts } from '../program.ts';
import type { Spec } from '../spec.ts';
import { isPenalized, lossNameOf } from '../training.ts';

export const torchName = 'train.py';

/** `new Conv2d(1, 6, 5, { padding: 2 })` as `nn.Conv2d(1, 6, 5, padding=2)`. */
export function torchLayer(code: string): string {
  return code
    .replace(/^new /, 'nn.')
    .replace(/\{ (.*?) \}/, (_, options: string) => options.replace(/(\w+): /g, '$1='));
}

export function torchProgram(spec: Spec, facts: ProgramFacts): string {
  const layers = planLayers(spec.layers, facts.inputShape, facts.outputs).map(({ code }) => torchLayer(code));
  const dropout = spec.layers.some(({ dropout }) => dropout > 0)
    ? '# Dropout draws other random numbers than the page, so the losses differ a little.\n'
    : '';
  return `"""${spec.task}: made by the nn playground. It needs torch and numpy; run it with: python3 ${torchName}"""
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

data = np.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "data.npz"))
train_inputs, train_targets, test_inputs, test_targets = (
    torch.from_numpy(data[name]) for name in ("train_inputs", "train_targets", "test_inputs", "test_targets")
)

${dropout}model = nn.Sequential(
${layers.map((layer) => `    ${layer},`).join('\n')}
)
start = {name[6:]: torch.from_numpy(data[name]) for name in data.files if name.startswith("start.")}
model.load_state_dict({**model.state_dict(), **start})


def loss_of(output, targets):
    return ${lossCode(spec, facts)}

${penaltyCode(spec)}
optimizer = ${optimizerCode(spec)}
order, sizes, rates = data["order"], data["sizes"], data["rates"]
at = 0
model.train()
for size, rate in zip(sizes, rates):
    batch = torch.from_numpy(order[at : at + size]).long()
    at += size
    for group in optimizer.param_groups:
        group["lr"] = float(rate)
    optimizer.zero_grad()
    loss = loss_of(model(train_inputs[batch]), train_targets[batch])${isPenalized(spec) ? ' + penalty()' : ''}
    loss.backward()
    optimizer.step()

model.eval()
most = int(data["measured"])
with torch.no_grad():
    for name, inputs, targets in (("train", train_inputs, train_targets), ("test", test_inputs, test_targets)):
        inputs, targets = inputs[:most], targets[:most]
        output = model(inputs)
${reportCode(facts)}
torch.save(model.state_dict(), "model.pt")
`;
}

function lossCode(spec: Spec, { goal, outputs }: ProgramFacts): string {
  const name = lossNameOf(goal, spec.loss);
  if (goal === 'quantity') {
    return (
      { l1: 'F.l1_loss', huber: 'F.huber_loss', meanSquaredError: 'F.mse_loss', crossEntropy: '' }[name] +
      '(output, targets)'
    );
  }
  if (goal === 'binary') {
    return name === 'crossEntropy'
      ? 'F.binary_cross_entropy_with_logits(output.reshape(-1), targets.float())'
      : 'F.mse_loss(torch.sigmoid(output.reshape(-1)), targets.float())';
  }
  return name === 'crossEntropy'
    ? 'F.cross_entropy(output, targets.long())'
    : `F.mse_loss(output.softmax(1), F.one_hot(targets.long(), ${outputs}).float())`;
}

function penaltyCode(spec: Spec): string {
  if (!isPenalized(spec)) return '';
  const term = spec.penalty === 'l1' ? 'weight.abs().sum()' : '(weight ** 2).sum() / 2';
  return `
weights = [layer.weight for layer in model if isinstance(layer, (nn.Linear, nn.Conv2d))]


def penalty():
    return ${spec.penaltyRate} * sum(${term} for weight in weights)

`;
}

function optimizerCode({ optimizer }: Spec): string {
  const [name, more] = (
    {
      sgd: ['SGD', ''],
      momentum: ['SGD', ', momentum=0.9'],
      nesterov: ['SGD', ', momentum=0.9, nesterov=True'],
      rmsprop: ['RMSprop', ''],
      adam: ['Adam', ''],
      adamw: ['AdamW', ''],
    } as const
  )[optimizer];
  return `torch.optim.${name}(model.parameters(), lr=1.0${more})`;
}

function reportCode({ goal }: ProgramFacts): string {
  const loss = '        loss = loss_of(output, targets).item()\n';
  if (goal === 'quantity') return `${loss}        print(f"{name}: loss {loss:.6f}")\n`;
  const right = goal === 'binary' ? '(output.reshape(-1) > 0).int() == targets' : 'output.argmax(1) == targets';
  return `${loss}        accuracy = (${right}).float().mean().item()
        print(f"{name}: loss {loss:.6f}, accuracy {accuracy:.4f}")
`;
}
