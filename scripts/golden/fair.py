"""What a linear model reaches on adult income: the baseline that `npm start -- --task fair` prints beside its own.

Run: python3 scripts/golden/fair.py ../shared/data/tabular/adult.csv.gz (needs scikit-learn). Prints, writes nothing: the numbers
stand in apps/demo/src/tasks/fair.ts. Means over ten stratified splits, 30 % of the rows to test. Parity: the largest less the
smallest rate of 1 among groups; odds: the larger of the gaps in true and in false positive rates.
"""

import csv
import gzip
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

NUMBERS = ['age', 'education_years', 'capital_gain', 'capital_loss', 'hours_per_week']
KINDS = ['workclass', 'marital_status', 'occupation', 'sex', 'race']
with gzip.open(sys.argv[1], 'rt') as file:
    rows = list(csv.DictReader(file))
y = np.array([row['income'] == '>50K' for row in rows]).astype(int)
numbers = np.array([[float(row[name]) for name in NUMBERS] for row in rows])


def columns(name):
    values = np.array([row[name] for row in rows])
    return np.stack([values == kind for kind in np.unique(values)], 1)


X = np.hstack([numbers] + [columns(name) for name in KINDS]).astype(float)
sex = np.array([row['sex'] for row in rows])
race = np.array([row['race'] if row['race'] in ('White', 'Black') else 'other' for row in rows])


def spread(values):
    return max(values) - min(values)


def gaps(targets, predictions, groups):
    parts = [groups == name for name in np.unique(groups)]
    rates = {t: [predictions[part & (targets == t)].mean() for part in parts] for t in (0, 1)}
    return spread([predictions[part].mean() for part in parts]), max(spread(rates[0]), spread(rates[1]))


print(len(y), 'rows,', f'{y.mean():.3f} above, men {y[sex == "Male"].mean():.4f}, women {y[sex == "Female"].mean():.4f}')
found = []
for seed in range(10):
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(X[train])
    model = LogisticRegression(solver='newton-cholesky').fit(scaler.transform(X[train]), y[train])
    said = model.predict(scaler.transform(X[test]))
    found.append([np.mean(said == y[test]), *gaps(y[test], said, sex[test]), *gaps(y[test], said, race[test])])
for name, column in zip(['accuracy', 'parity by sex', 'odds by sex', 'parity by race', 'odds by race'], np.array(found).T):
    print(f'{name:16} {column.mean():.3f}, {column.min():.3f} to {column.max():.3f}')
