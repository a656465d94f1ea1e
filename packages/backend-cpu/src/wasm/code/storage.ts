/**
 * float16 and bfloat16 as numbers of 16 bits: the conversions that loads and stores of those buffers need.
 * Rounding is to nearest, ties to even; NaN stays NaN. Arithmetic always happens in float32.
 */
import type { F32, I32 } from './assembler.ts';
import { call, f32, i32, select } from './instructions.ts';
import type { ModuleContext } from './module-context.ts';

/** The float32 value of 16 bits. */
export function decodeHalf(context: ModuleContext, dtype: 'float16' | 'bfloat16', bits: I32): F32 {
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

/** The 16 bits of a float32 value. */
export function encodeHalf(context: ModuleContext, dtype: 'float16' | 'bfloat16', value: F32): I32 {
  const encode = context.helper(`encode-${dtype}`, ['f32'], ['i32'], (builder) => {
    const x = builder.local('i32');
    const magnitude = builder.local('i32');
    builder.emit(x.set(i32.reinterpret(builder.parameter(0, 'f32'))), magnitude.set(i32.and(x, i32.const(0x7fffffff))));
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
