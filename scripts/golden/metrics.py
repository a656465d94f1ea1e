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

# --- curves and calibration -----------------------------------------------------------------------------------------
V = []
p_sure = fractions(N, low=1 / 64)  # multiples of 1/64 above 0: 65 thresholds tell all of them apart
raw = fractions(N, K, low=-2, high=2, step=1 / 16)
p_classes = softmax(raw, 1)
one_hot = np.eye(K)[labels]
for exact in [{'exact': True}, {'thresholds': 65}]:
    for w in [None, weights]:
        options = {'from': 'probabilities', **exact}
        case(V, 'AUROC', options, p_sure, yes, M.roc_auc_score(yes, p_sure, sample_weight=w), w)
        case(V, 'AveragePrecision', options, p_sure, yes, M.average_precision_score(yes, p_sure, sample_weight=w), w)
    fpr, tpr, thresholds = M.roc_curve(yes, p_sure, drop_intermediate=False)
    precision, recall, _ = M.precision_recall_curve(yes, p_sure)
    case(V, 'PrecisionAtRecall', {**options, 'recall': 0.6}, p_sure, yes, precision[:-1][recall[:-1] >= 0.6].max())
    case(V, 'RecallAtPrecision', {**options, 'precision': 0.55}, p_sure, yes, recall[:-1][precision[:-1] >= 0.55].max())
    case(V, 'SensitivityAtSpecificity', {**options, 'specificity': 0.7}, p_sure, yes, tpr[1 - fpr >= 0.7].max())
    case(V, 'SpecificityAtSensitivity', {**options, 'sensitivity': 0.7}, p_sure, yes, (1 - fpr)[tpr >= 0.7].max())
case(V, 'RocCurve', {'from': 'probabilities', 'exact': True}, p_sure, yes, [{'falsePositiveRate': fpr, 'truePositiveRate': tpr}])
for average in ['macro', 'weighted', 'none']:
    sk = to_sk.get(average, average)
    case(V, 'AUROC', {'from': 'logits', 'average': average, 'exact': True}, raw, labels, M.roc_auc_score(one_hot, p_classes, average=sk))
    case(V, 'AveragePrecision', {'from': 'logits', 'average': average, 'exact': True}, raw, labels, M.average_precision_score(one_hot, p_classes, average=sk))
    case(V, 'AUROC', {'from': 'probabilities', 'task': 'multilabel', 'average': average, 'exact': True}, p_many, many, M.roc_auc_score(many, p_many, average=sk))
# between the points (tp, predicted) = (0, 0), (1, 1), (2, 4) of the example: tp linear in predicted
from scipy.integrate import quad  # noqa: E402
interpolated = (1 + quad(lambda a: (1 + a / 3) / (1 + a) / 3, 0, 3)[0]) / 2
# published numbers: Mann-Whitney with ties, Keras' example with three thresholds, step and interpolated precision-recall
case(V, 'AUROC', {'from': 'probabilities', 'exact': True}, np.array([0, .5, .7, .8]), np.array([0, 1, 1, 0]), 0.5)
case(V, 'AUROC', {'from': 'probabilities', 'thresholds': 3}, np.array([0, .5, .3, .9]), np.array([0, 0, 1, 1]), 0.75)
case(V, 'AveragePrecision', {'from': 'probabilities', 'exact': True}, np.array([0, .5, .7, .8]), np.array([0, 1, 1, 0]), 0.583333333333)
case(V, 'AveragePrecision', {'from': 'probabilities', 'thresholds': 3, 'interpolation': 'davis-goadrich'}, np.array([0, .5, .3, .9]), np.array([0, 0, 1, 1]), interpolated)
five_p, five_y = np.array([.25, .25, .55, .75, .75]), np.array([0, 0, 1, 1, 1])
for norm, value in [('l1', 0.29), ('max', 0.316666666667), ('l2', math.sqrt(0.4 * 0.25 ** 2 + 0.6 * (1 - 2.05 / 3) ** 2))]:
    case(V, 'CalibrationError', {'from': 'probabilities', 'bins': 2, 'norm': norm}, five_p, five_y, value)


