/** Products of bytes in a page, packed and not, plain and with relaxed dot products, which browsers have and Node 20 lacks. */
import { expect, it } from 'vitest';
import { features } from './code/features.ts';
import './kernels/bytes/product.test.ts';

it('products of bytes are tried with relaxed dot products here', () => {
  expect(features().relaxed).toBe(true);
});
