"""Golden values for the architectures of @nn/text: each network written out in plain PyTorch, with random weights under the
names that Hugging Face's files have, in float64.

Run: /usr/bin/python3 scripts/golden/language.py. Writes packages/text/fixtures/language.json.
A case has options, weights by name, inputs, the output, and for each weight the sum of its gradient times ((7 i) mod 11 - 5) / 8.
"""

import json
import math
import os

import torch
import torch.nn.functional as F

from common import ROOT, cotangent, integers, pack, random

CASES = []


class Weights:
    """Makes weights as they are asked for, by name."""

    def __init__(self):
        self.named = {}

    def __call__(self, name, *shape, low=-0.5, high=0.5):
        if name not in self.named:
            self.named[name] = random(*shape, low=low, high=high).requires_grad_(True)
        return self.named[name]


def case(kind, options, inputs, network, **more):
    weights = Weights()
    output = network(weights, *inputs)
    (output * cotangent(output)).sum().backward()
    CASES.append({
        'kind': kind, 'options': options, 'inputs': [pack(x) for x in inputs],
        'weights': {name: pack(w) for name, w in weights.named.items()},
        'output': pack(output),
        'gradientSums': {name: float('%.9g' % (w.grad * cotangent(w)).sum().item()) for name, w in weights.named.items() if w.grad is not None},
        **more,
    })


def norm(w, name, x, eps, **at):
    d = x.shape[-1]
    return F.layer_norm(x, (d,), w(f'{name}.weight', d, low=0.5, high=1.5), w(f'{name}.bias', d), eps)


def rms(w, name, x, eps):
    d = x.shape[-1]
    return x * (x.square().mean(-1, keepdim=True) + eps).rsqrt() * w(f'{name}.weight', d, low=0.5, high=1.5)


def linear(w, name, x, outputs, bias=True):
    y = x @ w(f'{name}.weight', outputs, x.shape[-1]).T
    return y + w(f'{name}.bias', outputs) if bias else y


