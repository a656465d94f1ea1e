"""Golden values for the activations and losses of @nn/layers that layers.py lacks: first and second gradients.

Run: python3 scripts/golden/losses.py (needs PyTorch and torchvision). Writes packages/layers/fixtures/losses.json.
A case adds second to the common form: gradients of sum(first gradients * cotangent), all first gradients joined into one.
What PyTorch lacks (Keras' losses, those for unequal classes) is written out here from the papers, as plainly as possible.
"""

import math

import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from common import cotangent, pack, random, write

CASES = []


def case(operation, call, inputs, attributes=None, second=True, fixed=()):
    """`fixed` are positions of inputs that take no gradient though they are numbers."""
    inputs = [t.clone().requires_grad_(t.dtype == torch.float64 and i not in fixed) for i, t in enumerate(inputs)]
    output = call(*inputs)
    wanted = [t for t in inputs if t.requires_grad]
    found = torch.autograd.grad((output * cotangent(output)).sum(), wanted, allow_unused=True, create_graph=second)
    found = [torch.zeros_like(t) if g is None else g for g, t in zip(found, wanted)]
    entry = {'operation': operation, 'attributes': attributes or {}, 'inputs': [pack(t) for t in inputs], 'output': pack(output)}
    rest = iter(found)
    entry['gradients'] = [pack(next(rest)) if t.requires_grad else None for t in inputs]
    if second:
        joined = torch.cat([g.reshape(-1) for g in found])
        twice = [None] * len(wanted)
        if joined.requires_grad:
            twice = torch.autograd.grad((joined * cotangent(joined)).sum(), wanted, allow_unused=True)
        rest = iter([torch.zeros_like(t) if g is None else g for g, t in zip(twice, wanted)])
        entry['second'] = [pack(next(rest)) if t.requires_grad else None for t in inputs]
    CASES.append(entry)


# --- activations ---------------------------------------------------------------------------------------------------
x = torch.cat([random(3, 4, low=-4, high=4), torch.tensor([[0.0, 30, -30, 100]], dtype=torch.float64)])
for operation, call, attributes in [
    ('relu6', F.relu6, {}), ('celu', F.celu, {}), ('celu', lambda t: F.celu(t, 0.5), {'alpha': 0.5}),
    ('squareplus', lambda t: (t + (t * t + 4).sqrt()) / 2, {}), ('squareplus', lambda t: (t + (t * t + 0.5).sqrt()) / 2, {'b': 0.5}),
    ('sparsePlus', lambda t: torch.where(t <= -1, torch.zeros_like(t), torch.where(t < 1, (t + 1) ** 2 / 4, t)), {}),
    ('threshold', lambda t: F.threshold(t, 0.5, -2), {'threshold': 0.5, 'value': -2}),
    ('exponential', lambda t: t.exp(), {}), ('logSigmoid', F.logsigmoid, {}), ('hardTanh', F.hardtanh, {}),
    ('hardTanh', lambda t: F.hardtanh(t, -2, 0.5), {'min': -2, 'max': 0.5}), ('tanhShrink', F.tanhshrink, {}),
    ('softsign', F.softsign, {}), ('hardShrink', F.hardshrink, {}), ('hardShrink', lambda t: F.hardshrink(t, 1.5), {'lambda': 1.5}),
    ('softShrink', F.softshrink, {}), ('softShrink', lambda t: F.softshrink(t, 1.5), {'lambda': 1.5}),
    ('softmin', lambda t: F.softmin(t, -1), {}), ('softmin', lambda t: F.softmin(t, 0), {'axis': 0}),
    ('glu', F.glu, {}), ('glu', lambda t: F.glu(t, 0), {'axis': 0}),
]:
    inputs = [x / 16 if operation == 'exponential' else torch.where(x == 0, 0.25, x) if operation == 'celu' else x]  # at 0 elu'' is a matter of taste
    case(operation, call, inputs, attributes, second=operation not in ('softsign',))
corners = torch.tensor([-6.0, -1, -0.5, 0, 0.5, 1, 6], dtype=torch.float64)
for operation, call in [('relu6', F.relu6), ('hardTanh', F.hardtanh), ('hardShrink', F.hardshrink), ('softShrink', F.softshrink), ('celu', F.celu)]:
    case(operation, call, [corners], second=operation != 'celu')
case('sparseSigmoid', lambda t: F.hardtanh(t) / 2 + 0.5, [x])


