/**
 * exp, log, tanh, erf, sin, cos and pow of four numbers at once, as code that is put in line.
 * Coefficients are minimax fits made for this file (weighted least squares, Lawson's iteration); errors are stated in
 * ULP, the distance of two neighbouring float32 numbers, and tested against double precision in `math.test.ts`.
 * Part of emitting a kernel: `operations.ts` decides when, this file knows how.
 */
import type { Expression, Lanes, Local, Statement, V128, ValueType } from './assembler.ts';
import { f32, f32x4, f64, f64x2, i32, i32x4, i64x2, v128, when } from './instructions.ts';

/** Where code for one place of a function is gathered. */
export interface Scope {
  /** Of the vectors of the function. */
  readonly lanes: Lanes;
  local<T extends ValueType>(type: T): Local<T>;
  emit(...statements: Statement[]): void;
  /** The same function, emitting elsewhere. */
  into(statements: Statement[]): Scope;
  /** Four equal floats, kept in a local for the whole function: V8 rebuilds a `v128.const` in every turn of a loop. */
  floats(value: number): V128;
  words(value: number): V128;
  doubles(value: number): V128;
  /** a * b + c with one rounding where the machine has it (and determinism is not asked for), else with two. */
  multiplyAdd(a: V128, b: V128, c: V128): V128;
  /** A function of the host (Math.sin ...) for lanes that the fast way does not cover: double to double. */
  host(name: 'sin' | 'cos', x: Expression<'f64'>): Expression<'f64'>;
  hostPower(x: Expression<'f64'>, y: Expression<'f64'>): Expression<'f64'>;
}

/** Keeps a value that is used more than once. */
export function keep<T extends ValueType>(scope: Scope, value: Expression<T>): Local<T> {
  const local = scope.local(value.type);
  scope.emit(local.set(value));
  return local;
}

/** The vector whose lanes are those of `a` and `b` (behind those of `a`) that `from` names. */
export function shuffled({ lanes }: Scope, a: V128, b: V128, from: (lane: number) => number): V128 {
  return v128.shuffleWords(
    a,
    b,
    Array.from({ length: lanes }, (_, lane) => from(lane)),
  );
}
/** Each lane beside the one that is `by` lanes away: what folds a vector. `by` is a power of two. */
export const crossed = (scope: Scope, vector: V128, by: number): V128 =>
  shuffled(scope, vector, vector, (lane) => lane ^ by);
/** The high half in the place of the low one. */
export const highHalf = (scope: Scope, vector: V128): V128 => crossed(scope, vector, scope.lanes / 2);
/** The low halves of two vectors. */
export function lowHalves(scope: Scope, a: V128, b: V128): V128 {
  const half = scope.lanes / 2;
  return shuffled(scope, a, b, (lane) => (lane < half ? lane : lane + half));
}

/** c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule. */
function polynomial(scope: Scope, x: V128, coefficients: readonly number[]): V128 {
  let sum = scope.floats(coefficients.at(-1)!);
  for (const coefficient of coefficients.slice(0, -1).reverse()) {
    sum = scope.multiplyAdd(sum, x, scope.floats(coefficient));
  }
  return sum;
}
function polynomial64(scope: Scope, x: V128, coefficients: readonly number[]): V128 {
  let sum = scope.doubles(coefficients.at(-1)!);
  for (const coefficient of coefficients.slice(0, -1).reverse()) {
    sum = f64x2.add(f64x2.mul(sum, x), scope.doubles(coefficient));
  }
  return sum;
}

/** Adding 1.5 * 2^23 rounds to an integer n; with 127 more, the low bits of the sum are the exponent of 2^n, bias included. */
const rounding = 1.5 * 2 ** 23 + 127;

/**
 * e^x = (2^n e^(r/2))^2 with n = round(x / (2 ln 2)), |r| <= ln 2. At most 3.5 ULP (subnormal results included): neither the
 * power nor its product leave the range of normal numbers, and the square leaves it as it must.
 */
