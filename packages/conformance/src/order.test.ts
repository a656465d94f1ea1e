/** Indexing, order and statistics against PyTorch: values, gradients and second gradients. */
import count from '../fixtures/order-count.json' with { type: 'json' };
import index from '../fixtures/order-index.json' with { type: 'json' };
import order from '../fixtures/order-order.json' with { type: 'json' };
import { testGolden } from './golden-tests.ts';

testGolden('indexing and assignment are as in PyTorch', index);
testGolden('running and sorted values are as in PyTorch', order);
testGolden('counts, and results whose size depends on values, are as in PyTorch', count);
