/**
 * The opcodes of WebAssembly that the engine emits, as C: numbers in C's own operators, vectors as functions of `vectors.ts`.
 * How they are put together is in `translate.ts`.
 */
import type { Type } from './module.ts';

/** An instruction on numbers: what it leaves, and its operands `$0`, `$1` ... in C. */
export type Plain = readonly [Type, string];

/** Words are unsigned: signed arithmetic must not overflow in C. */
export const plain: ReadonlyMap<number, Plain> = new Map<number, Plain>([
  [0x45, ['i32', '$0 == 0']],
  [0x46, ['i32', '$0 == $1']],
  [0x47, ['i32', '$0 != $1']],
  [0x48, ['i32', '(int32_t)$0 < (int32_t)$1']],
  [0x49, ['i32', '$0 < $1']],
  [0x4a, ['i32', '(int32_t)$0 > (int32_t)$1']],
  [0x4b, ['i32', '$0 > $1']],
  [0x4d, ['i32', '$0 <= $1']],
  [0x4e, ['i32', '(int32_t)$0 >= (int32_t)$1']],
  [0x4f, ['i32', '$0 >= $1']],
  [0x51, ['i32', '$0 == $1']],
  [0x57, ['i32', '(int64_t)$0 <= (int64_t)$1']],
  [0x5b, ['i32', '$0 == $1']],
  [0x5c, ['i32', '$0 != $1']],
  [0x5d, ['i32', '$0 < $1']],
  [0x6a, ['i32', '$0 + $1']],
  [0x6b, ['i32', '$0 - $1']],
  [0x6c, ['i32', '$0 * $1']],
  [0x6d, ['i32', '(uint32_t)((int32_t)$0 / (int32_t)$1)']],
  [0x6e, ['i32', '$0 / $1']],
  [0x70, ['i32', '$0 % $1']],
  [0x71, ['i32', '$0 & $1']],
  [0x72, ['i32', '$0 | $1']],
  [0x73, ['i32', '$0 ^ $1']],
  [0x74, ['i32', '$0 << ($1 & 31)']],
  [0x75, ['i32', '(uint32_t)((int32_t)$0 >> ($1 & 31))']],
  [0x76, ['i32', '$0 >> ($1 & 31)']],
  [0x7c, ['i64', '$0 + $1']],
  [0x7e, ['i64', '$0 * $1']],
  [0x80, ['i64', '$0 / $1']],
  [0x84, ['i64', '$0 | $1']],
  [0x86, ['i64', '$0 << ($1 & 63)']],
  [0x88, ['i64', '$0 >> ($1 & 63)']],
  [0x8e, ['f32', '__builtin_floorf($0)']],
  [0x91, ['f32', '__builtin_sqrtf($0)']],
  [0x92, ['f32', '$0 + $1']],
  [0x93, ['f32', '$0 - $1']],
  [0x94, ['f32', '$0 * $1']],
  [0x95, ['f32', '$0 / $1']],
  [0x96, ['f32', 'smaller($0, $1)']],
  [0x97, ['f32', 'larger($0, $1)']],
  [0xa0, ['f64', '$0 + $1']],
  [0xa2, ['f64', '$0 * $1']],
  [0xa4, ['f64', 'smallerDouble($0, $1)']],
  [0xa5, ['f64', 'largerDouble($0, $1)']],
  [0xa7, ['i32', '(uint32_t)$0']],
  [0xac, ['i64', '(uint64_t)(int64_t)(int32_t)$0']],
  [0xad, ['i64', '(uint64_t)$0']],
  [0xb2, ['f32', '(float)(int32_t)$0']],
  [0xb6, ['f32', '(float)$0']],
  [0xbb, ['f64', '(double)$0']],
  [0xbc, ['i32', 'bitsOf($0)']],
  [0xbe, ['f32', 'floatOf($0)']],
]);

export const loads: ReadonlyMap<number, Plain> = new Map<number, Plain>([
  [0x28, ['i32', '*(const word *)']],
  [0x29, ['i64', '*(const longWord *)']],
  [0x2a, ['f32', '*(const number *)']],
  [0x2c, ['i32', '(uint32_t)(int32_t)*(const int8_t *)']],
  [0x2d, ['i32', '*(const uint8_t *)']],
  [0x2f, ['i32', '*(const half *)']],
]);
export const stores: ReadonlyMap<number, string> = new Map<number, string>([
  [0x36, '*(word *)'],
  [0x37, '*(longWord *)'],
  [0x38, '*(number *)'],
  [0x3a, '*(uint8_t *)'],
  [0x3b, '*(half *)'],
]);