def calibration(confidence, right, bins, weights):
    total, value = weights.sum(), 0
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    for b in range(bins):
        inside = place == b
        if inside.any():
            w = weights[inside]
            value += w.sum() / total * abs((right[inside] * w).sum() / w.sum() - (confidence[inside] * w).sum() / w.sum())
    return value


case(V, 'CalibrationError', {'from': 'logits', 'bins': 10}, raw, labels, calibration(p_classes.max(1), (raw.argmax(1) == labels).astype(float), 10, weights), weights)
case(V, 'CalibrationError', {'from': 'logits', 'bins': 10, 'classwise': True}, raw, labels, np.mean([calibration(p_classes[:, c], one_hot[:, c], 10, np.ones(N)) for c in range(K)]))
x = fractions(N, low=-3, high=3)
for w in [None, weights]:
    case(V, 'LogLoss', {'from': 'probabilities'}, p_sure * 0.9 + 0.05, yes, M.log_loss(yes, p_sure * 0.9 + 0.05, sample_weight=w), w)
    case(V, 'LogLoss', {'from': 'logits'}, x, yes, M.log_loss(yes, sigmoid(x), sample_weight=w), w)
    case(V, 'LogLoss', {'from': 'logits'}, raw, labels, M.log_loss(labels, p_classes, sample_weight=w), w)
    case(V, 'BrierScore', {'from': 'probabilities'}, p_sure, yes, M.brier_score_loss(yes, p_sure, sample_weight=w), w)
    case(V, 'HingeLoss', {}, raw, labels, M.hinge_loss(labels, raw, sample_weight=w), w)
    case(V, 'HingeLoss', {'from': 'logits'}, x, yes, M.hinge_loss(yes, x, sample_weight=w), w)
case(V, 'BrierScore', {'from': 'logits'}, raw, labels, ((p_classes - one_hot) ** 2).sum(1).mean())
write('curves', V, 'scikit-learn 1.2.1, and published numbers')

# --- regression -----------------------------------------------------------------------------------------------------
from scipy import stats  # noqa: E402

R = []
t = fractions(N, low=0.5, high=4)
q = np.maximum(0.25, t + fractions(N, low=-0.5, high=0.75))
tied = np.round(t * 2) / 2
t2, q2 = fractions(N, 2, low=-1, high=3), fractions(N, 2, low=-1, high=3)
for w in [None, weights]:
    a = {'sample_weight': w}
    case(R, 'MeanSquaredError', {}, q, t, M.mean_squared_error(t, q, **a), w)
    case(R, 'RootMeanSquaredError', {}, q, t, M.mean_squared_error(t, q, squared=False, **a), w)
    case(R, 'MeanAbsoluteError', {}, q, t, M.mean_absolute_error(t, q, **a), w)
    case(R, 'MeanAbsolutePercentageError', {}, q, t, M.mean_absolute_percentage_error(t, q, **a), w)
    case(R, 'MeanSquaredLogarithmicError', {}, q, t, M.mean_squared_log_error(t, q, **a), w)
    case(R, 'SymmetricMeanAbsolutePercentageError', {}, q, t, np.average(2 * abs(q - t) / (abs(q) + abs(t)), weights=w), w)
    case(R, 'WeightedAbsolutePercentageError', {}, q, t, np.average(abs(q - t), weights=w) / np.average(abs(t), weights=w), w)
    case(R, 'LogCoshError', {}, q, t, np.average(np.log(np.cosh(q - t)), weights=w), w)
    for alpha in [0.1, 0.5]:
        case(R, 'QuantileError', {'quantile': alpha}, q, t, M.mean_pinball_loss(t, q, alpha=alpha, **a), w)
    for power in [-1, 0, 1, 1.5, 2, 3]:
        case(R, 'TweedieDeviance', {'power': power}, q, t, M.mean_tweedie_deviance(t, q, power=power, **a), w)
    case(R, 'R2Score', {}, q, t, M.r2_score(t, q, **a), w)
    case(R, 'R2Score', {}, q2, t2, M.r2_score(t2, q2, **a), w)
    case(R, 'ExplainedVariance', {}, q, t, M.explained_variance_score(t, q, **a), w)
    case(R, 'MeanSquaredError', {}, q2, t2, M.mean_squared_error(t2, q2, **a), w)
    case(R, 'RelativeSquaredError', {}, q, t, 1 - M.r2_score(t, q, **a), w)