export function exp(scope: Scope, x: V128): V128 {
  // Beyond these bounds the result is infinity or 0. pmin and pmax keep a NaN in the first operand.
  const bounded = keep(scope, f32x4.pmin(f32x4.pmax(x, scope.floats(-104)), scope.floats(89)));
  const shifted = keep(scope, scope.multiplyAdd(bounded, scope.floats(Math.LOG2E / 2), scope.floats(rounding)));
  const n = keep(scope, f32x4.sub(shifted, scope.floats(rounding)));
  // 2 ln 2 in two parts: the first has few bits, so that n times it is exact.
  const high = scope.multiplyAdd(n, scope.floats(-1.38671875), bounded);
  const r = keep(scope, scope.multiplyAdd(n, scope.floats(4.24388880109381166e-4), high));
  // The series of e^(r/2) in r: 1, 1/2, 1/8, 1/48, ...
  const power = polynomial(
    scope,
    r,
    [1, 0.5, 0.125000002392, 0.0208331478799, 0.00260413776037, 0.000261529803375, 2.17978129687e-5],
  );
  const root = keep(scope, f32x4.mul(power, i32x4.shl(shifted, i32.const(23))));
  return f32x4.mul(root, root);
}

/** log x = e ln 2 + log(1 + f) with 1 + f in [sqrt 1/2, sqrt 2). At most 1 ULP. */
export function log(scope: Scope, x: V128): V128 {
  const value = keep(scope, x);
  const tiny = keep(scope, f32x4.lt(value, scope.floats(2 ** -126)));
  const scaled = v128.bitselect(f32x4.mul(value, scope.floats(2 ** 23)), value, tiny);
  const bits = keep(scope, scaled);
  const exponent = keep(scope, i32x4.shrS(i32x4.sub(bits, scope.words(0x3f3504f3)), i32.const(23)));
  const f = keep(scope, f32x4.sub(i32x4.sub(bits, i32x4.shl(exponent, i32.const(23))), scope.floats(1)));
  const e = keep(scope, f32x4.convert(i32x4.sub(exponent, v128.and(tiny, scope.words(23)))));
  const square = keep(scope, f32x4.mul(f, f));
  const tail = polynomial(
    scope,
    f,
    [
      0.333333124138, -0.250000096416, 0.200021336608, -0.166680066869, 0.1421922294, -0.124051380742, 0.11890335994,
      -0.116796430575, 0.067465595232,
    ],
  );
  const low = scope.multiplyAdd(e, scope.floats(-2.12194440054690583e-4), f32x4.mul(f32x4.mul(square, f), tail));
  const sum = f32x4.add(scope.multiplyAdd(square, scope.floats(-0.5), low), f);
  const normal = keep(scope, scope.multiplyAdd(e, scope.floats(0.693359375), sum));
  const zero = v128.bitselect(scope.floats(-Infinity), scope.floats(Number.NaN), f32x4.eq(value, scope.floats(0)));
  const special = v128.bitselect(value, zero, f32x4.eq(value, scope.floats(Infinity)));
  const usual = v128.and(f32x4.gt(value, scope.floats(0)), f32x4.lt(value, scope.floats(Infinity)));
  return v128.bitselect(normal, special, usual);
}

/** tanh x = x P(x^2) / Q(x^2) for |x| <= 9.02, where it has become 1. At most 6.5 ULP, never beyond 1. */
export function tanh(scope: Scope, x: V128): V128 {
  const value = keep(scope, f32x4.pmin(f32x4.pmax(x, scope.floats(-9.02)), scope.floats(9.02)));
  const square = keep(scope, f32x4.mul(value, value));
  const over = polynomial(
    scope,
    square,
    [0.999999998691, 0.1367991614136, 3.868329100667e-3, 2.80074866272e-5, 3.058508951165e-8, -1.220351496103e-11],
  );
  const under = polynomial(scope, square, [1, 0.4701324820183, 2.724584373598e-2, 3.938633522033e-4, 1.28736854734e-6]);
  return atMostOne(scope, f32x4.div(f32x4.mul(value, over), under));
}

