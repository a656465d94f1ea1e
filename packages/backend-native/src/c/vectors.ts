/**
 * The instructions of `translate.ts` in C: numbers, and vectors of 4 and of 8 lanes (`@` below). GNU vectors do most; what C has
 * no operator for is the processor's own instruction where there is AVX, and a loop over the lanes elsewhere. A vector is one
 * of floats, whatever it holds. Every result is that of WebAssembly, bit for bit; only `madd` rounds once where it can.
 */

const numbers = `
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef uint32_t word __attribute__((aligned(1), may_alias));
typedef uint64_t longWord __attribute__((aligned(1), may_alias));
typedef float number __attribute__((aligned(1), may_alias));
typedef unsigned short half __attribute__((aligned(1), may_alias));
#define INLINE static inline __attribute__((always_inline))

INLINE float floatOf(uint32_t x) { float y; __builtin_memcpy(&y, &x, 4); return y; }
INLINE uint32_t bitsOf(float x) { uint32_t y; __builtin_memcpy(&y, &x, 4); return y; }
INLINE uint32_t truncated(float x) {
  if (x >= 2147483648.0f) return 0x7fffffffu;
  return x >= -2147483648.0f ? (uint32_t)(int32_t)x : x != x ? 0 : 0x80000000u;
}
/* NaN wins, and -0 is below 0 */
INLINE float smaller(float a, float b) {
  return a != a || b != b ? a + b : a < b ? a : b < a ? b : floatOf(bitsOf(a) | bitsOf(b));
}
INLINE float larger(float a, float b) {
  return a != a || b != b ? a + b : a > b ? a : b > a ? b : floatOf(bitsOf(a) & bitsOf(b));
}
INLINE double signedZero(double a, double b, int negative) {
  return (__builtin_signbit(a) != 0) == negative ? a : b;
}
INLINE double smallerDouble(double a, double b) {
  return a != a || b != b ? a + b : a < b ? a : b < a ? b : signedZero(a, b, 1);
}
INLINE double largerDouble(double a, double b) {
  return a != a || b != b ? a + b : a > b ? a : b > a ? b : signedZero(a, b, 0);
}
INLINE uint64_t exchanged(uint64_t *at, uint64_t expected, uint64_t value) {
  __atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}
#if defined(__clang__)
#define SHUFFLE(I, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(I, a, b, ...) __builtin_shuffle(a, b, (I){__VA_ARGS__})
#endif
#define SHUFFLE_4(...) SHUFFLE(I4, __VA_ARGS__)
#define SHUFFLE_8(...) SHUFFLE(I8, __VA_ARGS__)
#if defined(__AVX2__) && defined(__FMA__) && !defined(__clang__)
#define AVX 1
#else
#define AVX 0
#endif
/* four products of bytes, added to a lane: one instruction, where the processor has it */
#if defined(__AVX512VNNI__) && defined(__AVX512VL__) && !defined(__clang__)
#define DOT_BYTES(n, a, b, c, other) ((V##n)__builtin_ia32_vpdpbusd_v##n##si((I##n)c, (I##n)b, (I##n)a))
#else
#define DOT_BYTES(n, a, b, c, other) (other)
#endif
/* AVX packs each half of 256 bits on its own: the two quarters in the middle change places */
#define IN_ORDER_4(a) (a)
#define IN_ORDER_8(a) __builtin_ia32_permdi256((L8)(a), 0xd8)
#if defined(__FP_FAST_FMAF) || defined(__ARM_FEATURE_FMA) || defined(__FMA__)
#define HAS_FMA 1
#else
#define HAS_FMA 0
#endif
/* a product and a sum that are rounded once, where the processor can: clang is told so, gcc sees it in the lanes */
#if defined(__clang__) && HAS_FMA
#define MADD_OF(V, n, a, b, c) ({ _Pragma("clang fp contract(fast)") V made = (a) * (b) + (c); made; })
#elif HAS_FMA
#define MADD_OF(V, n, a, b, c) \\
  ({ V made; for (int i = 0; i < n; i++) made[i] = __builtin_fmaf((a)[i], (b)[i], (c)[i]); made; })
#else
#define MADD_OF(V, n, a, b, c) ((a) * (b) + (c))
#endif
#define MADD_4(a, b, c) MADD_OF(V4, 4, a, b, c)
#define MADD_8(a, b, c) MADD_OF(V8, 8, a, b, c)
/* half a vector of bytes, in the low half of one of 128 bits, or as one */
#define HALF_4(at) ((C4)(L4){(int64_t)*(const longWord *)(at), 0})
#define HALF_8(at) ((C4)*(const loose4 *)(at))
`;

