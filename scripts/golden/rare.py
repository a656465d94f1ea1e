"""What other methods reach on the mammography data: the baselines that `npm start -- --task rare` prints beside its own.

Run: python3 scripts/golden/rare.py ../shared/data/tabular/mammography.csv.gz (needs scikit-learn). Prints, writes nothing: the
numbers stand in apps/demo/src/tasks/rare.ts. Each is the mean over ten stratified splits, 30 % of the rows to test.
"""

import sys

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

table = np.genfromtxt(sys.argv[1], delimiter=',', skip_header=1)
X, y = table[:, :-1], table[:, -1].astype(int)
print(len(y), 'rows,', y.sum(), 'positive')
for name, make in [
    ('logistic regression', lambda seed: LogisticRegression(max_iter=1000)),
    ('logistic regression, balanced', lambda seed: LogisticRegression(max_iter=1000, class_weight='balanced')),
    ('random forest', lambda seed: RandomForestClassifier(300, random_state=seed)),
]:
    found = []
    for seed in range(10):
        train, test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=seed)
        scaler = StandardScaler().fit(X[train])
        model = make(seed).fit(scaler.transform(X[train]), y[train])
        found.append(average_precision_score(y[test], model.predict_proba(scaler.transform(X[test]))[:, 1]))
    print(f'{name:32} PR-AUC {np.mean(found):.3f}, {np.min(found):.3f} to {np.max(found):.3f}')