function atMostOne(scope: Scope, x: V128): V128 {
  return f32x4.pmin(f32x4.pmax(x, scope.floats(-1)), scope.floats(1));
}

/** erf x = x P(x^2) / Q(x^2) for |x| <= 3.95, where it has become 1. At most 7 ULP, never beyond 1. */
export function erf(scope: Scope, x: V128): V128 {
  const value = keep(scope, f32x4.pmin(f32x4.pmax(x, scope.floats(-3.95)), scope.floats(3.95)));
  const square = keep(scope, f32x4.mul(value, value));
  const over = polynomial(
    scope,
    square,
    [1.12837914374, 0.1915505988193, 5.287549561435e-2, 3.808176868693e-3, 2.846885263423e-4, 2.025911538302e-6],
  );
  const under = polynomial(
    scope,
    square,
    [1, 0.5030899738442, 0.1145597526059, 1.505512025254e-2, 1.170730317563e-3, 3.783187997884e-5],
  );
  return atMostOne(scope, f32x4.div(f32x4.mul(value, over), under));
}

/**
 * sin x and cos x: x - n pi/2 in double precision, then a polynomial on [-pi/4, pi/4]. At most 1.6 ULP.
 * Numbers beyond 2^20 (and NaN, and infinities) are the host's.
 */
export function sine(scope: Scope, x: V128, kind: 'sin' | 'cos'): V128 {
  const value = keep(scope, x);
  const reduce = (pair: V128): { r: V128; n: V128 } => {
    const wide = keep(scope, f64x2.promoteLow(pair));
    const n = keep(scope, f64x2.nearest(f64x2.mul(wide, scope.doubles(2 / Math.PI))));
    // pi/2 in two parts, the first of 33 bits.
    const high = f64x2.sub(wide, f64x2.mul(n, scope.doubles(1.57079632673412561417)));
    const r = f64x2.sub(high, f64x2.mul(n, scope.doubles(6.07710050650619224932e-11)));
    return { r: f32x4.demoteZero(r), n: i32x4.truncSatF64Zero(n) };
  };
  const low = reduce(value);
  const highPart = reduce(highHalf(scope, value));
  const join = (a: V128, b: V128): Local<'v128'> => keep(scope, lowHalves(scope, a, b));
  const r = join(low.r, highPart.r);
  const quarter = join(low.n, highPart.n);
  const square = keep(scope, f32x4.mul(r, r));
  const sinTail = polynomial(scope, square, [-0.166666545365, 0.008332156048, -0.000195146313]);
  const sin = keep(scope, scope.multiplyAdd(f32x4.mul(square, r), sinTail, r));
  const cosTail = polynomial(scope, square, [4.166664555421e-2, -1.388730985601e-3, 2.443241193435e-5]);
  const cosLow = scope.multiplyAdd(square, scope.floats(-0.5), f32x4.mul(f32x4.mul(square, square), cosTail));
  const cos = f32x4.add(cosLow, scope.floats(1));
  const turn = kind === 'sin' ? quarter : keep(scope, i32x4.add(quarter, scope.words(1)));
  const odd = i32x4.eq(v128.and(turn, scope.words(1)), scope.words(1));
  const sign = i32x4.shl(v128.and(turn, scope.words(2)), i32.const(30));
  const chosen = keep(scope, v128.xor(v128.bitselect(cos, sin, odd), sign));
  // sin(-0) is -0, which the arithmetic above does not keep.
  const kept = kind === 'sin' ? v128.bitselect(value, chosen, f32x4.eq(value, scope.floats(0))) : chosen;
  const inside = f32x4.lt(f32x4.abs(value), scope.floats(2 ** 20));
  return exceptLanes(scope, kept, inside, (lane) =>
    f32.demote(scope.host(kind, f64.promote(f32x4.extract(value, lane)))),
  );
}

