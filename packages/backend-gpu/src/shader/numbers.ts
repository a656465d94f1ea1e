/**
 * Owns: the scalar functions in shader text, for one value and for four, where a device's own are wrong or missing.
 * Does not own: which function an operation calls (`printer.ts`) and the words of a language (`language.ts`).
 * Bodies are written once: F, I and U stand for float, int and unsigned of one width, `#` for the width, as in `exp#(x)`.
 * Devices may flush subnormal numbers; elsewhere the errors are within 2 units in the last place, unless said.
 */

export interface Template {
  readonly name: string;
  readonly result: 'F' | 'I';
  /** `F x, I y` */
  readonly parameters: string;
  readonly body: string;
}

const define = (result: 'F' | 'I', name: string, parameters: string, body: string): Template => ({
  name,
  result,
  parameters,
  body,
});

export const templates: readonly Template[] = [
  define('I', 'isNaN', 'F x', 'return lessI#(I(0x7f800000), bits#(x) & I(0x7fffffff));'),
  define('I', 'isInfinite', 'F x', 'return equalI#(I(0x7f800000), bits#(x) & I(0x7fffffff));'),
  // The larger one; NaN where one of them is.
  define('F', 'max', 'F a, F b', 'return select#(less#(b, a) | isNaN#(a), a, b);'),
  define('F', 'min', 'F a, F b', 'return select#(less#(a, b) | isNaN#(a), a, b);'),
  // 2^n for -126 <= n <= 127, by its exponent bits.
  define('F', 'power2', 'I n', 'return float#((n + I(127)) << U(23u));'),
  // x = n log 2 + r with |r| <= log(2) / 2, n log 2 in two parts (Cody and Waite); a polynomial for exp(r) (Cephes expf).
  define(
    'F',
    'exp',
    'F x',
    `F c = clamp(x, F(-104.0), F(89.0));
F n = floor(c * 1.44269504088896341 + 0.5);
F r = (c - n * 0.693359375) + n * 2.12194440e-4;
F p = ((((r * 1.9875691500e-4 + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 5.0000001201e-1;
I k = I(n);
I h = k >> U(1u);
F y = ((p * r * r + r + 1.0) * power2#(h)) * power2#(k - h);
return select#(isNaN#(x), x, y);`,
  ),
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)); log(m) by the series of atanh((m - 1) / (m + 1)) (fdlibm logf).
  define(
    'F',
    'log',
    'F x',
    `I tiny = less#(x, F(1.17549435e-38));
F n = select#(tiny, x * 8388608.0, x);
I b = bits#(n);
F m = float#((b & I(0x7fffff)) | I(0x3f800000));
I high = less#(F(1.41421356), m);
F e = F((b >> U(23u)) - I(127) + high - tiny * 23);
F f = select#(high, m * 0.5, m) - 1.0;
F s = f / (f + 2.0);
F z = s * s;
F w = z * z;
F r = z * (w * 0.28498786688 + 0.66666662693) + w * (w * 0.24279078841 + 0.40000972152);
F q = f * f * 0.5;
F y = e * 6.9313812256e-01 - ((q - (s * (q + r) + e * 9.0580006145e-06)) - f);
F c = select#(less#(x, F(0.0)), nan#(), select#(equal#(x, F(0.0)), -infinity#(), y));
return select#(isNaN#(x) | equal#(x, infinity#()), x, c);`,
  ),
  // |x|^y by exp and log, as C's pow; the sign of a negative base from the parity of a whole exponent. Error about |y log x| units.
  define(
    'F',
    'pow',
    'F x, F y',
    `F a = abs(x);
I whole = equal#(floor(y), y);
F h = y * 0.5;
I odd = whole & (I(1) - equal#(floor(h), h));
F l = log#(a);
F p = exp#(y * l);
I one = equal#(a, F(1.0));
p = select#(one, F(1.0), p);
I negative = less#(x, F(0.0)) | equalI#(bits#(x), I(-2147483647 - 1));
F s = select#(negative & odd, -p, p);
I bad = less#(x, F(0.0)) & (I(1) - whole) & (I(1) - isInfinite#(x));
F c = select#(bad, nan#(), s);
c = select#(isNaN#(x) | isNaN#(y), nan#(), c);
return select#(equal#(y, F(0.0)) | equal#(x, F(1.0)), F(1.0), c);`,
  ),
  // Near 0 an odd polynomial (Cephes tanhf), else 1 - 2 / (exp(2 |x|) + 1).
  define(
    'F',
    'tanh',
    'F x',
    `F a = abs(x);
F z = x * x;
F p = ((((z * -5.70498872745e-3 + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1) * z * x + x;
F b = 1.0 - 2.0 / (exp#(min(a, F(15.0)) * 2.0) + 1.0);
F y = select#(less#(a, F(0.625)), p, select#(less#(x, F(0.0)), -b, b));
return select#(isNaN#(x) | equal#(x, F(0.0)), x, y);`,
  ),
  // Near 0 the rational function of fdlibm; else 1 - erfc with the fit of Numerical Recipes (relative error 1.2e-7).
  define(
    'F',
    'erf',
    'F x',
    `F a = min(abs(x), F(9.0));
F z = a * a;
F n = (((z * -2.37630166566501626084e-05 - 5.77027029648944159157e-03) * z - 2.84817495755985104766e-02) * z - 3.25042107247001499370e-01) * z + 1.28379167095512558561e-01;
F d = ((((z * -3.96022827877536812320e-06 + 1.32494738004321644526e-04) * z + 5.08130628187576562776e-03) * z + 6.50222499887672944485e-02) * z + 3.97917223959155352819e-01) * z + 1.0;
F t = 1.0 / (a * 0.5 + 1.0);
F p = (((t * 0.17087277 - 0.82215223) * t + 1.48851587) * t - 1.13520398) * t + 0.27886807;
F q = ((((p * t - 0.18628806) * t + 0.09678418) * t + 0.37409196) * t + 1.00002368) * t - 1.26551223;
F b = 1.0 - t * exp#(q - z);
F y = select#(less#(a, F(0.84375)), x * (n / d) + x, select#(less#(x, F(0.0)), -b, b));
return select#(isNaN#(x), x, y);`,
  ),
  // x = n pi / 2 + r, pi / 2 in three parts (Cody and Waite): good to |x| of about 1e5. Quadrant q of sine.
  define(
    'F',
    'wave',
    'F x, I q',
    `F n = floor(x * 0.636619772367581343 + 0.5);
F r = ((x - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.549789948768648e-8;
F z = r * r;
F s = ((z * -1.9515295891e-4 + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
F c = ((z * 2.443315711809948e-5 - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - z * 0.5 + 1.0;
I k = I(n) + q;
F y = select#(k & I(1), c, s);
y = select#((k >> U(1u)) & I(1), -y, y);
return select#(isNaN#(x) | isInfinite#(x), nan#(), y);`,
  ),
  define('F', 'sin', 'F x', 'return select#(equal#(x, F(0.0)), x, wave#(x, I(0)));'),
  define('F', 'cos', 'F x', 'return wave#(x, I(1));'),
  define('F', 'sqrt', 'F x', 'return select#(less#(x, F(0.0)), nan#(), select#(isNaN#(x), x, sqrt(x)));'),
  // The whole quotient, corrected where the division was rounded across a whole number.
  define(
    'F',
    'quotient',
    'F a, F b',
    `F q = floor(a / b);
F d = select#(less#(b, F(0.0)), F(-1.0), F(1.0));
I above = less#(a * d, q * b * d);
I below = lessEqual#((q + 1.0) * b * d, a * d);
return select#(isInfinite#(a) | isInfinite#(b) | isInfinite#(q), q, q + F(below) - F(above));`,
  ),
  // Remainder with the sign of a; exact while the quotient stays below 2^24.
  define(
    'F',
    'mod',
    'F a, F b',
    `F x = abs(a);
F y = abs(b);
F r = x - quotient#(x, y) * y;
r = select#(isInfinite#(b) & (I(1) - isInfinite#(a)), x, r);
F s = select#(less#(a, F(0.0)), -r, r);
return select#(isNaN#(a) | isNaN#(b) | isInfinite#(a) | equal#(b, F(0.0)), nan#(), s);`,
  ),
  define(
    'F',
    'floorMod',
    'F a, F b',
    `F r = mod#(a, b);
I other = (less#(r, F(0.0)) & less#(F(0.0), b)) | (less#(F(0.0), r) & less#(b, F(0.0)));
return select#(other, r + b, r);`,
  ),
  define('F', 'floorDiv', 'F a, F b', 'return select#(equal#(b, F(0.0)), a / b, quotient#(a, b));'),
  // floor(x / d) from 1 / d for 0 <= x < 2^21: x + 0.5 keeps 0.5 / d from the next whole number, more than the rounding.
  define('I', 'share', 'I x, F reciprocal', 'return I((F(x) + 0.5) * reciprocal);'),
  // Integer division by 0 gives 0; the divisor is made 1 first, so that no device traps.
  define('I', 'divI', 'I a, I b', 'I z = equalI#(b, I(0));\nreturn (a / (b + z)) * (I(1) - z);'),
  define('I', 'modI', 'I a, I b', 'I z = equalI#(b, I(0));\nI d = b + z;\nreturn (a - (a / d) * d) * (I(1) - z);'),
  define(
    'I',
    'floorModI',
    'I a, I b',
    'I r = modI#(a, b);\nreturn r + b * (lessI#((r ^ b), I(0)) & (I(1) - equalI#(r, I(0))));',
  ),
  define(
    'I',
    'floorDivI',
    'I a, I b',
    'I q = divI#(a, b);\nI r = modI#(a, b);\nreturn q - (lessI#((r ^ b), I(0)) & (I(1) - equalI#(r, I(0))));',
  ),
  // Repeated squaring; below 0 the truncated reciprocal.
  define(
    'I',
    'powI',
    'I a, I b',
    `I p = I(1);
I x = a;
I e = b;
repeat 31
p = p * selectI#(e & I(1), x, I(1));
x = x * x;
e = e >> U(1u);
end
I s = selectI#(b & I(1), a, I(1));
I q = (equalI#(a, I(1)) | equalI#(a, I(-1))) * s;
return selectI#(lessI#(b, I(0)), q, p);`,
  ),
  define('I', 'maxI', 'I a, I b', 'return max(a, b);'),
  define('I', 'minI', 'I a, I b', 'return min(a, b);'),
  // To the nearest half float, ties to the even one, by the bits: what is cut off carries into the digits that stay.
  define(
    'F',
    'bfloat16',
    'F x',
    `I b = bits#(x);
I odd = (b >> U(16u)) & I(1);
return select#(isNaN#(x), x, float#((b + I(0x7fff) + odd) & I(-65536)));`,
  ),
  // Below 2^-14 float16 has the multiples of 2^-24 only; from 65520 on it has infinity.
  define(
    'F',
    'float16',
    'F x',
    `I b = bits#(x);
I s = b & I(-2147483647 - 1);
I m = b & I(0x7fffffff);
I odd = (m >> U(13u)) & I(1);
F normal = float#((m + I(0xfff) + odd) & I(-8192));
F units = float#(m) * 16777216.0;
F low = floor(min(units, F(1024.0)));
F rest = units - low;
F h = low * 0.5;
I up = less#(F(0.5), rest) | (equal#(rest, F(0.5)) & (I(1) - equal#(floor(h), h)));
F tiny = (low + F(up)) * 5.9604644775390625e-8;
F y = select#(lessI#(m, I(0x38800000)), tiny, select#(lessI#(m, I(0x477ff000)), normal, infinity#()));
return select#(isNaN#(x), x, float#(bits#(y) | s));`,
  ),
  // Truncates and saturates; NaN gives 0.
  define(
    'I',
    'truncate',
    'F x',
    `I high = lessEqual#(F(2147483648.0), x);
I low = lessEqual#(x, F(-2147483648.0));
I y = I(select#(high | low | isNaN#(x), F(0.0), x));
return selectI#(high, I(2147483647), selectI#(low, I(-2147483647 - 1), y));`,
  ),
  // The first word of pcg3d (Jarzynski and Olano 2020), as core's randomValue.
  define(
    'F',
    'random',
    'I seed, I stream, I counter',
    `U x = U(seed) * 1664525u + 1013904223u;
U y = U(stream) * 1664525u + 1013904223u;
U z = U(counter) * 1664525u + 1013904223u;
x = x + y * z;
y = y + z * x;
z = z + x * y;
x = x ^ (x >> U(16u));
y = y ^ (y >> U(16u));
z = z ^ (z >> U(16u));
x = x + y * z;
return F(x >> U(8u)) * 5.9604644775390625e-8;`,
  ),
];
