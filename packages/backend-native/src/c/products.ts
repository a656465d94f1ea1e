/**
 * Products of packed panels, dot products and weighed sums of rows in C, in the place of those of the library of @nn/backend-cpu. Nothing of a user
 * enters it: sizes are arguments of the functions.
 *
 * A tile is ROWS rows times PANELS panels of 8 columns: its sums fill the registers. Panels and edges are those of `gemm.ts` in
 * @nn/backend-cpu, which packs them. FUSED is 1 where products and sums may be rounded once.
 */

/** Rows of the tiles, and of the panels of the left operand. */
export const tileRows = 6;

/** The functions of the library that are written here, with the number of their arguments. */
export const functions: Readonly<Record<string, number>> = {
  multiply: 9,
  multiplyFours: 9,
  dots: 10,
  dotPairs: 10,
  weighedRows: 10,
};

const calls: Readonly<Record<string, string>> = {
  multiply: 'product(6, base, words)',
  multiplyFours: 'product(4, base, words)',
  dots: 'everyDot(base, words)',
  dotPairs: 'everyDot(base, words)',
  weighedRows: 'everyRow(base, words)',
};

/** What a function of that name does with its `words` over `base`. */
export const callOf = (name: string): string => calls[name]!;

export const products = `
#define ROWS 6
#define PANELS 2
#define WHOLE _Pragma("GCC unroll 8")
#if FUSED
#define MADD(a, b, c) f32x4_madd_8(a, b, c)
#else
#define MADD(a, b, c) ((a) * (b) + (c))
#endif

/* One tile of C: H rows of the left panel times P right panels, which lie "panel" numbers apart. Of the result
   only what exists, "rows" times "columns", is written. */
INLINE void tile(const int H, const int P, const float *left, const float *right, long panel, long inner, float *c,
                 long row, int adds, long rows, long columns) {
  V8 sums[ROWS][PANELS];
  WHOLE for (int h = 0; h < H; h++)
    WHOLE for (int p = 0; p < P; p++) sums[h][p] = (V8){0};
  for (long k = 0; k < inner; k++) {
    V8 numbers[PANELS];
    WHOLE for (int p = 0; p < P; p++) numbers[p] = *(const loose8 *)(right + p * panel + 8 * k);
    WHOLE for (int h = 0; h < H; h++)
      WHOLE for (int p = 0; p < P; p++) sums[h][p] = MADD(f32x4_splat_8(left[h]), numbers[p], sums[h][p]);
    left += H;
  }
  if (rows >= H && columns >= 8 * P) {
    WHOLE for (int h = 0; h < H; h++)
      WHOLE for (int p = 0; p < P; p++) {
        loose8 *to = (loose8 *)(c + h * row + 8 * p);
        const V8 sum = sums[h][p];
        if (adds) *to += sum;
        else *to = sum;
      }
    return;
  }
  /* a copy: sums whose address is taken would leave the registers */
  float edge[ROWS * PANELS * 8];
  WHOLE for (int h = 0; h < H; h++)
    WHOLE for (int p = 0; p < P; p++) *(loose8 *)(edge + (h * P + p) * 8) = sums[h][p];
  for (int h = 0; h < H && h < rows; h++)
    for (int x = 0; x < 8 * P && x < columns; x++) {
      float *to = c + h * row + x;
      *to = adds ? *to + edge[h * 8 * P + x] : edge[h * 8 * P + x];
    }
}

/* All rows of P panels. Rows come in panels of 6, the rest in panels of 4 (see rowsInSixes in gemm.ts). */
INLINE void strip(const int H, const int P, const float *left, const float *right, float *c, long rows, long columns,
                  long inner, long row, int adds) {
  long at = 0;
  if (H == 6) {
    const long rest = rows % 6;
    const long sixes = rows - (rest == 0 || rest == 5 ? 0 : rest < 3 ? rest + 6 : rest);
    for (; at < sixes; at += 6, left += 6 * inner)
      tile(6, P, left, right, 8 * inner, inner, c + at * row, row, adds, rows - at, columns);
  }
  for (; at < rows; at += 4, left += 4 * inner)
    tile(4, P, left, right, 8 * inner, inner, c + at * row, row, adds, rows - at, columns);
}

/* (left panels, right panels, C, rows, columns, inner, bytes of a row of C, adds, scratch) */
INLINE void product(const int H, char *base, const int32_t *w) {
  const float *left = (const float *)(base + (uint32_t)w[0]);
  const float *right = (const float *)(base + (uint32_t)w[1]);
  float *c = (float *)(base + (uint32_t)w[2]);
  const long rows = w[3], columns = w[4], inner = w[5], row = w[6] / 4;
  long at = 0;
  for (; columns - at > 8; at += 16)
    strip(H, 2, left, right + at * inner, c + at, rows, columns - at, inner, row, w[7]);
  if (at < columns) strip(H, 1, left, right + at * inner, c + at, rows, columns - at, inner, row, w[7]);
}

INLINE float total(V8 a) {
  return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

/* Dot products of R rows of a matrix with one vector. */
INLINE void dot(const int R, const float *const *rows, const float *vector, long inner, float *const *to) {
  V8 sums[4][2];
  WHOLE for (int r = 0; r < R; r++) sums[r][0] = sums[r][1] = (V8){0};
  long k = 0;
  for (; k + 16 <= inner; k += 16)
    WHOLE for (int half = 0; half < 2; half++) {
      const V8 numbers = *(const loose8 *)(vector + k + 8 * half);
      WHOLE for (int r = 0; r < R; r++) 
        sums[r][half] = MADD(*(const loose8 *)(rows[r] + k + 8 * half), numbers, sums[r][half]);
    }
  for (int r = 0; r < R; r++) {
    float sum = total(sums[r][0] + sums[r][1]);
    for (long rest = k; rest < inner; rest++) sum += rows[r][rest] * vector[rest];
    *to[r] = sum;
  }
}

/* (matrix, bytes of a row, rows, vectors, bytes of one, vectors, results, bytes from row to row, from vector to
   vector, inner) */
static void everyDot(char *base, const int32_t *w) {
  for (long first = 0; first < w[2]; first += 4)
    for (long v = 0; v < w[5]; v++) {
      const float *rows[4];
      float *to[4];
      for (int r = 0; r < 4; r++) {
        /* beyond the last one: the last one again, with the same result in the same place */
        const long at = first + r < w[2] ? first + r : w[2] - 1;
        rows[r] = (const float *)(base + (uint32_t)w[0] + at * w[1]);
        to[r] = (float *)(base + (uint32_t)w[6] + at * w[7] + v * w[8]);
      }
      dot(4, rows, (const float *)(base + (uint32_t)w[3] + v * w[4]), w[9], to);
    }
}

/* Adds H rows, each times a number, to C: in pairs where products and sums are rounded apart, as WebAssembly does. */
INLINE void addWeighed(const int H, const float *const *rows, const float *numbers, float *c, long columns) {
  V8 each[4];
  WHOLE for (int h = 0; h < H; h++) each[h] = f32x4_splat_8(numbers[h]);
  long x = 0;
  for (; x + 8 <= columns; x += 8) {
    loose8 *const to = (loose8 *)(c + x);
    V8 sum = *to;
#if FUSED
    WHOLE for (int h = 0; h < H; h++) sum = MADD(*(const loose8 *)(rows[h] + x), each[h], sum);
#else
    V8 terms[4];
    WHOLE for (int h = 0; h < H; h++) terms[h] = *(const loose8 *)(rows[h] + x) * each[h];
    if (H == 4) sum += (terms[0] + terms[1]) + (terms[2] + terms[3]);
    else sum += terms[0];
#endif
    *to = sum;
  }
  for (; x < columns; x++) {
    float terms[4];
    WHOLE for (int h = 0; h < H; h++) terms[h] = rows[h][x] * numbers[h];
    c[x] += H == 4 ? (terms[0] + terms[1]) + (terms[2] + terms[3]) : terms[0];
  }
}

/* (matrix, bytes of a row, columns, inner, vectors, bytes from number to number, from vector to vector, vectors, results,
   bytes from vector to vector) */
static void everyRow(char *base, const int32_t *w) {
  const long columns = w[2], inner = w[3];
  for (long v = 0; v < w[7]; v++)
    __builtin_memset(base + (uint32_t)w[8] + v * w[9], 0, 4 * columns);
  for (long k = 0; k < inner; k += k + 4 <= inner ? 4 : 1)
    for (long v = 0; v < w[7]; v++) {
      const float *rows[4];
      float numbers[4];
      const int height = k + 4 <= inner ? 4 : 1;
      for (int h = 0; h < height; h++) {
        rows[h] = (const float *)(base + (uint32_t)w[0] + (k + h) * w[1]);
        numbers[h] = *(const float *)(base + (uint32_t)w[4] + v * w[6] + (k + h) * w[5]);
      }
      float *const c = (float *)(base + (uint32_t)w[8] + v * w[9]);
      if (height == 4) addWeighed(4, rows, numbers, c, columns);
      else addWeighed(1, rows, numbers, c, columns);
    }
}
`;
