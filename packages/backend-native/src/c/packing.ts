/**
 * How operands of products get into panels, in C: what `packRows` and `packColumns` of `gemm.ts` in @nn/backend-cpu do, with vectors
 * of 8, and with what comes next fetched ahead. Panels hold W rows or columns with k outermost, and zeros where the matrix ends.
 */
export const packing = `
#if defined(__clang__)
#define WHOLE _Pragma("unroll")
#else
#define WHOLE _Pragma("GCC unroll 8")
#endif
/* Rows that go into panels of 6; the rest goes into panels of 4 (see rowsInSixes in gemm.ts). */
INLINE int64_t rowsInSixes(int64_t rows) {
  const int64_t rest = rows % 6;
  const int64_t sixes = rows - (rest == 0 || rest == 5 ? 0 : rest < 3 ? rest + 6 : rest);
  return sixes > 0 ? sixes : 0;
}
INLINE void copied(const int W, float *to, const float *from) {
  if (W == 8) *(loose8 *)to = *(const loose8 *)from;
  else {
    *(loose4 *)to = *(const loose4 *)from;
    /* six numbers are two vectors that overlap */
    if (W == 6) *(loose4 *)(to + 2) = *(const loose4 *)(from + 2);
  }
}
/* "strip" neighbours of each k, some lines at a time; of the next strip the lines are asked for meanwhile. */
INLINE void packStrip(const int W, const char *source, float *target, int64_t along, int64_t strip, int64_t inner) {
  for (int64_t k = 0; k < inner; k++, source += along, target += W) {
    const float *from = (const float *)source;
    __builtin_prefetch(from + strip, 0, 2);
    __builtin_prefetch(from + strip + 16, 0, 2);
    for (int64_t at = 0; at < strip; at += W) copied(W, target + at * inner, from + at);
  }
}
/* Eight rows of eight as columns. */
INLINE void packEights(float *target, const V8 *r) {
  V8 low[4], high[4], ends[8];
  WHOLE for (int p = 0; p < 4; p++) {
    low[p] = SHUFFLE_8(r[2 * p], r[2 * p + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    high[p] = SHUFFLE_8(r[2 * p], r[2 * p + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  WHOLE for (int half = 0; half < 2; half++) {
    const V8 *const from = half ? high : low;
    WHOLE for (int p = 0; p < 2; p++) {
      ends[4 * half + p] = SHUFFLE_8(from[2 * p], from[2 * p + 1], 0, 1, 8, 9, 4, 5, 12, 13);
      ends[4 * half + 2 + p] = SHUFFLE_8(from[2 * p], from[2 * p + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  WHOLE for (int k = 0; k < 4; k++) {
    *(loose8 *)(target + 8 * k) = SHUFFLE_8(ends[2 * k], ends[2 * k + 1], 0, 1, 2, 3, 8, 9, 10, 11);
    *(loose8 *)(target + 8 * (k + 4)) = SHUFFLE_8(ends[2 * k], ends[2 * k + 1], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}
/* W rows of eight, 4 or 6, as columns: the low halves are the columns of the first four numbers, the high ones of the others. */
INLINE void packFew(const int W, float *target, const V8 *r) {
  V8 low[3], high[3], made[6];
  WHOLE for (int p = 0; p < W / 2; p++) {
    low[p] = SHUFFLE_8(r[2 * p], r[2 * p + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    high[p] = SHUFFLE_8(r[2 * p], r[2 * p + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  WHOLE for (int half = 0; half < 2; half++) {
    const V8 *const from = half ? high : low;
    V8 *const to = made + half * (W / 2);
    to[0] = SHUFFLE_8(from[0], from[1], 0, 1, 8, 9, 4, 5, 12, 13);
    if (W == 4) to[1] = SHUFFLE_8(from[0], from[1], 2, 3, 10, 11, 6, 7, 14, 15);
    else {
      to[1] = SHUFFLE_8(from[2], from[0], 0, 1, 10, 11, 4, 5, 14, 15);
      to[2] = SHUFFLE_8(from[1], from[2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  WHOLE for (int at = 0; at < W; at++) {
    *(loose4 *)(target + 4 * at) = __builtin_shufflevector(made[at], made[at], 0, 1, 2, 3);
    *(loose4 *)(target + 4 * (W + at)) = __builtin_shufflevector(made[at], made[at], 4, 5, 6, 7);
  }
}
/* A whole panel whose rows run along k; of the next panel the lines are asked for meanwhile. */
INLINE int64_t packTurned(const int W, const char *source, float *target, int64_t across, int64_t inner) {
  int64_t k = 0;
  for (; k + 8 <= inner; k += 8) {
    V8 rows[8];
    WHOLE for (int row = 0; row < W; row++) {
      const float *from = (const float *)(source + row * across) + k;
      if (k % 16 == 0) __builtin_prefetch((const char *)from + W * across, 0, 2);
      rows[row] = *(const loose8 *)from;
    }
    if (W == 8) packEights(target + 8 * k, rows);
    else packFew(W, target + W * k, rows);
  }
  return k;
}
/* "count" rows or columns, which lie "across" bytes apart and whose numbers lie "along" bytes apart. */
INLINE void pack(const int W, const char *source, float *target, int64_t across, int64_t along, int64_t count,
                 int64_t inner) {
  if (across == 4)
    while (count >= W) {
      const int64_t strip = count >= 4 * W ? 4 * W : count - count % W;
      packStrip(W, source, target, along, strip, inner);
      source += 4 * strip;
      target += strip * inner;
      count -= strip;
    }
  for (; count > 0; count -= W, source += W * across, target += W * inner) {
    int64_t k = count >= W && along == 4 ? packTurned(W, source, target, across, inner) : 0;
    for (; k < inner; k++)
      for (int row = 0; row < W; row++)
        target[W * k + row] = row < count ? *(const number *)(source + row * across + k * along) : 0;
  }
}
/* (source, target, bytes between neighbours across the panel, along k, columns, k) */
static void packAllColumns(char *base, const int32_t *w) {
  pack(8, base + (uint32_t)w[0], (float *)(base + (uint32_t)w[1]), w[2], w[3], w[4], w[5]);
}
/* The same for rows: panels of 6, then of 4. */
static void packAllRows(char *base, const int32_t *w) {
  const int64_t sixes = rowsInSixes(w[4]);
  const char *source = base + (uint32_t)w[0];
  float *target = (float *)(base + (uint32_t)w[1]);
  pack(6, source, target, w[2], w[3], sixes, w[5]);
  const int64_t taken = (sixes + 5) / 6 * 6;
  pack(4, source + taken * w[2], target + taken * w[5], w[2], w[3], w[4] - sixes, w[5]);
}
`;
