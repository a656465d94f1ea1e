"""Golden values for @nn/metrics, by scikit-learn, imbalanced-learn, SciPy and NLTK.

Run: python3 scripts/golden/metrics.py (needs scikit-learn 1.2, imbalanced-learn 0.10). Writes packages/metrics/fixtures.
Each case is { metric, options, predictions, targets, weights, value }: `metric` is the class, tested in two batches, and
its function of tensors where there is one. Numbers are short binary fractions, so that float32 holds them exactly.
"""

import json
import math
import os
import warnings

import numpy as np
from imblearn.metrics import geometric_mean_score
from sklearn import metrics as M

warnings.filterwarnings('ignore')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
random = np.random.RandomState(7)


def number(value):
    value = float(value)
    if math.isnan(value):
        return 'NaN'
    return int(value) if value == int(value) else float('%.12g' % value)


def plain(value):
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if np.ndim(value) > 0:
        return [plain(item) for item in value]
    return number(value)


def pack(array):
    if array is None:
        return None
    array = np.asarray(array)
    dtype = 'int32' if array.dtype.kind in 'iu' else 'bool' if array.dtype.kind == 'b' else 'float32'
    return {'dtype': dtype, 'shape': list(array.shape), 'data': [number(v) for v in array.reshape(-1)]}


def case(cases, metric, options, predictions, targets, value, weights=None):
    cases.append({'metric': metric, 'options': options, 'predictions': pack(predictions), 'targets': pack(targets),
                  'weights': pack(weights), 'value': plain(value)})


def write(name, cases, source):
    lines = ',\n'.join(json.dumps(item, separators=(',', ':')) for item in cases)
    path = os.path.join(ROOT, 'packages/metrics/fixtures', name + '.json')
    with open(path, 'w') as file:
        file.write('{"source":%s,"cases":[\n%s\n]}\n' % (json.dumps(source), lines))
    print(f'{name}: {len(cases)} cases')


def fractions(*shape, low=0.0, high=1.0, step=1 / 64):
    return np.round((random.rand(*shape) * (high - low) + low) / step) * step


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# --- classification -------------------------------------------------------------------------------------------------
C = []
N, K = 40, 4
weights = fractions(N, low=0.25, high=2)
labels = random.randint(0, K, N)
scores = fractions(N, K, low=-2, high=2, step=1 / 32)
guesses = scores.argmax(1)
five = random.choice([0, 1, 3], N)  # class 2 occurs nowhere
five_guesses = random.choice([0, 1, 3], N)
yes = random.randint(0, 2, N)
p_yes = fractions(N)
many = random.randint(0, 2, (N, 3))
p_many = fractions(N, 3)

averages = ['macro', 'micro', 'weighted', 'none']
to_sk = {'none': None}
for metric, f in [('Precision', M.precision_score), ('Recall', M.recall_score), ('F1Score', M.f1_score), ('Jaccard', M.jaccard_score)]:
    for average in averages:
        for w in [None, weights]:
            sk = to_sk.get(average, average)
            case(C, metric, {'average': average}, scores, labels, f(labels, guesses, average=sk, sample_weight=w), w)
        case(C, metric, {'average': average, 'classes': K}, five_guesses, five,
             f(five, five_guesses, average=sk) if average != 'none'
             else np.insert(f(five, five_guesses, average=None), 2, np.nan))
        case(C, metric, {'average': average, 'from': 'probabilities', 'task': 'multilabel'}, p_many, many,
             f(many, (p_many > 0.5).astype(int), average=sk))
    case(C, metric, {'from': 'probabilities'}, p_yes, yes, f(yes, p_yes > 0.5))
    case(C, metric, {'from': 'probabilities', 'threshold': 0.25}, p_yes, yes, f(yes, p_yes > 0.25, sample_weight=weights), weights)
    case(C, metric, {'from': 'logits', 'average': 'macro'}, p_yes - 0.5, yes, f(yes, p_yes > 0.5, average='macro'))
for beta in [0.5, 2]:
    case(C, 'FBetaScore', {'beta': beta, 'average': 'macro'}, scores, labels, M.fbeta_score(labels, guesses, beta=beta, average='macro'))
