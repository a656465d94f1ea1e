"""Golden values for the prefixes of @nn/compress: small networks in plain PyTorch, whose attention is given keys and values in front
of its own as Hugging Face's caches have them: not turned, seen by all queries, and counted among the positions of the tokens.

Run: /usr/bin/python3 scripts/golden/prefix.py. Writes packages/compress/fixtures/prefix.json.
A case has options, weights by name, inputs, what is learned ([length, layers * 2 * heads * width], PEFT's `prompt_embeddings`, or the
five tensors of PEFT's `PrefixEncoder`), the output, and the slopes of what is learned.
"""

import json
import math
import os

import torch
import torch.nn.functional as F

from common import ROOT, cotangent, integers, pack, random

CASES = []


class Weights:
    def __init__(self):
        self.named = {}

    def __call__(self, name, *shape, low=-0.5, high=0.5):
        if name not in self.named:
            self.named[name] = random(*shape, low=low, high=high)
        return self.named[name]


def case(kind, options, inputs, length, layers, heads, width, network, projection=None):
    w = Weights()
    columns = layers * 2 * heads * width
    if projection is None:
        learned = [random(length, columns, low=-1, high=1)]
        rows = lambda x: x
    else:
        d = heads * width
        learned = [random(length, d), random(projection, d, low=-1, high=1), random(projection), random(columns, projection, low=-1, high=1), random(columns)]
        rows = lambda e, w1, b1, w2, b2: torch.tanh(e @ w1.T + b1) @ w2.T + b2
    learned = [x.requires_grad_(True) for x in learned]
    # as PEFT cuts it: [length, 2 layers, heads, width] -> 2 layers of [heads, length, width], each layer's keys, then its values
    past = rows(*learned).view(length, 2 * layers, heads, width).permute(1, 2, 0, 3)
    output = network(w, [(past[2 * i], past[2 * i + 1]) for i in range(layers)], *inputs)
    slopes = torch.autograd.grad((output * cotangent(output)).sum(), learned)
    CASES.append({
        'kind': kind, 'options': options, 'length': length, 'projection': projection,
        'weights': {name: pack(x) for name, x in w.named.items()}, 'inputs': [pack(x) for x in inputs],
        'learned': [pack(x) for x in learned], 'output': pack(output), 'slopes': [pack(x) for x in slopes],
    })


def split(x, heads):
    n, l, d = x.shape
    return x.view(n, l, heads, d // heads).transpose(1, 2)


def attend(q, k, v, past, hidden=None):
    """q [n, h, l, d], k and v [n, h, s, d]; hidden is of the tokens, to which the prefix is added as seen."""
    n, h, l, d = q.shape
    pk, pv = (x.repeat_interleave(h // x.shape[0], 0).expand(n, h, -1, -1) for x in past)
    k, v = torch.cat([pk, k], 2), torch.cat([pv, v], 2)
    scores = q @ k.transpose(-1, -2) / math.sqrt(d)
    if hidden is not None:
        front = torch.zeros(*hidden.shape[:-1], pk.shape[2], dtype=torch.bool)
        scores = scores.masked_fill(torch.cat([front, hidden], -1), -1e30)
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, l, h * d)


def causal(l):
    return torch.ones(l, l, dtype=torch.bool).triu(1)


def norm(w, name, x):
    d = x.shape[-1]
    return F.layer_norm(x, (d,), w(f'{name}.weight', d, low=0.5, high=1.5), w(f'{name}.bias', d), 1e-5)


def gpt2(w, past, ids, V=9, T=10, d=4, heads=2):
    p = past[0][0].shape[1]
    # the cache is p long, so that the tokens' positions begin at p
    x = w('transformer.wte.weight', V, d)[ids] + w('transformer.wpe.weight', T, d)[p:p + ids.shape[1]]
    for i, own in enumerate(past):
        b = f'transformer.h.{i}'
        qkv = norm(w, f'{b}.ln_1', x) @ w(f'{b}.attn.c_attn.weight', d, 3 * d) + w(f'{b}.attn.c_attn.bias', 3 * d)
        a = attend(*(split(t, heads) for t in qkv.split(d, -1)), own, causal(ids.shape[1]))
        x = x + a @ w(f'{b}.attn.c_proj.weight', d, d) + w(f'{b}.attn.c_proj.bias', d)
        y = norm(w, f'{b}.ln_2', x) @ w(f'{b}.mlp.c_fc.weight', d, 2 * d) + w(f'{b}.mlp.c_fc.bias', 2 * d)
        y = 0.5 * y * (1 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y ** 3)))
        x = x + y @ w(f'{b}.mlp.c_proj.weight', 2 * d, d) + w(f'{b}.mlp.c_proj.bias', d)
    return norm(w, 'transformer.ln_f', x) @ w.named['transformer.wte.weight'].T


