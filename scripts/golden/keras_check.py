"""Has Keras itself read what this project wrote for it, and compares what it computes.

  NN_KERAS_FILES=/tmp/files npx vitest run --project node packages/keras/src/save.node.test.ts packages/keras/src/from-layers.node.test.ts
  KERAS_BACKEND=jax python3 scripts/golden/keras_check.py /tmp/files       (a Python with Keras 3 and JAX)
"""

import glob
import json
import os
import sys

os.environ.setdefault('KERAS_BACKEND', 'jax')

import keras
import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
folder = sys.argv[1]
with open(os.path.join(ROOT, 'packages/keras/fixtures/written.json')) as file:
    cases = [(str(k), case) for k, case in enumerate(json.load(file)['cases'])]
for path in glob.glob(os.path.join(folder, 'net-*.json')):
    with open(path) as file:
        case = json.load(file)
    cases.append((os.path.basename(path)[:-5], {'name': path, 'inputs': [case['input']], 'outputs': [case['output']]}))

good, bad = 0, 0
for stem, case in cases:
    for ending in ('keras', 'h5'):
        try:
            model = keras.saving.load_model(os.path.join(folder, '%s.%s' % (stem, ending)), compile=False)
            xs = [np.array(x['data']).reshape(x['shape']).astype('int32' if 'int' in str(t.dtype) else 'float32') for x, t in zip(case['inputs'], model.inputs)]
            ys = model(xs if len(xs) > 1 else xs[0], training=False)
            ys = ys if isinstance(ys, (list, tuple)) else [ys]
            assert [list(y.shape) for y in ys] == [y['shape'] for y in case['outputs']], 'other shapes'
            error = max(float(np.abs(np.asarray(y) - np.array(o['data']).reshape(o['shape'])).max()) for y, o in zip(ys, case['outputs']))
            assert error < 1e-5, 'differs by %g' % error
            good += 1
        except Exception as error:
            bad += 1
            print(case['name'], ending, type(error).__name__, str(error)[-300:].replace('\n', ' '))
print('Keras', keras.__version__, 'reads', good, 'files, not', bad)
sys.exit(bad > 0)