# of the other class, recall is specificity and precision the negative predictive value
case(C, 'Specificity', {'from': 'probabilities'}, p_yes, yes, M.recall_score(yes, p_yes > 0.5, pos_label=0, sample_weight=weights), weights)
case(C, 'NegativePredictiveValue', {'from': 'probabilities'}, p_yes, yes, M.precision_score(yes, p_yes > 0.5, pos_label=0))
for average, join in [('macro', np.mean), ('none', list)]:
    case(C, 'Specificity', {'average': average}, scores, labels, join([M.recall_score(labels != c, guesses != c) for c in range(K)]))
    case(C, 'NegativePredictiveValue', {'average': average}, scores, labels, join([M.precision_score(labels != c, guesses != c) for c in range(K)]))
for w in [None, weights]:
    case(C, 'Accuracy', {}, scores, labels, M.accuracy_score(labels, guesses, sample_weight=w), w)
    case(C, 'Accuracy', {'from': 'probabilities'}, p_yes, yes, M.accuracy_score(yes, p_yes > 0.5, sample_weight=w), w)
    case(C, 'BalancedAccuracy', {}, scores, labels, M.balanced_accuracy_score(labels, guesses, sample_weight=w), w)
    case(C, 'BalancedAccuracy', {'adjusted': True, 'from': 'probabilities'}, p_yes, yes, M.balanced_accuracy_score(yes, p_yes > 0.5, adjusted=True, sample_weight=w), w)
    case(C, 'MatthewsCorrelation', {}, scores, labels, M.matthews_corrcoef(labels, guesses, sample_weight=w), w)
    case(C, 'MatthewsCorrelation', {'from': 'probabilities'}, p_yes, yes, M.matthews_corrcoef(yes, p_yes > 0.5, sample_weight=w), w)
    case(C, 'ConfusionMatrix', {}, scores, labels, M.confusion_matrix(labels, guesses, sample_weight=w), w)
    case(C, 'GeometricMean', {}, scores, labels, geometric_mean_score(labels, guesses, average='multiclass', sample_weight=w), w)
    for k in [1, 2, 3]:
        case(C, 'TopKAccuracy', {'k': k}, scores, labels, M.top_k_accuracy_score(labels, scores, k=k, sample_weight=w, labels=range(K)), w)
    for weighting in ['none', 'linear', 'quadratic']:
        sk = to_sk.get(weighting, weighting)
        case(C, 'CohenKappa', {'weighting': weighting}, scores, labels, M.cohen_kappa_score(labels, guesses, weights=sk, sample_weight=w), w)
    case(C, 'ExactMatch', {'from': 'probabilities'}, p_many, many, M.accuracy_score(many, p_many > 0.5, sample_weight=w), w)
    case(C, 'HammingLoss', {'from': 'probabilities', 'task': 'multilabel'}, p_many, many, M.hamming_loss(many, p_many > 0.5, sample_weight=w), w)
# the published example
case(C, 'MatthewsCorrelation', {'classes': 3}, np.array([2, 1, 0, 1]), np.array([2, 1, 0, 0]), 0.7)
case(C, 'CohenKappa', {'classes': 3}, np.array([2, 1, 0, 1]), np.array([2, 1, 0, 0]), 0.636363636364)
case(C, 'MatthewsCorrelation', {'classes': 3}, np.array([1, 1, 1, 1]), np.array([2, 1, 0, 0]), M.matthews_corrcoef([2, 1, 0, 0], [1, 1, 1, 1]))
# images: classes on axis 1
pixels = random.randint(0, 3, (4, 5, 6))
maps = fractions(4, 3, 5, 6, low=-1, high=1)
case(C, 'Jaccard', {}, maps, pixels, M.jaccard_score(pixels.reshape(-1), maps.argmax(1).reshape(-1), average='macro'))
case(C, 'Accuracy', {'axis': -1}, np.moveaxis(maps, 1, -1), pixels, np.mean(maps.argmax(1) == pixels))
write('classification', C, 'scikit-learn 1.2.1, imbalanced-learn 0.10.0')