/** Instructions of vectors on vectors alone, with the number of operands. */
export const vectors: ReadonlyMap<number, readonly [name: string, operands: number]> = new Map<
  number,
  readonly [name: string, operands: number]
>([
  [0x37, ['i32x4_eq', 2]],
  [0x38, ['i32x4_ne', 2]],
  [0x39, ['i32x4_lt', 2]],
  [0x41, ['f32x4_eq', 2]],
  [0x42, ['f32x4_ne', 2]],
  [0x43, ['f32x4_lt', 2]],
  [0x44, ['f32x4_gt', 2]],
  [0x4e, ['v128_and', 2]],
  [0x4f, ['v128_andnot', 2]],
  [0x50, ['v128_or', 2]],
  [0x51, ['v128_xor', 2]],
  [0x52, ['v128_bitselect', 3]],
  [0x5e, ['f32x4_demote', 1]],
  [0x5f, ['f64x2_promote', 1]],
  [0x65, ['i8x16_narrow', 2]],
  [0x68, ['f32x4_floor', 1]],
  [0x85, ['i16x8_narrow', 2]],
  [0x89, ['i16x8_extend', 1]],
  [0x94, ['f64x2_nearest', 1]],
  [0xa1, ['i32x4_neg', 1]],
  [0xa9, ['i32x4_extend', 1]],
  [0xae, ['i32x4_add', 2]],
  [0xb1, ['i32x4_sub', 2]],
  [0xb5, ['i32x4_mul', 2]],
  [0xb6, ['i32x4_min', 2]],
  [0xb8, ['i32x4_max', 2]],
  [0xc7, ['i64x2_extend', 1]],
  [0xd1, ['i64x2_sub', 2]],
  [0xe0, ['f32x4_abs', 1]],
  [0xe3, ['f32x4_sqrt', 1]],
  [0xe4, ['f32x4_add', 2]],
  [0xe5, ['f32x4_sub', 2]],
  [0xe6, ['f32x4_mul', 2]],
  [0xe7, ['f32x4_div', 2]],
  [0xe8, ['f32x4_min', 2]],
  [0xe9, ['f32x4_max', 2]],
  [0xea, ['f32x4_pmin', 2]],
  [0xeb, ['f32x4_pmax', 2]],
  [0xf0, ['f64x2_add', 2]],
  [0xf1, ['f64x2_sub', 2]],
  [0xf2, ['f64x2_mul', 2]],
  [0xf3, ['f64x2_div', 2]],
  [0xf6, ['f64x2_pmin', 2]],
  [0xf7, ['f64x2_pmax', 2]],
  [0xf8, ['i32x4_trunc', 1]],
  [0xfa, ['f32x4_convert', 1]],
  [0xfc, ['i32x4_truncDouble', 1]],
  [0xfe, ['f64x2_convert', 1]],
  [0x105, ['f32x4_madd', 3]],
]);
export const shifts: ReadonlyMap<number, string> = new Map<number, string>([
  [0xab, 'i32x4_shl'],
  [0xac, 'i32x4_shr'],
  [0xad, 'i32x4_shrU'],
  [0xcb, 'i64x2_shl'],
]);
export const splats: ReadonlyMap<number, string> = new Map<number, string>([
  [0x11, 'i32x4_splat'],
  [0x13, 'f32x4_splat'],
]);
export const vectorLoads: ReadonlyMap<number, string> = new Map<number, string>([
  [0x00, 'v128_load'],
  [0x09, 'v128_loadSplat'],
  [0x5c, 'v128_loadOne'],
  [0x5d, 'v128_loadTwo'],
]);
export const extracts: ReadonlyMap<number, Plain> = new Map<number, Plain>([
  [0x1b, ['i32', 'i32x4_extract']],
  [0x1f, ['f32', 'f32x4_extract']],
  [0x21, ['f64', 'f64x2_extract']],
]);
export const replaces: ReadonlyMap<number, string> = new Map<number, string>([
  [0x1c, 'i32x4_replace'],
  [0x20, 'f32x4_replace'],
]);
