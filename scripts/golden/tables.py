"""Columns as numbers by scikit-learn, for @nn/data. Run: python3 scripts/golden/tables.py (needs scikit-learn 1.2).

Writes packages/data/fixtures/tables.json: a column with gaps as scaled by each scaler after each imputer, with and without
an indicator; ordinal codes with an unknown category; means of a target by category by the formula, with NumPy.
"""

import json
import os

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OrdinalEncoder, RobustScaler, StandardScaler

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
random = np.random.RandomState(5)
numbers = np.round(random.randn(31) * 8) / 4
numbers[random.choice(31, 6, replace=False)] = np.nan
kinds = random.choice(['low', 'middle', 'high'], 31)
target = np.round(random.rand(31) * 64) / 64
scalers = {'none': None, 'standard': StandardScaler(), 'minMax': MinMaxScaler(), 'robust': RobustScaler(), 'maxAbs': MaxAbsScaler()}
imputers = {'mean': 'mean', 'median': 'median', 'mostFrequent': 'most_frequent'}

columns = []
for fill, strategy in imputers.items():
    for scale, scaler in scalers.items():
        # Scales are found from the values that are there; what is filled in is scaled like them.
        values = SimpleImputer(strategy=strategy, add_indicator=True).fit_transform(numbers[:, None])
        if scaler is not None:
            scaler.fit(numbers[~np.isnan(numbers)][:, None])
            values[:, :1] = scaler.transform(values[:, :1])
        columns.append({'fill': fill, 'scale': scale, 'values': values.reshape(-1).tolist()})

order = ['low', 'middle', 'high']
encoder = OrdinalEncoder(categories=[order], handle_unknown='use_encoded_value', unknown_value=-1).fit(kinds[:, None])
codes = encoder.transform(np.append(kinds, 'none')[:, None]).reshape(-1).tolist()
means = {str(m): {kind: (target[kinds == kind].sum() + m * target.mean()) / ((kinds == kind).sum() + m) for kind in order}
         for m in (0, 10)}
with open(os.path.join(ROOT, 'packages/data/fixtures/tables.json'), 'w') as file:
    json.dump({'source': 'scikit-learn 1.2, scripts/golden/tables.py', 'numbers': [None if np.isnan(v) else v for v in numbers],
               'kinds': kinds.tolist(), 'target': target.tolist(), 'columns': columns, 'order': order, 'codes': codes,
               'means': means}, file, separators=(',', ':'))
    file.write('\n')