def sparsemax(t, axis=-1):
    """Martins and Astudillo, algorithm 1."""
    t = t.transpose(axis, -1)
    z, _ = t.sort(-1, descending=True)
    k = torch.arange(1, t.shape[-1] + 1, dtype=t.dtype)
    count = (1 + k * z > z.cumsum(-1)).sum(-1, keepdim=True)
    tau = (z.cumsum(-1).gather(-1, count - 1) - 1) / count
    return (t - tau).clamp(min=0).transpose(axis, -1)


case('sparsemax', sparsemax, [random(4, 5, low=-1, high=1)])
case('sparsemax', lambda t: sparsemax(t, 0), [random(4, 3, low=-0.5, high=0.5)], {'axis': 0})
case('sparsemax', sparsemax, [random(2, 3, low=-1, high=1) + 1000])

# --- distances -----------------------------------------------------------------------------------------------------
a, b, c = random(3, 4), random(3, 4), random(3, 4)
case('normalize', F.normalize, [a])
case('normalize', lambda t: F.normalize(t, p=1, dim=0), [a], {'order': 1, 'axis': 0})
case('cosineSimilarity', F.cosine_similarity, [a, b])
case('pairwiseDistance', F.pairwise_distance, [a, b])
case('pairwiseDistance', lambda s, t: F.pairwise_distance(s, t, p=3, keepdim=True), [a, b], {'order': 3, 'keepAxes': True})

# --- losses of numbers ---------------------------------------------------------------------------------------------
counts = (random(3, 4, low=0, high=5)).round()
positive = random(3, 4, low=0.25, high=3)
reduced = {'mean': torch.mean, 'sum': torch.sum, 'none': lambda t: t}
for reduction, reduce in reduced.items():
    given = {'reduction': reduction}
    case('smoothL1', lambda p, t: F.smooth_l1_loss(p, t, reduction=reduction), [a, b], given)
    case('logCosh', lambda p, t: reduce(torch.cosh(p - t).log()), [a, b], given)
    case('meanAbsolutePercentageError', lambda p, t: reduce(100 * ((t - p) / t.abs().clamp(min=1e-7)).abs()), [a, b], given)
    case('meanSquaredLogarithmicError', lambda p, t: reduce((torch.log1p(p) - torch.log1p(t)) ** 2), [positive, random(3, 4, low=0.25, high=3)], given)
    case('poissonNll', lambda p, t: F.poisson_nll_loss(p, t, reduction=reduction), [a, counts], given, fixed=(1,))
    case('gaussianNll', lambda p, t, v: F.gaussian_nll_loss(p, t, v, reduction=reduction), [a, b, positive], given)
case('smoothL1', lambda p, t: F.smooth_l1_loss(p, t, beta=0.3), [a, b], {'beta': 0.3})
case('smoothL1', lambda p, t: F.smooth_l1_loss(p, t, beta=0.0), [a, b], {'beta': 0})
case('poissonNll', lambda p, t: F.poisson_nll_loss(p, t, log_input=False, full=True), [positive, counts], {'logInput': False, 'full': True}, fixed=(1,))
case('poissonNll', lambda p, t: (p - t * (p + 1e-7).log()).mean(), [positive, counts], {'logInput': False, 'epsilon': 1e-7}, fixed=(1,))
case('gaussianNll', lambda p, t, v: F.gaussian_nll_loss(p, t, v, full=True, reduction='none'), [a, b, positive[:, :1]], {'full': True, 'reduction': 'none'})
case('gaussianNll', lambda p, t, v: F.gaussian_nll_loss(p, t, v), [a, b, positive[:, 0]])
case('gaussianNll', lambda p, t, v: F.gaussian_nll_loss(p, t, v, eps=1.0), [a, b, positive], {'epsilon': 1})

# --- losses of classes ---------------------------------------------------------------------------------------------
logits, target = random(4, 5, low=-6, high=6), torch.tensor([0, 4, 2, 4])
weight = torch.tensor([0.5, 2.0, 1.0, 0.25, 3.0], dtype=torch.float64)
weights = [0.5, 2, 1, 0.25, 3]
deep, inside = random(2, 3, 2, 3), torch.tensor([[[0, 2, 1], [2, 2, 0]], [[1, 1, 255], [0, 255, 2]]])
for reduction, reduce in reduced.items():
    case('nll', lambda p, t: F.nll_loss(p, t, weight=weight, reduction=reduction), [logits.log_softmax(1), target], {'reduction': reduction, 'weight': weights})
    case('nll', lambda p, t: F.nll_loss(p, t, ignore_index=255, reduction=reduction), [deep.log_softmax(1), inside], {'reduction': reduction, 'ignoreIndex': 255})