/** For `@` lanes. EACH makes a vector lane by lane. */
const types = `
typedef float V@ __attribute__((vector_size(4 * @), may_alias));
typedef float loose@ __attribute__((vector_size(4 * @), aligned(1), may_alias));
typedef int32_t I@ __attribute__((vector_size(4 * @), may_alias));
typedef uint32_t U@ __attribute__((vector_size(4 * @), may_alias));
typedef double D@ __attribute__((vector_size(4 * @), may_alias));
typedef int64_t L@ __attribute__((vector_size(4 * @), may_alias));
typedef uint64_t UL@ __attribute__((vector_size(4 * @), may_alias));
typedef short S@ __attribute__((vector_size(4 * @), may_alias));
typedef signed char B@ __attribute__((vector_size(4 * @), may_alias));
typedef char C@ __attribute__((vector_size(4 * @), may_alias));
typedef signed char halfB@ __attribute__((vector_size(2 * @), aligned(1), may_alias));
typedef unsigned char halfUB@ __attribute__((vector_size(2 * @), aligned(1), may_alias));
typedef short halfS@ __attribute__((vector_size(2 * @), aligned(1), may_alias));
typedef unsigned short halfUS@ __attribute__((vector_size(2 * @), aligned(1), may_alias));
#define EACH@(type, count, expression) \\
  ({ type made; for (int i = 0; i < count; i++) made[i] = (expression); (V@)made; })
#define NARROW@(type, low, high, x) ((x) < low ? low : (x) > high ? high : (type)(x))
`;

/** An expression; where AVX has an instruction for it, `<x>` is that of the width. */
type Text = string | { readonly avx: string; readonly plain: string };