case(R, 'R2Score', {'features': 3}, q, t, 1 - (1 - M.r2_score(t, q)) * (N - 1) / (N - 4))
# a large offset: float32 sums of squares would have no digit left
case(R, 'R2Score', {}, q + 4096, t + 4096, M.r2_score(t, q))
case(R, 'PearsonCorrelation', {}, q + 4096, t + 4096, stats.pearsonr(q, t)[0])
case(R, 'R2Score', {}, np.array([1.0, 2, 3, 4]), np.array([2.0, 2, 2, 2]), M.r2_score([2, 2, 2, 2], [1, 2, 3, 4]))
case(R, 'R2Score', {}, np.array([2.0, 2, 2, 2]), np.array([2.0, 2, 2, 2]), M.r2_score([2, 2, 2, 2], [2, 2, 2, 2]))
case(R, 'PearsonCorrelation', {}, q, t, stats.pearsonr(q, t)[0])
case(R, 'ConcordanceCorrelation', {}, q, t, 2 * np.cov(q, t, bias=True)[0, 1] / (q.var() + t.var() + (q.mean() - t.mean()) ** 2))
case(R, 'NormalizedRootMeanSquaredError', {}, q, t, M.mean_squared_error(t, q, squared=False) / t.mean())
case(R, 'NormalizedRootMeanSquaredError', {'by': 'standardDeviation'}, q, t, M.mean_squared_error(t, q, squared=False) / t.std())
case(R, 'SpearmanCorrelation', {}, q, tied, stats.spearmanr(q, tied)[0])
case(R, 'KendallCorrelation', {}, np.round(q * 4) / 4, tied, stats.kendalltau(np.round(q * 4) / 4, tied)[0])
case(R, 'KendallCorrelation', {}, q, t, stats.kendalltau(q, t)[0])
members = fractions(N, 5, low=0, high=4)
case(R, 'ContinuousRankedProbability', {}, members, t, np.mean([abs(m - v).mean() - abs(m[:, None] - m).mean() / 2 for m, v in zip(members, t)]))
case(R, 'CosineSimilarity', {}, q2, t2, np.mean((q2 * t2).sum(1) / np.linalg.norm(q2, axis=1) / np.linalg.norm(t2, axis=1)))
write('regression', R, 'scikit-learn 1.2.1, SciPy 1.10.1')

# --- text -----------------------------------------------------------------------------------------------------------
from nltk.metrics.distance import edit_distance  # noqa: E402
from nltk.translate import bleu_score, chrf_score  # noqa: E402

T = []
vocabulary = 'the a cat dog sat ran on under mat house , . red big 3.5 it'.split()


def sentence(low, high):
    return ' '.join(random.choice(vocabulary) for _ in range(random.randint(low, high)))


def noisy(text):
    parts = text.split()
    return ' '.join(random.choice(vocabulary) if random.rand() < 0.3 else part for part in parts if random.rand() > 0.1) or 'a'


def texts(metric, options, predictions, references, value):
    T.append({'metric': metric, 'options': options, 'predictions': predictions, 'references': references, 'value': plain(value)})


references = [[sentence(5, 12)] for _ in range(12)]
found = [noisy(r[0]) for r in references]
two = [[r[0], noisy(r[0])] for r in references]
split = lambda list_of: [[text.split() for text in texts_] for texts_ in list_of]  # noqa: E731
for refs in [references, two]:
    for smoothing, method in [('none', 'method0'), ('addOne', 'method2'), ('exp', 'method3')]:
        function = getattr(bleu_score.SmoothingFunction(), method)
        value = bleu_score.corpus_bleu(split(refs), [f.split() for f in found], smoothing_function=function)
        texts('BLEU', {'smoothing': smoothing, 'tokenize': 'words'}, found, refs, value)
# orders without a hit
texts('BLEU', {'smoothing': 'exp', 'tokenize': 'words'}, ['the cat ran under it'], [['the cat sat on it']],
      bleu_score.corpus_bleu([[['the', 'cat', 'sat', 'on', 'it']]], ['the cat ran under it'.split()], smoothing_function=bleu_score.SmoothingFunction().method3))