def picked(p, t):
    return p.softmax(1).gather(1, t.unsqueeze(1)).squeeze(1)


def focal(p, t, alpha=0.25, gamma=2.0):
    q = picked(p, t)
    return alpha * (1 - q) ** gamma * -q.log()


case('focal', lambda p, t: focal(p, t).mean(), [logits, target])
case('focal', lambda p, t: focal(p, t, 1, 1.5), [logits, target], {'alpha': 1, 'gamma': 1.5, 'reduction': 'none'})
case('focal', lambda p, t: focal(p, t, weight[t], 3).sum(), [logits, target], {'alpha': weights, 'gamma': 3, 'reduction': 'sum'})
case('focal', lambda p, t: focal(p, t, 1, 0).mean(), [logits, target], {'alpha': 1, 'gamma': 0})
# Keras: sum over the classes of alpha (1 - p)^gamma times the cross entropy of smoothed targets
share = F.one_hot(target, 5) * 0.9 + 0.1 / 5
case('focal', lambda p, t: (share * 0.25 * (1 - p.softmax(1)) ** 2 * -p.log_softmax(1)).sum(1).mean(), [logits, target], {'labelSmoothing': 0.1})
for q in (0.5, 0.7, 1):
    case('generalizedCrossEntropy', lambda p, t: ((1 - picked(p, t) ** q) / q).mean(), [logits, target], {'q': q})
case('generalizedCrossEntropy', lambda p, t: (weight[t] * (1 - picked(p, t) ** 0.5) / 0.5).sum() / weight[t].sum(), [logits, target], {'weight': weights})

truth = (random(3, 4) > 0).double()
for reduction in reduced:
    case('binaryFocal', lambda p, t: sigmoid_focal_loss(p, t, reduction=reduction), [a * 3, truth], {'reduction': reduction}, fixed=(1,))
case('binaryFocal', lambda p, t: sigmoid_focal_loss(p, t, alpha=-1, gamma=1.5), [a, truth], {'alpha': None, 'gamma': 1.5, 'reduction': 'none'}, fixed=(1,))
case('binaryFocal', lambda p, t: sigmoid_focal_loss(p, t * 0.8 + 0.1), [a, truth], {'labelSmoothing': 0.2, 'reduction': 'none'}, fixed=(1,))
case('bceWithLogits', lambda p, t: F.binary_cross_entropy_with_logits(p, t * 0.8 + 0.1), [a, truth], {'labelSmoothing': 0.2}, fixed=(1,))
case('binaryCrossEntropy', lambda p, t: F.binary_cross_entropy(p, t * 0.8 + 0.1), [a.sigmoid().mul(128).round() / 128, truth], {'labelSmoothing': 0.2}, fixed=(1,))

# unequal classes: the sizes are the third argument
sizes = [1000, 200, 50, 10, 2]
prior = torch.tensor(sizes, dtype=torch.float64)
log_prior = (prior / prior.sum()).log()
for tau in (1, 0.5):
    case('logitAdjusted', lambda p, t: F.cross_entropy(p + tau * log_prior, t), [logits, target], {'counts': sizes, 'tau': tau})
case('balancedSoftmax', lambda p, t: -((prior * p.exp())[range(4), t] / (prior * p.exp()).sum(1)).log().mean(), [logits, target], {'counts': sizes})
case('adjustLogits', lambda p: p - 0.5 * log_prior, [logits], {'counts': sizes, 'tau': 0.5})


def ldam(p, t, most=0.5, scale=30):
    margins = prior ** -0.25
    margins = margins * most / margins.max()
    moved = p - F.one_hot(t, 5) * margins
    return F.cross_entropy(scale * moved, t)


case('ldam', ldam, [logits / 8, target], {'counts': sizes})
case('ldam', lambda p, t: ldam(p, t, 0.8, 2), [logits, target], {'counts': sizes, 'maxMargin': 0.8, 'scale': 2})


def equalized(p, t, rare, strength):
    """Tan et al. 2020, equations 8 and 9, with beta at its expectation."""
    w = 1 - strength * (prior / prior.sum() < rare).double() * (1 - F.one_hot(t, 5))
    return -(p.exp()[range(4), t] / (w * p.exp()).sum(1)).log().mean()


case('equalized', lambda p, t: equalized(p, t, 0.005, 1), [logits, target], {'counts': sizes})
case('equalized', lambda p, t: equalized(p, t, 0.1, 0.75), [logits, target], {'counts': sizes, 'rareShare': 0.1, 'strength': 0.75})


