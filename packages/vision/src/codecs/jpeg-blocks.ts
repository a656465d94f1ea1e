/**
 * Blocks of 64 frequencies to 64 samples: the inverse cosine transform of 8 x 8 numbers (ITU T.81, A.3.3) in whole numbers, by the way of
 * Loeffler, Ligtenberg and Moschytz (1989) with constants of 13 bits, rounded where libjpeg rounds, so that every sample equals its.
 * The passes over columns and rows are written out, in the same words: one function for both, whose step is a variable, takes 1.4 times the time.
 */

// The constants of the odd and even halves, times 2^13.
const c0_298 = 2446;
const c0_390 = 3196;
const c0_541 = 4433;
const c0_765 = 6270;
const c0_899 = 7373;
const c1_175 = 9633;
const c1_501 = 12299;
const c1_847 = 15137;
const c1_961 = 16069;
const c2_053 = 16819;
const c2_562 = 20995;
const c3_072 = 25172;

/** After the columns 2 bits more are kept; after the rows they and a factor of 8 go. */
const [columnShift, rowShift] = [11, 18];

const work = /* @__PURE__ */ new Int32Array(64);

/** From `block`, whose 64 numbers at `from` are multiples of those of `quantisation`, to 8 x 8 bytes of `to` at `at`. */
export function inverseTransform(
  block: Int32Array | Int16Array,
  from: number,
  quantisation: Int32Array,
  to: Uint8ClampedArray,
  at: number,
  stride: number,
): void {
  for (let x = 0; x < 8; x++) {
    const i = from + x;
    const b1 = block[i + 8]!;
    const b2 = block[i + 16]!;
    const b3 = block[i + 24]!;
    const b4 = block[i + 32]!;
    const b5 = block[i + 40]!;
    const b6 = block[i + 48]!;
    const b7 = block[i + 56]!;
    const b0 = Math.imul(block[i]!, quantisation[x]!);
    if ((b1 | b2 | b3 | b4 | b5 | b6 | b7) === 0) {
      const value = b0 << 2;
      for (let y = x; y < 64; y += 8) work[y] = value;
      continue;
    }
    const d1 = Math.imul(b1, quantisation[x + 8]!);
    const d2 = Math.imul(b2, quantisation[x + 16]!);
    const d3 = Math.imul(b3, quantisation[x + 24]!);
    const d4 = Math.imul(b4, quantisation[x + 32]!);
    const d5 = Math.imul(b5, quantisation[x + 40]!);
    const d6 = Math.imul(b6, quantisation[x + 48]!);
    const d7 = Math.imul(b7, quantisation[x + 56]!);

    const half = Math.imul(d2 + d6, c0_541);
    const e2 = half - Math.imul(d6, c1_847);
    const e3 = half + Math.imul(d2, c0_765);
    const e0 = (b0 + d4) << 13;
    const e1 = (b0 - d4) << 13;
    const z5 = Math.imul(d7 + d3 + d5 + d1, c1_175);
    const z1 = -Math.imul(d7 + d1, c0_899);
    const z2 = -Math.imul(d5 + d3, c2_562);
    const z3 = z5 - Math.imul(d7 + d3, c1_961);
    const z4 = z5 - Math.imul(d5 + d1, c0_390);
    const o0 = Math.imul(d7, c0_298) + z1 + z3;
    const o1 = Math.imul(d5, c2_053) + z2 + z4;
    const o2 = Math.imul(d3, c3_072) + z2 + z3;
    const o3 = Math.imul(d1, c1_501) + z1 + z4;
    const round = 1 << (columnShift - 1);
    work[x] = (e0 + e3 + o3 + round) >> columnShift;
    work[x + 56] = (e0 + e3 - o3 + round) >> columnShift;
    work[x + 8] = (e1 + e2 + o2 + round) >> columnShift;
    work[x + 48] = (e1 + e2 - o2 + round) >> columnShift;
    work[x + 16] = (e1 - e2 + o1 + round) >> columnShift;
    work[x + 40] = (e1 - e2 - o1 + round) >> columnShift;
    work[x + 24] = (e0 - e3 + o0 + round) >> columnShift;
    work[x + 32] = (e0 - e3 - o0 + round) >> columnShift;
  }
  // 128 is the middle of a byte; the array cuts at 0 and 255
  const round = (1 << (rowShift - 1)) + (128 << rowShift);
  for (let y = 0, o = at; y < 64; y += 8, o += stride) {
    const d0 = work[y]!;
    const d1 = work[y + 1]!;
    const d2 = work[y + 2]!;
    const d3 = work[y + 3]!;
    const d4 = work[y + 4]!;
    const d5 = work[y + 5]!;
    const d6 = work[y + 6]!;
    const d7 = work[y + 7]!;
    if ((d1 | d2 | d3 | d4 | d5 | d6 | d7) === 0) {
      const value = ((d0 + 16) >> 5) + 128;
      for (let x = 0; x < 8; x++) to[o + x] = value;
      continue;
    }
    const half = Math.imul(d2 + d6, c0_541);
    const e2 = half - Math.imul(d6, c1_847);
    const e3 = half + Math.imul(d2, c0_765);
    const e0 = ((d0 + d4) << 13) + round;
    const e1 = ((d0 - d4) << 13) + round;
    const z5 = Math.imul(d7 + d3 + d5 + d1, c1_175);
    const z1 = -Math.imul(d7 + d1, c0_899);
    const z2 = -Math.imul(d5 + d3, c2_562);
    const z3 = z5 - Math.imul(d7 + d3, c1_961);
    const z4 = z5 - Math.imul(d5 + d1, c0_390);
    const o0 = Math.imul(d7, c0_298) + z1 + z3;
    const o1 = Math.imul(d5, c2_053) + z2 + z4;
    const o2 = Math.imul(d3, c3_072) + z2 + z3;
    const o3 = Math.imul(d1, c1_501) + z1 + z4;
    to[o] = (e0 + e3 + o3) >> rowShift;
    to[o + 7] = (e0 + e3 - o3) >> rowShift;
    to[o + 1] = (e1 + e2 + o2) >> rowShift;
    to[o + 6] = (e1 + e2 - o2) >> rowShift;
    to[o + 2] = (e1 - e2 + o1) >> rowShift;
    to[o + 5] = (e1 - e2 - o1) >> rowShift;
    to[o + 3] = (e0 - e3 + o0) >> rowShift;
    to[o + 4] = (e0 - e3 - o0) >> rowShift;
  }
}

/** The same where only the first number is not 0: one value everywhere. */
export function inverseOfFirst(value: number, to: Uint8ClampedArray, at: number, stride: number): void {
  const sample = (((value << 2) + 16) >> 5) + 128;
  for (let y = 0, o = at; y < 8; y++, o += stride) for (let x = 0; x < 8; x++) to[o + x] = sample;
}