/** Of vectors `a`, `b` and `c` (or `mask`), to a vector. */
const unary: Readonly<Record<string, Text>> = {
  i32x4_neg: '(V@)(-(U@)a)',
  f32x4_abs: '(V@)((U@)a & 0x7fffffffu)',
  f32x4_convert: '__builtin_convertvector((I@)a, V@)',
  f32x4_sqrt: { avx: '<sqrtps>(a)', plain: 'EACH@(V@, @, __builtin_sqrtf(a[i]))' },
  f32x4_floor: { avx: '<roundps>(a, 9)', plain: 'EACH@(V@, @, __builtin_floorf(a[i]))' },
  f64x2_nearest: { avx: '(V@)<roundpd>((D@)a, 8)', plain: 'EACH@(D@, @ / 2, __builtin_rint(((D@)a)[i]))' },
  // the instruction gives 0x80000000 for what does not fit
  i32x4_trunc: {
    avx: '(V@)(((U@)<cvttps2dq>(a) ^ (U@)f32x4_gt_@(a, f32x4_splat_@(2147483520.0f))) & (U@)f32x4_eq_@(a, a))',
    plain: 'EACH@(U@, @, truncated(a[i]))',
  },
  // the low half of the lanes, wider
  i32x4_extend: {
    avx: '(V@)<pmovzxwd>((S4)HALF_@(&a))',
    plain: '(V@)__builtin_convertvector(((const halfUS@ *)&a)[0], I@)',
  },
  i16x8_extend: {
    avx: '(V@)<pmovzxbw>(HALF_@(&a))',
    plain: '(V@)__builtin_convertvector(((const halfUB@ *)&a)[0], S@)',
  },
  i16x8_extendHigh: '(V@)__builtin_convertvector(((const halfUB@ *)&a)[1], S@)',
  i16x8_extendS: {
    avx: '(V@)<pmovsxbw>(HALF_@(&a))',
    plain: '(V@)__builtin_convertvector(((const halfB@ *)&a)[0], S@)',
  },
  i16x8_extendHighS: '(V@)__builtin_convertvector(((const halfB@ *)&a)[1], S@)',
  i32x4_extendS: {
    avx: '(V@)<pmovsxwd>((S4)HALF_@(&a))',
    plain: '(V@)__builtin_convertvector(((const halfS@ *)&a)[0], I@)',
  },
  i32x4_extendHighS: '(V@)__builtin_convertvector(((const halfS@ *)&a)[1], I@)',
  i64x2_extend: 'EACH@(L@, @ / 2, ((I@)a)[i])',
  f64x2_convert: 'EACH@(D@, @ / 2, ((I@)a)[i])',
  f64x2_promote: { avx: '(V@)<promote>', plain: 'EACH@(D@, @ / 2, a[i])' },
  // doubles as the low half, zeros behind them
  f32x4_demote: 'EACH@(V@, @, i < @ / 2 ? (float)((D@)a)[i] : 0.0f)',
  i32x4_truncDouble: `EACH@(I@, @, ({
    const double x = i < @ / 2 ? ((D@)a)[i] : 0;
    x >= 2147483647.0 ? 2147483647 : x >= -2147483648.0 ? (int32_t)x : x != x ? 0 : -2147483647 - 1;
  }))`,
};
const binary: Readonly<Record<string, Text>> = {
  f32x4_add: 'a + b',
  f32x4_sub: 'a - b',
  f32x4_mul: 'a * b',
  f32x4_div: 'a / b',
  f64x2_add: '(V@)((D@)a + (D@)b)',
  f64x2_sub: '(V@)((D@)a - (D@)b)',
  f64x2_mul: '(V@)((D@)a * (D@)b)',
  f64x2_div: '(V@)((D@)a / (D@)b)',
  i32x4_add: '(V@)((U@)a + (U@)b)',
  i32x4_sub: '(V@)((U@)a - (U@)b)',
  i32x4_mul: '(V@)((U@)a * (U@)b)',
  i64x2_sub: '(V@)((UL@)a - (UL@)b)',
  v128_and: '(V@)((U@)a & (U@)b)',
  v128_andnot: '(V@)((U@)a & ~(U@)b)',
  v128_or: '(V@)((U@)a | (U@)b)',
  v128_xor: '(V@)((U@)a ^ (U@)b)',
  i32x4_eq: '(V@)((I@)a == (I@)b)',
  i32x4_ne: '(V@)((I@)a != (I@)b)',
  i32x4_lt: '(V@)((I@)a < (I@)b)',
  f32x4_eq: { avx: '<cmpps>(a, b, 0)', plain: '(V@)(a == b)' },
  f32x4_ne: { avx: '<cmpps>(a, b, 4)', plain: '(V@)(a != b)' },
  f32x4_lt: { avx: '<cmpps>(a, b, 17)', plain: '(V@)(a < b)' },
  f32x4_gt: { avx: '<cmpps>(a, b, 30)', plain: '(V@)(a > b)' },
  // the instruction keeps its second operand where they are equal or no numbers
  f32x4_pmin: { avx: '<minps>(b, a)', plain: 'v128_bitselect_@(b, a, (V@)(b < a))' },
  f32x4_pmax: { avx: '<maxps>(b, a)', plain: 'v128_bitselect_@(b, a, (V@)(a < b))' },
  f64x2_pmin: { avx: '(V@)<minpd>((D@)b, (D@)a)', plain: 'v128_bitselect_@(b, a, (V@)((D@)b < (D@)a))' },
  f64x2_pmax: { avx: '(V@)<maxpd>((D@)b, (D@)a)', plain: 'v128_bitselect_@(b, a, (V@)((D@)a < (D@)b))' },
  f32x4_min: 'EACH@(V@, @, smaller(a[i], b[i]))',
  f32x4_max: 'EACH@(V@, @, larger(a[i], b[i]))',
  i32x4_min: { avx: '(V@)<pminsd>((I@)a, (I@)b)', plain: 'v128_bitselect_@(a, b, (V@)((I@)a < (I@)b))' },
  i32x4_max: { avx: '(V@)<pmaxsd>((I@)a, (I@)b)', plain: 'v128_bitselect_@(a, b, (V@)((I@)a > (I@)b))' },
  i16x8_add: '(V@)((S@)a + (S@)b)',
  i8x16_ltU: 'EACH@(B@, 4 * @, ((const unsigned char *)&a)[i] < ((const unsigned char *)&b)[i] ? -1 : 0)',
  // two products and their sum: of halves, and of bytes, where those of b have 7 bits
  i32x4_dot: {
    avx: '(V@)<pmaddwd>((S@)a, (S@)b)',
    plain: 'EACH@(I@, @, ((S@)a)[2 * i] * ((S@)b)[2 * i] + ((S@)a)[2 * i + 1] * ((S@)b)[2 * i + 1])',
  },
  i16x8_dotBytes: {
    avx: '(V@)<pmaddubsw>((C@)b, (C@)a)',
    plain: 'EACH@(S@, 2 * @, ((B@)a)[2 * i] * ((B@)b)[2 * i] + ((B@)a)[2 * i + 1] * ((B@)b)[2 * i + 1])',
  },
  // the lanes of both, narrower and saturated
  i16x8_narrow: {
    avx: '(V@)IN_ORDER_@(<packssdw>((I@)a, (I@)b))',
    plain: 'EACH@(S@, 2 * @, NARROW@(short, -32768, 32767, i < @ ? ((I@)a)[i] : ((I@)b)[i - @]))',
  },
  i8x16_narrowU: {
    avx: '(V@)IN_ORDER_@(<packuswb>((S@)a, (S@)b))',
    plain: 'EACH@(B@, 4 * @, NARROW@(uint8_t, 0, 255, i < 2 * @ ? ((S@)a)[i] : ((S@)b)[i - 2 * @]))',
  },
  i8x16_narrow: {
    avx: '(V@)IN_ORDER_@(<packsswb>((S@)a, (S@)b))',
    plain: 'EACH@(B@, 4 * @, NARROW@(signed char, -128, 127, i < 2 * @ ? ((S@)a)[i] : ((S@)b)[i - 2 * @]))',
  },
};
const ternary: Readonly<Record<string, Text>> = {
  // masks have all bits of a lane, or none
  v128_bitselect: { avx: '<blendvps>(b, a, c)', plain: '(V@)(((U@)a & (U@)c) | ((U@)b & ~(U@)c))' },
  i32x4_dotBytes:
    'DOT_BYTES(@, a, b, c, (V@)((U@)c + (U@)i32x4_dot_@(i16x8_dotBytes_@(a, b), i32x4_splat_@(0x00010001u))))',
  f32x4_madd: {
    avx: '<vfmaddps>(a, b, c)',
    plain: 'MADD_@(a, b, c)',
  },
};
/** What takes or gives something else: the head before and after the name, and what is returned. */
const others: Readonly<Record<string, readonly [result: string, parameters: string, body: Text]>> = {
  v128_load: ['V@', 'const char *at', '*(const loose@ *)at'],
  v128_store: ['void', 'char *at, V@ a', '(void)(*(loose@ *)at = a)'],
  f32x4_splat: ['V@', 'float x', 'x - (V@){0}'],
  i32x4_splat: ['V@', 'uint32_t x', '(V@)(x + (U@){0})'],
  v128_words: [
    'V@',
    'uint32_t a, uint32_t b, uint32_t c, uint32_t d',
    '({ const uint32_t words[4] = {a, b, c, d}; EACH@(U@, @, words[i & 3]); })',
  ],
  v128_loadBytes: [
    'V@',
    'const char *at',
    { avx: '(V@)<pmovzxbw>(HALF_@(at))', plain: '(V@)__builtin_convertvector(*(const halfUB@ *)at, S@)' },
  ],
  v128_loadBytesS: [
    'V@',
    'const char *at',
    { avx: '(V@)<pmovsxbw>(HALF_@(at))', plain: '(V@)__builtin_convertvector(*(const halfB@ *)at, S@)' },
  ],
  v128_loadHalves: [
    'V@',
    'const char *at',
    { avx: '(V@)<pmovzxwd>((S4)HALF_@(at))', plain: '(V@)__builtin_convertvector(*(const halfUS@ *)at, I@)' },
  ],
  i8x16_splat: ['V@', 'uint32_t x', 'EACH@(B@, 4 * @, (int8_t)x)'],
  v128_loadSplat: ['V@', 'const char *at', 'f32x4_splat_@(*(const number *)at)'],
  v128_loadOne: ['V@', 'const char *at', '({ V@ made = {0}; made[0] = *(const number *)at; made; })'],
  v128_loadTwo: ['V@', 'const char *at', '({ L@ made = {0}; made[0] = *(const longWord *)at; (V@)made; })'],
  v128_loadLane: ['V@', 'const char *at, V@ a, int lane', '({ a[lane] = *(const number *)at; a; })'],
  v128_storeOne: ['void', 'char *at, V@ a, int lane', '(void)(*(number *)at = a[lane])'],
  v128_storeTwo: ['void', 'char *at, V@ a, int lane', '(void)(*(longWord *)at = ((UL@)a)[lane])'],
  f32x4_extract: ['float', 'V@ a, int lane', 'a[lane]'],
  i32x4_extract: ['uint32_t', 'V@ a, int lane', '((U@)a)[lane]'],
  f64x2_extract: ['double', 'V@ a, int lane', '((D@)a)[lane]'],
  f32x4_replace: ['V@', 'V@ a, int lane, float x', '({ a[lane] = x; a; })'],
  i32x4_replace: ['V@', 'V@ a, int lane, uint32_t x', '({ U@ made = (U@)a; made[lane] = x; (V@)made; })'],
  i32x4_shl: ['V@', 'V@ a, uint32_t n', '(V@)((U@)a << (n & 31))'],
  i32x4_shr: ['V@', 'V@ a, uint32_t n', '(V@)((I@)a >> (int32_t)(n & 31))'],
  i32x4_shrU: ['V@', 'V@ a, uint32_t n', '(V@)((U@)a >> (n & 31))'],
  i16x8_shrU: ['V@', 'V@ a, uint32_t n', 'EACH@(S@, 2 * @, ((const unsigned short *)&a)[i] >> (n & 15))'],
  i64x2_shl: ['V@', 'V@ a, uint32_t n', '(V@)((UL@)a << (uint64_t)(n & 63))'],
  i32x4_allTrue: [
    'uint32_t',
    'V@ a',
    '({ uint32_t all = 1; for (int i = 0; i < @; i++) all &= ((U@)a)[i] != 0; all; })',
  ],
};