def seesaw(p, t, power=0.8, q=2.0):
    """Wang et al. 2021, equations 3 to 7."""
    losses = []
    for z, i in zip(p, t.tolist()):
        s = z.detach().softmax(0)
        terms = 0
        for j in range(5):
            m = 1.0 if sizes[j] >= sizes[i] else (sizes[j] / sizes[i]) ** power
            ratio = s[j] / s[i].clamp(min=0.01)
            c = ratio ** q if ratio > 1 else 1.0
            terms = terms + (z[j].exp() if j == i else m * c * z[j].exp())
        losses.append(-(z[i].exp() / terms).log())
    return torch.stack(losses).mean()


case('seesaw', seesaw, [logits / 2, target], {'counts': sizes})
case('seesaw', lambda p, t: seesaw(p, t, 0.5, 1), [logits / 2, target], {'counts': sizes, 'p': 0.5, 'q': 1})

# --- margins -------------------------------------------------------------------------------------------------------
sign = torch.where(random(3, 4) > 0, 1.0, -1.0).double()
signs = torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
one_hot = F.one_hot(torch.tensor([0, 3, 1]), 4).double()
labels = torch.tensor([0, 3, 1])
for reduction, reduce in reduced.items():
    given = {'reduction': reduction}
    case('hinge', lambda p, t: reduce((1 - t * p).clamp(min=0)), [a, sign], given, fixed=(1,))
    case('squaredHinge', lambda p, t: reduce((1 - t * p).clamp(min=0) ** 2), [a, sign], given, fixed=(1,))
    case('categoricalHinge', lambda p, t: reduce((((1 - t) * p).max(1).values - (t * p).sum(1) + 1).clamp(min=0)), [a, one_hot], given, fixed=(1,))
    case('softMargin', lambda p, t: F.soft_margin_loss(p, t, reduction=reduction), [a, sign], given, fixed=(1,))
    case('hingeEmbedding', lambda p, t: F.hinge_embedding_loss(p, t, margin=0.7, reduction=reduction), [a, sign], {**given, 'margin': 0.7}, fixed=(1,))
    case('marginRanking', lambda p, q, t: F.margin_ranking_loss(p, q, t, margin=0.3, reduction=reduction), [a, b, sign], {**given, 'margin': 0.3}, fixed=(2,))
    case('multiMargin', lambda p, t: F.multi_margin_loss(p, t, reduction=reduction), [a, labels], given, second=False)
    case('multiLabelMargin', lambda p, t: F.multilabel_margin_loss(p, t, reduction=reduction), [a, torch.tensor([[3, 0, -1, 1], [-1, 0, 1, 2], [2, 1, 0, 3]])], given, second=False)
    case('multiLabelSoftMargin', lambda p, t: F.multilabel_soft_margin_loss(p, t, reduction=reduction), [a, truth], given, fixed=(1,))
    case('cosineEmbedding', lambda p, q, t: F.cosine_embedding_loss(p, q, t, margin=0.1, reduction=reduction), [a, b, signs], {**given, 'margin': 0.1}, fixed=(2,))
    case('tripletMargin', lambda p, q, n: F.triplet_margin_loss(p, q, n, reduction=reduction), [a, b, c], given)
    case('tripletMarginWithDistance', lambda p, q, n: F.triplet_margin_with_distance_loss(p, q, n, reduction=reduction), [a, b, c], given)
    case('negativeCosineSimilarity', lambda p, t: reduce(-F.cosine_similarity(p, t, dim=-1)), [a, b], given)
four = torch.tensor([0.5, 2, 1, 3], dtype=torch.float64)
case('multiMargin', lambda p, t: F.multi_margin_loss(p, t, p=2, margin=0.5, weight=four), [a, labels], {'p': 2, 'margin': 0.5, 'weight': [0.5, 2, 1, 3]}, second=False)
case('multiLabelSoftMargin', lambda p, t: F.multilabel_soft_margin_loss(p, t, weight=four), [a, truth], {'weight': [0.5, 2, 1, 3]}, fixed=(1,))
case('tripletMargin', lambda p, q, n: F.triplet_margin_loss(p, q, n, margin=4, p=1, swap=True), [a, b, c], {'margin': 4, 'order': 1, 'swap': True}, second=False)

# --- areas, pairs of embeddings -----------------------------------------------------------------------------------
area, truths = random(2, 3, 4, low=0.1, high=0.9), (random(2, 3, 4) > 0).double()


