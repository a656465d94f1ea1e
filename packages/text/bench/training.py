"""The training step of training.ts in PyTorch, the same network and batch on one thread: milliseconds of processor time a step.

Run: /usr/bin/python3 packages/text/bench/training.py [dimension,layers,batch,length,vocabulary] [--profile]
"""

import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
numbers = next((each for each in sys.argv[1:] if each[0].isdigit()), "256,3,64,16,6000")
dimension, layers, batch, length, vocabulary = map(int, numbers.split(","))
heads = 4


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(dimension, dimension) for _ in range(4))

    def forward(self, x, memory, hidden):
        def split(y):
            return y.view(y.shape[0], y.shape[1], heads, -1).transpose(1, 2)

        q, k, v = split(self.q(x)), split(self.k(memory)), split(self.v(memory))
        scores = q @ k.transpose(-1, -2) * (dimension // heads) ** -0.5
        weights = scores.masked_fill(hidden, -3e38).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, crosses):
        super().__init__()
        self.attention, self.norm = Attention(), nn.LayerNorm(dimension)
        self.cross = Attention() if crosses else None
        self.cross_norm = nn.LayerNorm(dimension)
        self.fc1, self.fc2 = nn.Linear(dimension, 2 * dimension), nn.Linear(2 * dimension, dimension)
        self.last = nn.LayerNorm(dimension)

    def forward(self, x, hidden, memory=None, memory_hidden=None):
        x = self.norm(x + F.dropout(self.attention(x, x, hidden), 0.1))
        if memory is not None:
            x = self.cross_norm(x + F.dropout(self.cross(x, memory, memory_hidden), 0.1))
        return self.last(x + F.dropout(self.fc2(F.relu(self.fc1(x))), 0.1))


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, dimension) * 0.05)
        self.bias = torch.zeros(vocabulary)
        self.positions = torch.randn(length, dimension)
        self.encoder = nn.ModuleList(Layer(False) for _ in range(layers))
        self.decoder = nn.ModuleList(Layer(True) for _ in range(layers))

    def embed(self, ids):
        return F.dropout(F.embedding(ids, self.table) * math.sqrt(dimension) + self.positions, 0.1)

    def forward(self, source, target, hidden):
        memory = self.embed(source)
        for layer in self.encoder:
            memory = layer(memory, hidden)
        causal = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, causal, memory, hidden)
        return x @ self.table.T + self.bias


model = Translator()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)
lengths = torch.tensor([length - i % 3 for i in range(batch)])
real = torch.arange(length)[None] < lengths[:, None]


def step():
    source = torch.randint(3, vocabulary, (batch, length))
    target = torch.randint(3, vocabulary, (batch, length))
    inputs = torch.cat([torch.ones(batch, 1, dtype=torch.long), target[:, :-1]], 1)
    scores = model(source, inputs, ~real[:, None, None])
    loss = F.cross_entropy(scores.flatten(0, 1), target.masked_fill(~real, -100).flatten(), label_smoothing=0.1)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    return loss.item()


for _ in range(4):
    step()
times = []
for _ in range(8):
    started = time.process_time()
    step()
    times.append(1000 * (time.process_time() - started))
median = sorted(times)[len(times) // 2]
print(f"PyTorch {torch.__version__}: a step {median:.1f} ms of processor time, {1000 * 2 * batch * length / median:.0f} tokens a second")
if "--profile" in sys.argv:
    with torch.profiler.profile() as found:
        for _ in range(4):
            step()
    print(found.key_averages().table(sort_by="self_cpu_time_total", row_limit=18))
