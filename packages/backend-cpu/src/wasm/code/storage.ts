/**
 * float16 and bfloat16 as numbers of 16 bits: the conversions that loads and stores of those buffers need.
 * Rounding is to nearest, ties to even; NaN stays NaN. Arithmetic always happens in float32. A page fetches this file when it needs
 * it (see `halves.ts`), and hands it the instructions: what a fetched file imports is cut out of the file that the page has.
 */
import type { F32, I32, V128 } from './assembler.ts';
import type * as instructions from './instructions.ts';
import type { keep, Scope } from './math.ts';
import type { ModuleContext } from './module-context.ts';

/** The dtypes of 16 bits. */
export type HalfDType = 'float16' | 'bfloat16';

/** What conversions are written with. */
export type Writing = Pick<
  typeof instructions,
  'call' | 'f32' | 'f32x4' | 'i16x8' | 'i32' | 'i32x4' | 'select' | 'v128'
> & { readonly keep: typeof keep };

export interface Conversions {
  /** The float32 value of 16 bits. */
  decodeHalf(context: ModuleContext, dtype: HalfDType, bits: I32): F32;
  /** The 16 bits of a float32 value. */
  encodeHalf(context: ModuleContext, dtype: HalfDType, value: F32): I32;
  /** The float32 values of lanes of 16 bits each. */
  decodeLanes(scope: Scope, dtype: HalfDType, lanes: V128): V128;
  /** Float32 values as neighbours of 16 bits, in the first half of the vector. */
  encodeLanes(scope: Scope, dtype: HalfDType, value: V128): V128;
}