/** `fast`, with the lanes outside of `inside` computed one by one. What a lane holds never depends on its neighbours. */
function exceptLanes(scope: Scope, fast: V128, inside: V128, lane: (at: number) => Expression<'f32'>): V128 {
  const result = keep(scope, fast);
  const usual = keep(scope, inside);
  let exact = f32x4.splat(lane(0));
  for (let at = 1; at < scope.lanes; at++) exact = f32x4.replace(exact, at, lane(at));
  const slow = [result.set(v128.bitselect(result, exact, usual))];
  scope.emit(when(i32.eqz(i32x4.allTrue(usual)), slow));
  return result;
}

/**
 * x^y = 2^(y log2 x) in double precision, so at most 1 ULP. Where x is not positive and finite, or y not finite, it is the
 * host's (`Math.pow` decides about signs, zeros and infinities).
 */
export function power(scope: Scope, x: V128, y: V128): V128 {
  const base = keep(scope, x);
  const exponent = keep(scope, y);
  const half = (basePair: V128, exponentPair: V128): V128 => {
    const bits = keep(scope, f64x2.promoteLow(basePair));
    // x = 2^e m, m in [sqrt 1/2, sqrt 2): the exponent sits in the high word of each double.
    const offset = i64x2.sub(bits, scope.doubles(Math.SQRT1_2));
    const highWords = shuffled(scope, offset, offset, (lane) => 2 * (lane % (scope.lanes / 2)) + 1);
    const e = keep(scope, i32x4.shrS(highWords, i32.const(20)));
    const m = keep(scope, i64x2.sub(bits, i64x2.shl(i64x2.extendLowI32x4S(e), i32.const(52))));
    const s = keep(scope, f64x2.div(f64x2.sub(m, scope.doubles(1)), f64x2.add(m, scope.doubles(1))));
    const square = keep(scope, f64x2.mul(s, s));
    // log2 m = 2 / ln 2 * atanh s.
    const series = polynomial64(
      scope,
      square,
      [2.885390081778, 0.961796694115, 0.577077941747, 0.412209318516, 0.319902834469, 0.28294314373],
    );
    const log2 = f64x2.add(f64x2.convertLow(e), f64x2.mul(s, series));
    const wanted = f64x2.mul(f64x2.promoteLow(exponentPair), log2);
    const t = keep(scope, f64x2.pmin(scope.doubles(200), f64x2.pmax(scope.doubles(-200), wanted)));
    const n = keep(scope, f64x2.nearest(t));
    const fraction = keep(scope, f64x2.sub(t, n));
    const value = polynomial64(
      scope,
      fraction,
      [
        0.9999999999617, 0.6931471807285, 0.2402265119816, 5.55041035342e-2, 9.618027253838e-3, 1.333392258647e-3,
        1.54692910959e-4, 1.520191630297e-5,
      ],
    );
    const biased = i64x2.extendLowI32x4S(i32x4.add(i32x4.truncSatF64Zero(n), scope.words(1023)));
    return f32x4.demoteZero(f64x2.mul(value, i64x2.shl(biased, i32.const(52))));
  };
  const low = keep(scope, half(base, exponent));
  const high = keep(scope, half(highHalf(scope, base), highHalf(scope, exponent)));
  const positive = v128.and(f32x4.gt(base, scope.floats(0)), f32x4.lt(base, scope.floats(Infinity)));
  const inside = v128.and(positive, f32x4.lt(f32x4.abs(exponent), scope.floats(Infinity)));
  return exceptLanes(scope, lowHalves(scope, low, high), inside, (lane) =>
    f32.demote(scope.hostPower(f64.promote(f32x4.extract(base, lane)), f64.promote(f32x4.extract(exponent, lane)))),
  );
}
