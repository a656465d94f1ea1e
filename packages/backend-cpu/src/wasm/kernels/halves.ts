/**
 * Half floats as operands of products: the functions that pack them, and take dot products with them, widen while they read, so no
 * float32 copy is made. They are functions of a program's own module; those of float32 are the library's.
 */
import { type FunctionBuilder, type FunctionReference, words } from '../code/assembler.ts';
import { conversions, type HalfDType } from '../code/halves.ts';
import { i32, v128 } from '../code/instructions.ts';
import { FunctionScope, type ModuleContext } from '../code/module-context.ts';
import { dotProducts } from './dots.ts';
import { type Elements, packColumns, packRows } from './gemm.ts';

/** What a product reads. */
export type FactorDType = 'float32' | HalfDType;

type Reader = 'packRows' | 'packColumns' | 'dots' | 'dotPairs';
const parameters: Readonly<Record<Reader, number>> = { packRows: 6, packColumns: 6, dots: 10, dotPairs: 10 };

/** The function of the library of that name, for elements of that dtype. */
export function readerOf(context: ModuleContext, name: Reader, dtype: FactorDType): FunctionReference {
  const types = words(parameters[name]);
  if (dtype === 'float32') return context.library(name, types, []);
  return context.helper(`${name}-${dtype}`, types, [], (builder) => {
    const elements = halfElements(context, builder, dtype);
    if (name === 'packRows') packRows(builder, context.target.tileRows, elements);
    else if (name === 'packColumns') packColumns(builder, elements);
    else dotProducts(builder, name, context.target.fused, elements);
  });
}

function halfElements(context: ModuleContext, builder: FunctionBuilder, dtype: HalfDType): Elements {
  const { decodeHalf, decodeLanes } = conversions();
  const scope = new FunctionScope(context, builder);
  // its constants come before all loops
  builder.emit(scope.prologue);
  return {
    bytes: 2,
    one: (address) => decodeHalf(context, dtype, i32.load16U(address)),
    four: (body, address, offset) => decodeLanes(scope.into(body), dtype, v128.load16x4U(address, offset)),
  };
}