/** Instructions of AVX by width, as gcc calls them. */
const instructions: Readonly<Record<4 | 8, (name: string) => string>> = {
  4: (name) =>
    name === 'promote' ? '__builtin_ia32_cvtps2pd(a)' : `__builtin_ia32_${name}${/^p[am]/.test(name) ? '128' : ''}`,
  8: (name) =>
    name === 'promote'
      ? '__builtin_ia32_cvtps2pd256(__builtin_shufflevector(a, a, 0, 1, 2, 3))'
      : `__builtin_ia32_${name}256`,
};

/** The function of an instruction; null where the name is none. */
function definition(name: string, lanes: 4 | 8): string | null {
  const other = others[name];
  const text = unary[name] ?? binary[name] ?? ternary[name] ?? other?.[2];
  if (text === undefined) return null;
  const operands = unary[name] ? 'V@ a' : binary[name] ? 'V@ a, V@ b' : 'V@ a, V@ b, V@ c';
  const start = `INLINE ${other?.[0] ?? 'V@'} ${name}_@(${other?.[1] ?? operands}) { return `;
  const whole =
    typeof text === 'string'
      ? `${start}${text}; }`
      : `#if AVX\n${start}${text.avx}; }\n#else\n${start}${text.plain}; }\n#endif`;
  return whole
    .replace(/<(\w+)>/g, (_, instruction: string) => instructions[lanes](instruction))
    .replaceAll('@', String(lanes));
}

/** What a text in C calls of this file, with all that it needs before. */
export function vectorsFor(text: string): string {
  const found: string[] = [];
  const known = new Set<string>();
  const search = (where: string): void => {
    for (const [called, name, lanes] of where.matchAll(/\b(\w+)_([48])\b/g)) {
      if (known.has(called)) continue;
      known.add(called);
      const made = definition(name!, lanes === '4' ? 4 : 8);
      if (made === null) continue;
      search(made);
      found.push(made);
    }
  };
  search(text);
  return [numbers, types.replaceAll('@', '4'), types.replaceAll('@', '8'), ...found].join('\n');
}
