"""Folds by scikit-learn's splitters, for @nn/data. Run: python3 scripts/golden/folds.py (needs scikit-learn 1.2).

Writes packages/data/fixtures/folds.json: indices of the test parts without shuffling (KFold, StratifiedKFold,
StratifiedGroupKFold), sizes (GroupKFold: which of equal groups goes first is chance), and both parts (TimeSeriesSplit).
"""

import json
import os
import warnings

import numpy as np
from sklearn import model_selection as M

warnings.filterwarnings('ignore')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
random = np.random.RandomState(3)


def folds():
    for size, count in [(10, 2), (11, 3), (23, 5), (60, 7)]:
        classes = random.choice([2, 0, 1], size=size, p=[0.5, 0.3, 0.2])
        groups = random.randint(0, max(count + 2, size // 4), size=size)
        for name in ['KFold', 'StratifiedKFold', 'StratifiedGroupKFold']:
            splitter = getattr(M, name)(n_splits=count)
            tests = [test.tolist() for _, test in splitter.split(classes, classes, groups)]
            yield {'splitter': name, 'folds': count, 'classes': classes.tolist(), 'groups': groups.tolist(), 'tests': tests}


def groups():
    for size, count in [(20, 3), (50, 4), (90, 6)]:
        chosen = (random.rand(size) ** 2 * size / 4).astype(int)
        tests = [test for _, test in M.GroupKFold(n_splits=count).split(chosen, groups=chosen)]
        yield {'folds': count, 'classes': [0] * size, 'groups': chosen.tolist(),
               'sizes': sorted((len(test) for test in tests), reverse=True)}


def series():
    for size, options in [(6, {'folds': 5}), (17, {'folds': 3}), (30, {'folds': 4, 'testSize': 3}),
                          (30, {'folds': 3, 'gap': 4}), (31, {'folds': 4, 'testSize': 4, 'gap': 2, 'maxTrainSize': 7})]:
        splitter = M.TimeSeriesSplit(options['folds'], test_size=options.get('testSize'), gap=options.get('gap', 0),
                                     max_train_size=options.get('maxTrainSize'))
        yield {'size': size, 'options': options,
               'parts': [[train.tolist(), test.tolist()] for train, test in splitter.split(np.zeros(size))]}


def lines(items):
    return ',\n'.join(json.dumps(item, separators=(',', ':')) for item in items)


with open(os.path.join(ROOT, 'packages/data/fixtures/folds.json'), 'w') as file:
    file.write('{"source":"scikit-learn 1.2, scripts/golden/folds.py","folds":[\n%s\n],"groups":[\n%s\n],"series":[\n%s\n]}\n'
               % (lines(folds()), lines(groups()), lines(series())))