def split(x, heads):
    n, l, d = x.shape
    return x.view(n, l, heads, d // heads).transpose(1, 2)


def attend(q, k, v, scale, hidden=None, bias=None):
    scores = q @ k.transpose(-1, -2) * scale
    if bias is not None:
        scores = scores + bias
    if hidden is not None:
        scores = scores.masked_fill(hidden, -1e30)
    out = scores.softmax(-1) @ v
    n, h, l, d = out.shape
    return out.transpose(1, 2).reshape(n, l, h * d)


def causal(l):
    return torch.ones(l, l, dtype=torch.bool).triu(1)


# --- GPT-2 -------------------------------------------------------------------------------------------------------------
def gpt2(w, ids, V=11, T=8, d=8, layers=2, heads=2):
    x = w('transformer.wte.weight', V, d)[ids] + w('transformer.wpe.weight', T, d)[:ids.shape[1]]
    for i in range(layers):
        p = f'transformer.h.{i}'
        y = norm(w, f'{p}.ln_1', x, 1e-5)
        qkv = y @ w(f'{p}.attn.c_attn.weight', d, 3 * d) + w(f'{p}.attn.c_attn.bias', 3 * d)
        q, k, v = (split(t, heads) for t in qkv.split(d, -1))
        a = attend(q, k, v, (d // heads) ** -0.5, causal(ids.shape[1]))
        x = x + a @ w(f'{p}.attn.c_proj.weight', d, d) + w(f'{p}.attn.c_proj.bias', d)
        y = norm(w, f'{p}.ln_2', x, 1e-5) @ w(f'{p}.mlp.c_fc.weight', d, 4 * d) + w(f'{p}.mlp.c_fc.bias', 4 * d)
        y = 0.5 * y * (1 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y ** 3)))
        x = x + y @ w(f'{p}.mlp.c_proj.weight', 4 * d, d) + w(f'{p}.mlp.c_proj.bias', d)
    return norm(w, 'transformer.ln_f', x, 1e-5) @ w.named['transformer.wte.weight'].T


case('GPT2', {'vocabularySize': 11, 'contextLength': 8, 'dimension': 8, 'layers': 2, 'heads': 2, 'dropout': 0},
     [integers(2, 6, high=11)], gpt2)


# --- Llama and its kin -------------------------------------------------------------------------------------------------
def llama(w, ids, V=11, d=12, layers=2, heads=3, kv=1, ff=16, base=1000.0, bias='none', tied=False, window=None, head_dim=None):
    D = head_dim or d // heads
    l = ids.shape[1]
    x = w('model.embed_tokens.weight', V, d)[ids]
    angles = torch.arange(l, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)

    def turn(t):
        a, b = t.chunk(2, -1)
        return t * cos + torch.cat([-b, a], -1) * sin

    hidden = causal(l)
    if window:
        i = torch.arange(l)
        hidden = hidden | (i[:, None] - i >= window)
    for i in range(layers):
        p = f'model.layers.{i}'
        y = rms(w, f'{p}.input_layernorm', x, 1e-5)
        some = bias != 'none'
        q = turn(split(linear(w, f'{p}.self_attn.q_proj', y, heads * D, some), heads))
        k = turn(split(linear(w, f'{p}.self_attn.k_proj', y, kv * D, some), kv)).repeat_interleave(heads // kv, 1)
        v = split(linear(w, f'{p}.self_attn.v_proj', y, kv * D, some), kv).repeat_interleave(heads // kv, 1)
        x = x + linear(w, f'{p}.self_attn.o_proj', attend(q, k, v, D ** -0.5, hidden), d, bias == 'all')
        y = rms(w, f'{p}.post_attention_layernorm', x, 1e-5)
        inner = F.silu(linear(w, f'{p}.mlp.gate_proj', y, ff, False)) * linear(w, f'{p}.mlp.up_proj', y, ff, False)
        x = x + linear(w, f'{p}.mlp.down_proj', inner, d, False)
    x = rms(w, 'model.norm', x, 1e-5)
    return x @ w.named['model.embed_tokens.weight'].T if tied else linear(w, 'lm_head', x, V, False)


base = {'vocabularySize': 11, 'contextLength': 32, 'dimension': 12, 'layers': 2, 'heads': 3, 'feedForward': 16, 'rotaryBase': 1000}
case('Llama', {**base, 'keyValueHeads': 1}, [integers(2, 6, high=11)], llama)
case('Llama', {**base, 'keyValueHeads': 3, 'attentionBias': 'queryKeyValue', 'tied': True, 'window': 3, 'headDimension': 6},
     [integers(1, 7, high=11)], lambda w, ids: llama(w, ids, kv=3, bias='qkv', tied=True, window=3, head_dim=6))


# --- BERT --------------------------------------------------------------------------------------------------------------
def bert(w, ids, types, mask, V=13, T=8, d=8, layers=2, heads=2, prefix='', pool=False):
    e = f'{prefix}embeddings'
    x = w(f'{e}.word_embeddings.weight', V, d)[ids] + w(f'{e}.position_embeddings.weight', T, d)[:ids.shape[1]]
    x = norm(w, f'{e}.LayerNorm', x + w(f'{e}.token_type_embeddings.weight', 2, d)[types], 1e-12)
    hidden = ~mask[:, None, None, :]
    for i in range(layers):
        p = f'{prefix}encoder.layer.{i}'
        q, k, v = (split(linear(w, f'{p}.attention.self.{n}', x, d), heads) for n in ('query', 'key', 'value'))
        a = linear(w, f'{p}.attention.output.dense', attend(q, k, v, (d // heads) ** -0.5, hidden), d)
        x = norm(w, f'{p}.attention.output.LayerNorm', x + a, 1e-12)
        y = linear(w, f'{p}.output.dense', F.gelu(linear(w, f'{p}.intermediate.dense', x, 4 * d)), d)
        x = norm(w, f'{p}.output.LayerNorm', x + y, 1e-12)
    return x


def bert_pooled(w, ids, types, mask, prefix='bert.'):
    return torch.tanh(linear(w, f'{prefix}pooler.dense', bert(w, ids, types, mask, prefix=prefix)[:, 0], 8))


def bert_masked(w, ids, types, mask):
    x = bert(w, ids, types, mask, prefix='bert.')
    x = norm(w, 'cls.predictions.transform.LayerNorm', F.gelu(linear(w, 'cls.predictions.transform.dense', x, 8)), 1e-12)
    return x @ w.named['bert.embeddings.word_embeddings.weight'].T + w('cls.predictions.bias', 13)


options = {'vocabularySize': 13, 'contextLength': 8, 'dimension': 8, 'layers': 2, 'heads': 2, 'dropout': 0}
mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
given = [integers(2, 6, high=13), integers(2, 6, high=2), mask]
case('Bert', {**options, 'pooler': False}, given, bert)
case('BertForMaskedLM', options, given, bert_masked)
case('BertForSequenceClassification', {**options, 'classes': 3}, given,
     lambda w, *x: linear(w, 'classifier', bert_pooled(w, *x), 3))


# --- Marian ------------------------------------------------------------------------------------------------------------
def marian(w, source, target, mask, V=13, d=8, layers=2, heads=2, ff=16):
    shared = w('model.shared.weight', V, d)
    w('final_logits_bias', 1, V)
    half = d // 2

    def embed(ids):
        position = torch.arange(ids.shape[1], dtype=torch.float64)[:, None]
        angles = position / 10000 ** (2 * torch.arange(half, dtype=torch.float64) / d)
        return shared[ids] * math.sqrt(d) + torch.cat([angles.sin(), angles.cos()], -1)

    def attention(p, x, memory, hidden):
        q, k, v = (split(linear(w, f'{p}.{n}_proj', t, d), heads) for n, t in (('q', x), ('k', memory), ('v', memory)))
        return linear(w, f'{p}.out_proj', attend(q, k, v, (d // heads) ** -0.5, hidden), d)

    def network(p, x):
        y = linear(w, f'{p}.fc2', F.silu(linear(w, f'{p}.fc1', x, ff)), d)
        return norm(w, f'{p}.final_layer_norm', x + y, 1e-5)

    hidden = ~mask[:, None, None, :]
    x = embed(source)
    for i in range(layers):
        p = f'model.encoder.layers.{i}'
        x = norm(w, f'{p}.self_attn_layer_norm', x + attention(f'{p}.self_attn', x, x, hidden), 1e-5)
        x = network(p, x)
    memory, x = x, embed(target)
    for i in range(layers):
        p = f'model.decoder.layers.{i}'
        x = norm(w, f'{p}.self_attn_layer_norm', x + attention(f'{p}.self_attn', x, x, causal(target.shape[1])), 1e-5)
        x = norm(w, f'{p}.encoder_attn_layer_norm', x + attention(f'{p}.encoder_attn', x, memory, hidden), 1e-5)
        x = network(p, x)
    return x @ shared.T + w.named['final_logits_bias']


mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
case('Marian', {'vocabularySize': 13, 'dimension': 8, 'encoderLayers': 2, 'decoderLayers': 2, 'heads': 2, 'feedForward': 16, 'dropout': 0, 'contextLength': 16},
     [integers(2, 5, high=13), integers(2, 4, high=13), mask], marian)


# --- T5 ----------------------------------------------------------------------------------------------------------------
def bucket(distance, both, buckets, longest):
    result = torch.zeros_like(distance)
    if both:
        buckets //= 2
        result = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        distance = -torch.minimum(distance, torch.zeros_like(distance))
    exact = buckets // 2
    far = exact + (torch.log(distance.float() / exact) / math.log(longest / exact) * (buckets - exact)).long()
    return result + torch.where(distance < exact, distance, torch.minimum(far, torch.full_like(far, buckets - 1)))


def t5(w, source, target, mask, V=13, d=8, layers=2, heads=2, D=3, ff=16, buckets=6, longest=5, gated=False, tied=True):
    shared = w('shared.weight', V, d)

    def bias(side, l, s, both):
        distance = torch.arange(s) - torch.arange(l)[:, None]
        table = w(f'{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight', buckets, heads)
        return table[bucket(distance, both, buckets, longest)].permute(2, 0, 1)[None]

    def attention(p, x, memory, hidden, add=None):
        q, k, v = (split(linear(w, f'{p}.{n}', t, heads * D, False), heads) for n, t in (('q', x), ('k', memory), ('v', memory)))
        return linear(w, f'{p}.o', attend(q, k, v, 1.0, hidden, add), d, False)

    def network(p, x):
        y = rms(w, f'{p}.layer_norm', x, 1e-6)
        if gated:
            inner = F.gelu(linear(w, f'{p}.DenseReluDense.wi_0', y, ff, False), approximate='tanh')
            inner = inner * linear(w, f'{p}.DenseReluDense.wi_1', y, ff, False)
        else:
            inner = F.relu(linear(w, f'{p}.DenseReluDense.wi', y, ff, False))
        return x + linear(w, f'{p}.DenseReluDense.wo', inner, d, False)

    hidden = ~mask[:, None, None, :]
    x, l = shared[source], source.shape[1]
    add = bias('encoder', l, l, True)
    for i in range(layers):
        p = f'encoder.block.{i}.layer'
        y = rms(w, f'{p}.0.layer_norm', x, 1e-6)
        x = network(f'{p}.1', x + attention(f'{p}.0.SelfAttention', y, y, hidden, add))
    memory = rms(w, 'encoder.final_layer_norm', x, 1e-6)
    x, l = shared[target], target.shape[1]
    add = bias('decoder', l, l, False)
    for i in range(layers):
        p = f'decoder.block.{i}.layer'
        y = rms(w, f'{p}.0.layer_norm', x, 1e-6)
        x = x + attention(f'{p}.0.SelfAttention', y, y, causal(l), add)
        x = x + attention(f'{p}.1.EncDecAttention', rms(w, f'{p}.1.layer_norm', x, 1e-6), memory, hidden)
        x = network(f'{p}.2', x)
    x = rms(w, 'decoder.final_layer_norm', x, 1e-6)
    return (x * d ** -0.5) @ shared.T if tied else linear(w, 'lm_head', x, V, False)


shape = {'vocabularySize': 13, 'dimension': 8, 'encoderLayers': 2, 'heads': 2, 'headDimension': 3, 'feedForward': 16, 'distanceBuckets': 6, 'longestDistance': 5, 'dropout': 0}
mask = torch.tensor([[True] * 8, [True] * 6 + [False] * 2])
case('T5', shape, [integers(2, 8, high=13), integers(2, 7, high=13), mask], t5)
case('T5', {**shape, 'gated': True, 'tied': False, 'activation': 'gelu_new'}, [integers(2, 8, high=13), integers(2, 7, high=13), mask],
     lambda w, *x: t5(w, *x, gated=True, tied=False))


# --- recurrent ---------------------------------------------------------------------------------------------------------
def cell(w, name, x, state, hidden, suffix=''):
    h, c = state
    gates = x @ w(f'{name}.weight_ih{suffix}', 4 * hidden, x.shape[-1]).T + w(f'{name}.bias_ih{suffix}', 4 * hidden)
    gates = gates + h @ w(f'{name}.weight_hh{suffix}', 4 * hidden, hidden).T + w(f'{name}.bias_hh{suffix}', 4 * hidden)
    i, f, g, o = gates.chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def read(w, prefix, source, mask, V, e, h):
    x = w(f'{prefix}source_embedding.weight', V, e)[source]
    n, l = source.shape
    outputs, last = [], []
    for suffix, order in (('_l0', range(l)), ('_l0_reverse', reversed(range(l)))):
        state = torch.zeros(n, h, dtype=x.dtype), torch.zeros(n, h, dtype=x.dtype)
        steps = [None] * l
        for t in order:
            new = cell(w, f'{prefix}encoder', x[:, t], state, h, suffix)
            real = mask[:, t, None]
            state = tuple(torch.where(real, a, b) for a, b in zip(new, state))
            steps[t] = torch.where(real, new[0], torch.zeros_like(new[0]))
        outputs.append(torch.stack(steps, 1))
        last.append(state)
    output = torch.cat(outputs, -1)
    hidden = torch.tanh(linear(w, f'{prefix}bridge_hidden', torch.cat([last[0][0], last[1][0]], -1), h))
    memory = torch.tanh(linear(w, f'{prefix}bridge_cell', torch.cat([last[0][1], last[1][1]], -1), h))
    return output, linear(w, f'{prefix}attention_key', output, h), (hidden, memory)


def look(w, prefix, y, keys, output, mask, state, context, h):
    state = cell(w, f'{prefix}decoder', torch.cat([y, context], -1), state, h)
    query = linear(w, f'{prefix}attention_query', state[0], h, False)[:, None]
    scores = (torch.tanh(query + keys) * w(f'{prefix}attention.scale', h)).sum(-1).masked_fill(~mask, -1e30)
    weights = scores.softmax(-1)
    context = (weights[:, None] @ output)[:, 0]
    features = torch.tanh(linear(w, f'{prefix}combine', torch.cat([state[0], context], -1), h))
    return state, context, features, weights


def attention_lstm(w, source, target, mask, V=11, O=7, e=3, h=4):
    output, keys, state = read(w, '', source, mask, V, e, h)
    context = torch.zeros(len(source), 2 * h, dtype=output.dtype)
    table, rows = w('target_embedding.weight', O, e), []
    for t in range(target.shape[1]):
        state, context, features, _ = look(w, '', table[target[:, t]], keys, output, mask, state, context, h)
        rows.append(linear(w, 'output', features, O))
    return torch.stack(rows, 1)


def pointer(w, source, target, mask, extended, V=9, extra=2, e=3, h=4, unknown=3):
    p = 'network.'
    output, keys, state = read(w, p, source, mask, V, e, h)
    n, s = source.shape
    context = torch.zeros(n, 2 * h, dtype=output.dtype)
    seen = torch.zeros(n, s, dtype=output.dtype)
    table, rows = w(f'{p}target_embedding.weight', V, e), []
    for t in range(target.shape[1]):
        ids = torch.where(target[:, t] >= V, torch.full_like(target[:, t], unknown), target[:, t])
        now = keys + linear(w, 'coverage', seen[..., None], h, False)
        state, context, features, weights = look(w, p, table[ids], now, output, mask, state, context, h)
        says = linear(w, 'gate', torch.cat([context, state[0], table[ids]], -1), 1).sigmoid()
        said = linear(w, f'{p}output', features, V).softmax(-1) * says
        mixed = torch.cat([said, torch.zeros(n, extra, dtype=said.dtype)], -1).scatter_add(1, extended, weights * (1 - says))
        rows.append(mixed.clamp_min(1e-12).log())
        seen = seen + weights
    return torch.stack(rows, 1)


mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
case('AttentionLSTM', {'sourceVocabularySize': 11, 'vocabularySize': 7, 'embedding': 3, 'hidden': 4, 'dropout': 0},
     [integers(2, 5, high=11), integers(2, 4, high=7), mask], attention_lstm)
case('PointerGenerator', {'vocabularySize': 9, 'embedding': 3, 'hidden': 4, 'dropout': 0},
     [torch.tensor([[5, 3, 7, 3, 1], [2, 3, 4, 0, 0]]), torch.tensor([[1, 9, 5], [1, 4, 8]]), mask,
      torch.tensor([[5, 9, 7, 10, 1], [2, 9, 4, 0, 0]])], pointer)

distances = torch.arange(-150, 151)
head = {
    'source': 'PyTorch ' + torch.__version__.split('a')[0],
    'buckets': {f'{b} {m} {both}': bucket(torch.arange(-m, m + 1), both, b, m).tolist() for b, m in ((32, 128), (6, 5), (16, 40)) for both in (True, False)},
}
path = os.path.join(ROOT, 'packages', 'text', 'fixtures', 'language.json')
with open(path, 'w') as file:
    file.write(json.dumps(head, separators=(',', ':'))[:-1] + ',"cases":[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in CASES) + '\n]}\n')
print(path, len(CASES), 'cases', os.path.getsize(path) // 1000, 'kB')
