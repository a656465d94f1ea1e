/** The functions of tensors against PyTorch: values, gradients, second gradients, and in float32 the unusual numbers. */
import { setDefaultBackend } from '@nn/core';
import fourier from '../fixtures/fourier.json' with { type: 'json' };
import linalg from '../fixtures/linalg.json' with { type: 'json' };
import picture from '../fixtures/vocabulary-picture.json' with { type: 'json' };
import product from '../fixtures/vocabulary-product.json' with { type: 'json' };
import scalar from '../fixtures/vocabulary-scalar.json' with { type: 'json' };
import shape from '../fixtures/vocabulary-shape.json' with { type: 'json' };
import special from '../fixtures/vocabulary-special.json' with { type: 'json' };
import { backend, testGolden, testSpecial } from './golden-tests.ts';

// what has no elements has no device of its own
setDefaultBackend(backend);

for (const [name, file] of Object.entries({ scalar, shape, picture, product, linalg, fourier })) {
  testGolden(`${name} functions are as in PyTorch`, file);
}
testSpecial('unusual numbers are as in PyTorch', special);