# punctuation is split off by 13a
texts('BLEU', {'smoothing': 'none'}, ['Hello, big world: it costs 3.5 and ends.'], [['Hello, big world: it costs 3.5 or ends.']],
      bleu_score.corpus_bleu([['Hello , big world : it costs 3.5 or ends .'.split()]], ['Hello , big world : it costs 3.5 and ends .'.split()]))
for f, r in zip(found[:4], references[:4]):
    for beta in [2.0, 3.0]:
        texts('ChrF', {'beta': beta}, [f], [r[0]], chrf_score.sentence_chrf(r[0], f, beta=beta))
total = sum(edit_distance(f.split(), r[0].split()) for f, r in zip(found, references))
texts('WordErrorRate', {}, found, [r[0] for r in references], total / sum(len(r[0].split()) for r in references))
total = sum(edit_distance(f, r[0]) for f, r in zip(found, references))
texts('CharacterErrorRate', {}, found, [r[0] for r in references], total / sum(len(r[0]) for r in references))
texts('EditDistance', {}, found, [r[0] for r in references], total / len(found))
texts('ROUGE', {}, ['My name is John'], ['Is your name John'], {'rouge1': 0.75, 'rouge2': 0, 'rougeL': 0.5, 'rougeLsum': 0.5})
with open(os.path.join(ROOT, 'packages/metrics/fixtures/text.json'), 'w') as file:
    file.write('{"source":"NLTK 3.8, and published numbers","cases":[\n%s\n]}\n' % ',\n'.join(json.dumps(item) for item in T))
print(f'text: {len(T)} cases')

# --- rankings and signals -------------------------------------------------------------------------------------------
from scipy import linalg, ndimage  # noqa: E402

S = []
queries = np.repeat(np.arange(6), 7)
relevance = random.randint(0, 4, 42) * (random.rand(42) < 0.5)
relevance[:7] = 0  # a query without a relevant document
ranking = random.permutation(42) / 64.0
groups = [(ranking[queries == g], relevance[queries == g]) for g in range(6)]


def ranked(metric, options, judge, skip=False):
    values = [judge(s, r) if (r > 0).any() else 0 for s, r in groups if (r > 0).any() or not skip]
    S.append({'metric': metric, 'options': options, 'arguments': [pack(ranking), pack(relevance), pack(queries)], 'value': plain(np.mean(values))})


order = lambda s, r: r[np.argsort(-s)]  # noqa: E731
ranked('NDCG', {}, lambda s, r: M.ndcg_score([r], [s]))
ranked('NDCG', {'k': 3}, lambda s, r: M.ndcg_score([r], [s], k=3))
ranked('NDCG', {'gain': 'exponential'}, lambda s, r: M.ndcg_score([2.0 ** r - 1], [s]))
ranked('MeanAveragePrecision', {}, lambda s, r: M.average_precision_score(r > 0, s))
ranked('MeanAveragePrecision', {'withoutRelevant': 'skip'}, lambda s, r: M.average_precision_score(r > 0, s), skip=True)
ranked('MeanReciprocalRank', {}, lambda s, r: M.label_ranking_average_precision_score([(order(s, r) > 0) & (np.cumsum(order(s, r) > 0) == 1)], [np.arange(7, 0, -1)]))
ranked('HitRate', {'k': 2}, lambda s, r: (order(s, r)[:2] > 0).any())
ranked('PrecisionAtK', {'k': 3}, lambda s, r: (order(s, r)[:3] > 0).mean())
ranked('RecallAtK', {'k': 3}, lambda s, r: (order(s, r)[:3] > 0).sum() / (r > 0).sum())
ranked('RPrecision', {}, lambda s, r: (order(s, r)[:(r > 0).sum()] > 0).mean())


def signals(metric, options, a, b, value):
    S.append({'metric': metric, 'options': options, 'arguments': [pack(a), pack(b)], 'value': plain(value)})


images = fractions(3, 2, 20, 16)
noisy_images = np.clip(images + fractions(3, 2, 20, 16, low=-0.25, high=0.25), 0, 1)


