/** Products of bytes, as long as all other products together: fetched when a program has one. */
export { emitByteProduct } from './bytes/product.ts';
