"""Resampling by imbalanced-learn, for @nn/data. Run: python3 scripts/golden/resampling.py (needs imbalanced-learn 0.10).

Writes packages/data/fixtures/resampling.json. Each case holds inputs and targets; for those that add: the numbers of
each class in the end, the nearest samples of its class for each one that grows, which are in danger, how many start from
each (ADASYN), the nearest of other classes of those in danger (by scikit-learn: imbalanced-learn's variant 2 of Borderline-SMOTE
takes any, with the numbers of neighbours in the own class); for those that remove: the rows that stay. What is drawn cannot be equal, so it is checked as a property.
SMOTE-NC's neighbours are taken by the paper's distance: two categories that differ are the median deviation apart.
"""

import json
import os
import warnings
from collections import Counter

import numpy as np
from imblearn import over_sampling as O
from imblearn import under_sampling as U
from sklearn.neighbors import NearestNeighbors

warnings.filterwarnings('ignore')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
random = np.random.RandomState(11)


def points(sizes, width, spread):
    inputs, targets = [], []
    for kind, size in enumerate(sizes):
        inputs.append(np.round((random.randn(size, width) + spread * kind) * 4096) / 4096)
        targets += [kind] * size
    order = random.permutation(len(targets))
    return np.concatenate(inputs)[order], np.array(targets)[order]


def counts(y):
    return {str(kind): count for kind, count in sorted(Counter(y.tolist()).items())}


def near(X, among, k):
    """The k nearest of `among` for each of them, as indices of X."""
    found = NearestNeighbors(n_neighbors=k + 1).fit(X[among]).kneighbors(X[among], return_distance=False)[:, 1:]
    return {str(row): among[line].tolist() for row, line in zip(among, found)}


def strangers(X, y, row, k):
    found = NearestNeighbors(n_neighbors=k + 1).fit(X).kneighbors(X[[row]], return_distance=False)[0, 1:]
    return int(np.sum(y[found] != y[row]))


def growing(X, y):
    largest = max(Counter(y.tolist()).values())
    return [kind for kind, size in sorted(Counter(y.tolist()).items()) if size < largest]


def case(sizes, width, spread):
    X, y = points(sizes, width, spread)
    result = {'inputs': X.tolist(), 'targets': y.tolist(), 'near': {}, 'danger': {}, 'away': {}, 'starts': {}}
    for kind in growing(X, y):
        members = np.flatnonzero(y == kind)
        result['near'].update(near(X, members, 5))
        borderline = O.BorderlineSMOTE()
        borderline._validate_estimator()
        borderline.nn_m_.fit(X)
        danger = borderline._in_danger_noise(borderline.nn_m_, X[members], kind, y, kind='danger')
        result['danger'][str(kind)] = members[np.flatnonzero(danger) if danger.dtype == bool else danger].tolist()
        others = np.flatnonzero(y != kind)
        rows = result['danger'][str(kind)]
        found = NearestNeighbors(n_neighbors=5).fit(X[others]).kneighbors(X[rows], return_distance=False)
        result['away'].update({str(row): others[line].tolist() for row, line in zip(rows, found)})
        ratio = np.array([strangers(X, y, row, 5) / 5 for row in members])
        starts = np.rint(ratio / ratio.sum() * (max(Counter(y.tolist()).values()) - len(members))).astype(int)
        result['starts'].update({str(row): int(times) for row, times in zip(members, starts)})
    result['counts'] = {
        'over': counts(O.RandomOverSampler(random_state=1).fit_resample(X, y)[1]),
        'under': counts(U.RandomUnderSampler(random_state=1).fit_resample(X, y)[1]),
        'smote': counts(O.SMOTE(random_state=1).fit_resample(X, y)[1]),
        'borderline': counts(O.BorderlineSMOTE(random_state=1).fit_resample(X, y)[1]),
        'borderlineTwo': counts(O.BorderlineSMOTE(kind='borderline-2', random_state=1).fit_resample(X, y)[1]),
        'adasyn': counts(O.ADASYN(random_state=1).fit_resample(X, y)[1]),
    }
    if len(sizes) == 2:
        result['counts']['overHalf'] = counts(O.RandomOverSampler(sampling_strategy=0.5).fit_resample(X, y)[1])
        half = {'sampling_strategy': 0.5, 'random_state': 1}
        result['counts']['smoteHalf'] = counts(O.SMOTE(**half).fit_resample(X, y)[1])
        result['counts']['borderlineHalf'] = counts(O.BorderlineSMOTE(**half).fit_resample(X, y)[1])
        result['counts']['adasynHalf'] = counts(O.ADASYN(**half).fit_resample(X, y)[1])
        result['counts']['underHalf'] = counts(U.RandomUnderSampler(sampling_strategy=0.5).fit_resample(X, y)[1])
    kept = {
        'tomek': U.TomekLinks(), 'tomekAll': U.TomekLinks(sampling_strategy='all'),
        'edited': U.EditedNearestNeighbours(), 'editedMost': U.EditedNearestNeighbours(kind_sel='mode'),
        'editedAll': U.EditedNearestNeighbours(sampling_strategy='all', n_neighbors=5),
    }
    result['kept'] = {}
    for name, sampler in kept.items():
        sampler.fit_resample(X, y)
        result['kept'][name] = np.sort(sampler.sample_indices_).tolist()
    return result


def categories():
    X, y = points([40, 12], 4, 1.0)
    X[:, 1] = random.randint(0, 3, size=len(X))
    X[:, 3] = random.randint(0, 2, size=len(X))
    members = np.flatnonzero(y == 1)
    numbers = X[members][:, [0, 2]]
    median = np.median(numbers.std(axis=0))
    wide = [numbers] + [(X[members][:, [i]] == code) * median / np.sqrt(2) for i in (1, 3) for code in range(3)]
    found = NearestNeighbors(n_neighbors=6).fit(np.hstack(wide)).kneighbors(np.hstack(wide), return_distance=False)[:, 1:]
    made = O.SMOTENC(categorical_features=[1, 3], random_state=1).fit_resample(X, y)[1]
    return {'inputs': X.tolist(), 'targets': y.tolist(), 'counts': counts(made),
            'near': {str(row): members[line].tolist() for row, line in zip(members, found)}}


cases = [case([60, 14], 2, 1.2), case([50, 30, 9], 3, 1.0), case([35, 35, 12], 2, 1.5)]
with open(os.path.join(ROOT, 'packages/data/fixtures/resampling.json'), 'w') as file:
    lines = ',\n'.join(json.dumps(item, separators=(',', ':')) for item in cases)
    file.write('{"source":"imbalanced-learn 0.10, scripts/golden/resampling.py","cases":[\n%s\n],\n"categories":%s}\n'
               % (lines, json.dumps(categories(), separators=(',', ':'))))