def ssim_maps(a, b, range_):
    # SciPy's own Gaussian, cut at 5: 11 wide; only windows inside of the image
    blur = lambda x: ndimage.gaussian_filter(x, 1.5, truncate=5 / 1.5)[5:-5, 5:-5]  # noqa: E731
    x, y = blur(a), blur(b)
    xx, yy, xy = blur(a * a) - x * x, blur(b * b) - y * y, blur(a * b) - x * y
    c1, c2 = (0.01 * range_) ** 2, (0.03 * range_) ** 2
    structure = (2 * xy + c2) / (xx + yy + c2)
    return structure * (2 * x * y + c1) / (x * x + y * y + c1), structure


for range_ in [1, 255]:
    a, b = images * range_, noisy_images * range_
    signals('StructuralSimilarity', {'range': range_}, a, b, np.mean([ssim_maps(p, q, range_)[0].mean() for i, j in zip(a, b) for p, q in zip(i, j)]))
    signals('PeakSignalToNoise', {'range': range_}, a, b, 10 * np.log10(range_ ** 2 / ((a - b) ** 2).mean()))
# large images by a formula, which the test has too: waves, and the same with a pattern of noise
rows, columns = np.mgrid[0:180, 0:180]
large = np.floor(128 + 100 * np.sin(rows / 9) * np.cos(columns / 7) + 0.5)
large_noisy = large + (rows * 7919 + columns * 104729) % 23 - 11


def multi_scale(a, b, range_):
    value = 1
    for k, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        whole, structure = ssim_maps(a, b, range_)
        value *= (whole if k == 4 else structure).mean() ** weight
        halve = lambda x: x[:x.shape[0] // 2 * 2, :x.shape[1] // 2 * 2].reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).mean((1, 3))  # noqa: E731
        a, b = halve(a), halve(b)
    return value


S.append({'metric': 'MultiScaleSimilarity', 'options': {'range': 255}, 'arguments': [{'waves': 180, 'noise': 0}, {'waves': 180, 'noise': 1}], 'value': plain(multi_scale(large, large_noisy, 255))})
wave = fractions(3, 64, low=-1, high=1)
wave_noisy = wave * 1.5 + fractions(3, 64, low=-0.25, high=0.25) + 0.125
db = lambda s, n: 10 * np.log10((s ** 2).sum(-1) / (n ** 2).sum(-1))  # noqa: E731


def si_sdr(p, t):
    s = t * ((p * t).sum(-1, keepdims=True) / (t * t).sum(-1, keepdims=True))
    return db(s, p - s)


si_snr = lambda p, t: si_sdr(p - p.mean(-1, keepdims=True), t - t.mean(-1, keepdims=True))  # noqa: E731
signals('SignalToNoise', {}, wave_noisy, wave, db(wave, wave - wave_noisy).mean())
signals('ScaleInvariantSignalToDistortion', {}, wave_noisy, wave, si_sdr(wave_noisy, wave).mean())
signals('ScaleInvariantSignalToNoise', {}, wave_noisy, wave, si_snr(wave_noisy, wave).mean())
sources = np.stack([wave, wave[::-1] * 0.5])
order3 = [2, 0, 1]
guess = sources[:, order3] + fractions(2, 3, 64, low=-0.125, high=0.125)
import itertools  # noqa: E402

signals('PermutationInvariantSiSnr', {}, guess, sources, np.mean([max(np.mean([si_snr(g[i], s[j]) for i, j in enumerate(p)]) for p in itertools.permutations(range(3))) for g, s in zip(guess, sources)]))


def sdr(p, t, length):
    c = lambda a, b, lag: (a[:len(a) - lag] * b[lag:]).sum()  # noqa: E731
    b = np.array([c(t, p, lag) for lag in range(length)])
    x = linalg.solve_toeplitz([c(t, t, lag) for lag in range(length)], b)
    share = (b * x).sum() / (p * p).sum()
    return 10 * np.log10(share / (1 - share))


signals('SignalToDistortion', {'filter': 8}, wave_noisy[0], wave[0], sdr(wave_noisy[0], wave[0], 8))
with open(os.path.join(ROOT, 'packages/metrics/fixtures/signals.json'), 'w') as file:
    file.write('{"source":"scikit-learn 1.2.1, SciPy 1.10.1 and the formulas in NumPy","cases":[\n%s\n]}\n' % ',\n'.join(json.dumps(item, separators=(',', ':')) for item in S))
print(f'signals: {len(S)} cases')