def llama(w, past, ids, V=9, d=8, heads=4, kv=2, ff=8, base=100.0):
    D, p, l = d // heads, past[0][0].shape[1], ids.shape[1]
    rms = lambda name, x: x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * w(f'{name}.weight', d, low=0.5, high=1.5)
    linear = lambda name, x, o: x @ w(f'{name}.weight', o, x.shape[-1]).T
    x = w('model.embed_tokens.weight', V, d)[ids]
    # tokens are turned as those from p on; the keys of the cache are as they are
    angles = torch.arange(p, p + l, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
    turn = lambda t: t * cos + torch.cat([-t.chunk(2, -1)[1], t.chunk(2, -1)[0]], -1) * sin
    for i, own in enumerate(past):
        b = f'model.layers.{i}'
        y = rms(f'{b}.input_layernorm', x)
        q = turn(split(linear(f'{b}.self_attn.q_proj', y, heads * D), heads))
        k = turn(split(linear(f'{b}.self_attn.k_proj', y, kv * D), kv)).repeat_interleave(heads // kv, 1)
        v = split(linear(f'{b}.self_attn.v_proj', y, kv * D), kv).repeat_interleave(heads // kv, 1)
        x = x + linear(f'{b}.self_attn.o_proj', attend(q, k, v, own, causal(l)), d)
        y = rms(f'{b}.post_attention_layernorm', x)
        x = x + linear(f'{b}.mlp.down_proj', F.silu(linear(f'{b}.mlp.gate_proj', y, ff)) * linear(f'{b}.mlp.up_proj', y, ff), d)
    return linear('lm_head', rms('model.norm', x), V)


def bert(w, past, ids, mask, V=9, T=9, d=4, heads=2):
    p = past[0][0].shape[1]
    linear = lambda name, x, o: x @ w(f'{name}.weight', o, x.shape[-1]).T + w(f'{name}.bias', o)
    x = w('embeddings.word_embeddings.weight', V, d)[ids] + w('embeddings.position_embeddings.weight', T, d)[p:p + ids.shape[1]]
    x = norm(w, 'embeddings.LayerNorm', x + w('embeddings.token_type_embeddings.weight', 2, d)[0])
    for i, own in enumerate(past):
        b = f'encoder.layer.{i}'
        q, k, v = (split(linear(f'{b}.attention.self.{n}', x, d), heads) for n in ('query', 'key', 'value'))
        a = linear(f'{b}.attention.output.dense', attend(q, k, v, own, ~mask[:, None, None, :]), d)
        x = norm(w, f'{b}.attention.output.LayerNorm', x + a)
        y = linear(f'{b}.output.dense', F.gelu(linear(f'{b}.intermediate.dense', x, 2 * d)), d)
        x = norm(w, f'{b}.output.LayerNorm', x + y)
    return x


def attention(w, past, x, padding, d=6, heads=2):
    """nn.MultiheadAttention, twice, one behind the other, causal, with padding."""
    for i, own in enumerate(past):
        qkv = x @ w(f'{i}.in_proj_weight', 3 * d, d).T + w(f'{i}.in_proj_bias', 3 * d)
        hidden = causal(x.shape[1]) | padding[:, None, None, :]
        a = attend(*(split(t, heads) for t in qkv.split(d, -1)), own, hidden)
        x = a @ w(f'{i}.out_proj.weight', d, d).T + w(f'{i}.out_proj.bias', d)
    return x


case('GPT2', {'vocabularySize': 9, 'contextLength': 10, 'dimension': 4, 'layers': 2, 'heads': 2, 'feedForward': 8, 'dropout': 0},
     [integers(2, 5, high=9)], 3, 2, 2, 2, gpt2)
case('Llama', {'vocabularySize': 9, 'contextLength': 16, 'dimension': 8, 'layers': 2, 'heads': 4, 'keyValueHeads': 2, 'feedForward': 8, 'rotaryBase': 100},
     [integers(2, 5, high=9)], 3, 2, 2, 2, llama)
case('Bert', {'vocabularySize': 9, 'contextLength': 9, 'dimension': 4, 'layers': 2, 'heads': 2, 'feedForward': 8, 'dropout': 0, 'epsilon': 1e-5, 'pooler': False},
     [integers(2, 5, high=9), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])], 2, 2, 2, 2, bert)
padding = torch.tensor([[False] * 4, [False] * 2 + [True] * 2])
case('MultiheadAttention', {'dimension': 6, 'heads': 2}, [random(2, 4, 6), padding], 3, 2, 2, 3, attention)
case('MultiheadAttention', {'dimension': 6, 'heads': 2}, [random(2, 4, 6), padding], 2, 2, 2, 3, attention, projection=5)

with open(os.path.join(ROOT, 'packages/compress/fixtures/prefix.json'), 'w') as file:
    json.dump({'source': 'PyTorch ' + torch.__version__.split('a')[0], 'cases': CASES}, file, separators=(',', ':'))
    file.write('\n')
