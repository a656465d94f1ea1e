/** The functions of tensors against PyTorch: values, gradients, second gradients, and in float32 the unusual numbers. */
import picture from '../fixtures/vocabulary-picture.json' with { type: 'json' };
import product from '../fixtures/vocabulary-product.json' with { type: 'json' };
import scalar from '../fixtures/vocabulary-scalar.json' with { type: 'json' };
import shape from '../fixtures/vocabulary-shape.json' with { type: 'json' };
import special from '../fixtures/vocabulary-special.json' with { type: 'json' };
import { testGolden, testSpecial } from './golden-tests.ts';

for (const [name, file] of Object.entries({ scalar, shape, picture, product })) {
  testGolden(`${name} functions are as in PyTorch`, file);
}
testSpecial('unusual numbers are as in PyTorch', special);