def over(p, t, alpha, beta, axes):
    both = (p * t).sum(axes)
    return 1 - both / (both + alpha * (p * (1 - t)).sum(axes) + beta * ((1 - p) * t).sum(axes))


case('dice', lambda p, t: (1 - 2 * (p * t).sum((1, 2)) / (p.sum((1, 2)) + t.sum((1, 2)))).mean(), [area, truths])
case('dice', lambda p, t: 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1), [area, truths], {'axes': [0, 1, 2], 'smooth': 1})
case('tversky', lambda p, t: over(p, t, 0.3, 0.7, (1, 2)), [area, truths], {'alpha': 0.3, 'beta': 0.7, 'reduction': 'none'})
case('tversky', lambda p, t: over(p, t, 0.5, 0.5, 2).sum(), [area, truths], {'axes': [2], 'reduction': 'sum'})


def info(q, k, t=0.07):
    return F.cross_entropy(F.normalize(q) @ F.normalize(k).T / t, torch.arange(len(q)))


case('infoNce', lambda q, k: info(q, k, 0.5), [a, b], {'temperature': 0.5})
case('infoNce', info, [a, b])
case('infoNce', lambda q, k: (info(q, k, 0.2) + info(k, q, 0.2)) / 2, [a, b], {'temperature': 0.2, 'symmetric': True})
others = random(5, 4)
case('infoNce', lambda q, k: F.cross_entropy(torch.cat([F.cosine_similarity(q, k).unsqueeze(1), F.normalize(q) @ F.normalize(others).T], 1) / 0.5, torch.zeros(3).long()), [a, b], {'temperature': 0.5, 'negatives': pack(others)})


def circle(e, y, gamma, m):
    """Sun et al. 2020, equation 6; the weights take no gradient."""
    s, losses = F.normalize(e) @ F.normalize(e).T, []
    for i in range(len(e)):
        near = [gamma * (1 + m - s[i, j].detach()).clamp(min=0) * (1 - m - s[i, j]) for j in range(len(e)) if j != i and y[j] == y[i]]
        far = [gamma * (s[i, j].detach() + m).clamp(min=0) * (s[i, j] - m) for j in range(len(e)) if y[j] != y[i]]
        losses.append(F.softplus(torch.stack(far).logsumexp(0) + torch.stack(near).logsumexp(0)) if near and far else e.sum() * 0)
    return torch.stack(losses)


rows, kinds = random(6, 4), torch.tensor([0, 1, 0, 2, 1, 0])
case('circle', lambda e, y: circle(e, y, 80, 0.4), [rows, kinds], {'reduction': 'none'}, second=False)
case('circle', lambda e, y: circle(e, y, 4, 0.25).mean(), [rows, kinds], {'gamma': 4, 'margin': 0.25}, second=False)

# --- sequences: gradients reach the logits through logSoftmax, because PyTorch's own of ctc_loss are only right there -----
steps = random(6, 3, 4)
spelled = torch.tensor([[1, 2, 2], [3, 3, 1], [2, 1, 1]])


def ctc(t, y, **options):
    given = dict(input_lengths=torch.tensor([6, 6, 6]), target_lengths=torch.tensor([3, 3, 3]))
    return F.ctc_loss(t.log_softmax(2), y, **{**given, **options})


for reduction in reduced:
    case('ctc', lambda t, y: ctc(t, y, reduction=reduction), [steps, spelled], {'logits': True, 'reduction': reduction}, second=False)
lengths = {'inputLengths': [6, 4, 5], 'targetLengths': [3, 1, 2]}
case('ctc', lambda t, y: ctc(t, y, input_lengths=torch.tensor([6, 4, 5]), target_lengths=torch.tensor([3, 1, 2])), [steps, spelled], {'logits': True, **lengths}, second=False)
case('ctc', lambda t, y: ctc(t, y, blank=2, target_lengths=torch.tensor([0, 2, 1]), reduction='none'), [steps, torch.tensor([[1, 1, 1], [3, 3, 1], [0, 1, 1]])], {'logits': True, 'blank': 2, 'targetLengths': [0, 2, 1], 'reduction': 'none'}, second=False)
case('ctc', lambda t, y: ctc(t, y, input_lengths=torch.tensor([6, 3, 3]), zero_infinity=True, reduction='none'), [steps, spelled], {'logits': True, 'inputLengths': [6, 3, 3], 'zeroInfinity': True, 'reduction': 'none'}, second=False)

write('packages/layers/fixtures/losses.json', CASES)