export function conversionsWith({ call, f32, f32x4, i16x8, i32, i32x4, keep, select, v128 }: Writing): Conversions {
  function decodeHalf(context: ModuleContext, dtype: HalfDType, bits: I32): F32 {
    if (dtype === 'bfloat16') return f32.reinterpret(i32.shl(bits, i32.const(16)));
    const decode = context.helper('decode-float16', ['i32'], ['f32'], (builder) => {
      const x = builder.parameter(0, 'i32');
      const magnitude = builder.local('i32');
      const value = builder.local('f32');
      // Shifted into place, the exponent is 112 too small; multiplying by 2^112 also makes subnormals right.
      const shifted = f32.reinterpret(i32.shl(magnitude, i32.const(13)));
      const scaled = f32.mul(shifted, f32.const(2 ** 112));
      const special = f32.reinterpret(i32.or(i32.shl(magnitude, i32.const(13)), i32.const(0x7f800000)));
      const sign = i32.shl(i32.and(x, i32.const(0x8000)), i32.const(16));
      builder.emit(
        magnitude.set(i32.and(x, i32.const(0x7fff))),
        value.set(select(special, scaled, i32.geU(magnitude, i32.const(0x7c00)))),
        f32.reinterpret(i32.or(i32.reinterpret(value), sign)).code,
      );
    });
    return call('f32', decode, bits);
  }

  function encodeHalf(context: ModuleContext, dtype: HalfDType, value: F32): I32 {
    const encode = context.helper(`encode-${dtype}`, ['f32'], ['i32'], (builder) => {
      const x = builder.local('i32');
      const magnitude = builder.local('i32');
      builder.emit(
        x.set(i32.reinterpret(builder.parameter(0, 'f32'))),
        magnitude.set(i32.and(x, i32.const(0x7fffffff))),
      );
      const notANumber = i32.gtU(magnitude, i32.const(0x7f800000));
      if (dtype === 'bfloat16') {
        // Adding half of the last place, and one more where that place is odd, rounds to even.
        const odd = i32.and(i32.shrU(x, i32.const(16)), i32.const(1));
        const rounded = i32.shrU(i32.add(x, i32.add(odd, i32.const(0x7fff))), i32.const(16));
        builder.emit(select(i32.const(0x7fc0), rounded, notANumber).code);
        return;
      }
      const sign = i32.and(i32.shrU(x, i32.const(16)), i32.const(0x8000));
      const odd = i32.and(i32.shrU(magnitude, i32.const(13)), i32.const(1));
      const rebased = i32.sub(magnitude, i32.const(112 << 23));
      const normal = i32.shrU(i32.add(rebased, i32.add(odd, i32.const(0xfff))), i32.const(13));
      // Below 2^-14: adding 0.5 leaves the subnormal's bits, rounded by the processor, at the end of the sum.
      const low = i32.sub(i32.reinterpret(f32.add(f32.reinterpret(magnitude), f32.const(0.5))), i32.const(0x3f000000));
      const finite = select(low, normal, i32.ltU(magnitude, i32.const(113 << 23)));
      // 65520 and more rounds to infinity.
      const large = select(i32.const(0x7c00), finite, i32.geU(magnitude, i32.const(0x477ff000)));
      builder.emit(i32.or(select(i32.const(0x7e00), large, notANumber), sign).code);
    });
    return call('i32', encode, value);
  }

  function decodeLanes(scope: Scope, dtype: HalfDType, lanes: V128): V128 {
    if (dtype === 'bfloat16') return i32x4.shl(lanes, i32.const(16));
    const bits = keep(scope, lanes);
    const magnitude = keep(scope, i32x4.shl(v128.and(bits, scope.words(0x7fff)), i32.const(13)));
    const sign = i32x4.shl(v128.and(bits, scope.words(0x8000)), i32.const(16));
    // As above; of an infinity and of what is no number, all bits of the exponent are set.
    const scaled = f32x4.mul(magnitude, scope.floats(2 ** 112));
    const special = v128.and(i32x4.ltS(scope.words(0x0f7fffff), magnitude), scope.words(0x7f800000));
    return v128.or(v128.or(scaled, special), sign);
  }

  function encodeLanes(scope: Scope, dtype: HalfDType, value: V128): V128 {
    const x = keep(scope, value);
    const words = dtype === 'bfloat16' ? brainWords(scope, x) : halfWords(scope, x);
    return i16x8.narrowI32x4S(words, scope.words(0));
  }

  /** The bits of bfloat16 as numbers with a sign, which fit into 16 bits. */
  function brainWords(scope: Scope, x: V128): V128 {
    const odd = v128.and(i32x4.shrU(x, i32.const(16)), scope.words(1));
    const rounded = i32x4.shrS(i32x4.add(x, i32x4.add(odd, scope.words(0x7fff))), i32.const(16));
    return v128.bitselect(scope.words(0x7fc0), rounded, f32x4.ne(x, x));
  }

  /** The same of float16: see `encodeHalf`. */
  function halfWords(scope: Scope, x: V128): V128 {
    const magnitude = keep(scope, v128.and(x, scope.words(0x7fffffff)));
    const odd = v128.and(i32x4.shrU(magnitude, i32.const(13)), scope.words(1));
    const rebased = i32x4.sub(magnitude, scope.words(112 << 23));
    const normal = i32x4.shrU(i32x4.add(rebased, i32x4.add(odd, scope.words(0xfff))), i32.const(13));
    const low = i32x4.sub(f32x4.add(magnitude, scope.floats(0.5)), scope.words(0x3f000000));
    const finite = v128.bitselect(low, normal, i32x4.ltS(magnitude, scope.words(113 << 23)));
    const large = v128.bitselect(scope.words(0x7c00), finite, i32x4.ltS(scope.words(0x477fefff), magnitude));
    const number = v128.bitselect(scope.words(0x7e00), large, f32x4.ne(x, x));
    const sign = i32x4.shl(v128.and(i32x4.shrU(x, i32.const(16)), scope.words(0x8000)), i32.const(16));
    // with the sign in its place for both widths
    return i32x4.shrS(v128.or(i32x4.shl(number, i32.const(16)), sign), i32.const(16));
  }
  return { decodeHalf, encodeHalf, decodeLanes, encodeLanes };
}
