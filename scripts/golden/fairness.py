"""Gaps between groups, weights and mixed thresholds, for packages/fairness: NumPy for definitions, SciPy's linear programmes for optima.

Run: python3 scripts/golden/fairness.py
"""
import json
import pathlib

import numpy as np
from scipy.optimize import linprog
from sklearn.neighbors import NearestNeighbors

random = np.random.default_rng(11)
where = pathlib.Path(__file__).parents[2] / "packages/fairness/fixtures/golden.json"
size = 150
group = random.integers(0, 3, size)
target = (random.random(size) < np.array([0.3, 0.5, 0.7])[group]).astype(int)
score = np.round(1 / (1 + np.exp(-(2 * target - 1 + random.normal(0, 1.3, size) + 0.4 * (group - 1)))), 3)
prediction = (score > 0.5).astype(int)
weight = random.integers(1, 5, size)
features = np.round(np.column_stack([random.normal(group, 1), random.normal(0, 1, size), random.random(size)]), 3)


def rate(mask, weights):
    return (weights * prediction * mask).sum() / (weights * mask).sum()


def gaps(weights):
    def over(condition):
        rates = [rate((group == g) & condition, weights) for g in range(3)]
        return max(rates) - min(rates), min(rates) / max(rates)

    parity, hit, alarm = over(np.ones(size, bool)), over(target == 1), over(target == 0)
    return {
        "demographicParity": parity,
        "equalOpportunity": hit,
        "equalizedOdds": [max(hit[0], alarm[0]), min(hit[1], alarm[1])],
        "mean": [(hit[0] + alarm[0]) / 2, (hit[1] + alarm[1]) / 2],
    }


def single():
    def of(mask, y=None):
        keep = mask if y is None else mask & (target == y)
        return prediction[keep].mean()

    last, rest = group == 2, group != 2
    benefit = prediction - target + 1
    share = benefit / benefit.mean()
    theil = np.mean([s * np.log(s) if s > 0 else 0 for s in share])
    near = NearestNeighbors(n_neighbors=5).fit(features).kneighbors(features, return_distance=False)
    return {
        "disparateImpact": of(rest) / of(last),
        "averageOdds": ((of(rest, 0) - of(last, 0)) + (of(rest, 1) - of(last, 1))) / 2,
        "theil": theil,
        "consistency": 1 - np.abs(prediction - prediction[near].mean(axis=1)).mean(),
    }


def optimum(constraint):
    """The best mix of thresholds: a weight for each threshold of each group, rates equal, accuracy as high as it gets."""
    columns, cost = [], []
    for g in range(3):
        s, y = score[group == g], target[group == g]
        for t in [np.inf, *np.unique(s), -np.inf]:
            decided = s >= t
            cost.append(-((decided == y).sum()) / size)
            columns.append((g, decided.mean(), decided[y == 1].mean(), decided[y == 0].mean()))
    if constraint == "equalizedOdds":  # coins lie within the hull of "none" and "all" already
        equal = [2, 3]
    else:
        equal = [1] if constraint == "demographicParity" else [2]
    rows, right = [], []
    for g in range(3):
        rows.append([float(c[0] == g) for c in columns])
        right.append(1)
    for which in equal:
        for g in (1, 2):
            rows.append([c[which] * (float(c[0] == g) - float(c[0] == 0)) for c in columns])
            right.append(0)
    found = linprog(cost, A_eq=rows, b_eq=right, bounds=(0, 1), method="highs")
    assert found.status == 0
    return -found.fun


marks = np.column_stack([(group == 1).astype(float), (group == 2).astype(float)])
centred = marks - marks.mean(axis=0)
removed = features - centred @ np.linalg.lstsq(centred, features, rcond=None)[0]
counts = {(g, y): ((group == g) & (target == y)).mean() for g in range(3) for y in range(2)}
weights = [(group == g).mean() * (target == y).mean() / counts[g, y] for g, y in zip(group, target)]

json.dump(
    {
        "source": "scripts/golden/fairness.py",
        "group": group.tolist(),
        "target": target.tolist(),
        "score": score.tolist(),
        "prediction": prediction.tolist(),
        "weight": weight.tolist(),
        "features": features.tolist(),
        "plain": gaps(np.ones(size)),
        "weighted": gaps(weight),
        **single(),
        "reweighed": weights,
        "removed": removed.tolist(),
        "optima": {name: optimum(name) for name in ("demographicParity", "equalOpportunity", "equalizedOdds")},
    },
    where.open("w"),
)
