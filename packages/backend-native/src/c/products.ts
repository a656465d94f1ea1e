/**
 * Products of packed panels, dot products and weighed sums of rows in C, in the place of those of the library of @nn/backend-cpu; how
 * operands are packed is in `packing.ts`. Nothing of a user enters it: sizes are arguments of the functions.
 *
 * A tile is 6 rows times 2 panels of 8 columns: its sums fill the registers. Panels and edges are those of `gemm.ts` in
 * @nn/backend-cpu, which packs them. FUSED is 1 where products and sums may be rounded once.
 */

import { packing } from './packing.ts';

/** Rows of the tiles, and of the panels of the left operand. */
export const tileRows = 6;

/** The functions of the library that are written here, with the number of their arguments. */
export const functions: Readonly<Record<string, number>> = {
  packRows: 6,
  packColumns: 6,
  multiply: 9,
  multiplyFours: 9,
  dots: 10,
  dotPairs: 10,
  weighedRows: 10,
};

const calls: Readonly<Record<string, string>> = {
  packRows: 'packAllRows(base, words)',
  packColumns: 'packAllColumns(base, words)',
  multiply: 'product6(base, words)',
  multiplyFours: 'product4(base, words)',
  dots: 'everyDot(base, words)',
  dotPairs: 'everyDot(base, words)',
  weighedRows: 'everyRow(base, words)',
};

/** A piece of C for each of some numbers. */
const each = (count: number, write: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => write(at)).join('\n');

/**
 * One tile of C: rows of the left panel times right panels, which lie "panel" numbers apart. Of the result only what exists,
 * "rows" times "columns", is written. All is written out, because no compiler but gcc unrolls in time to keep an array of sums
 * in registers.
 */
function tile(height: number, panels: number): string {
  const sums = (write: (name: string, row: number, panel: number) => string): string =>
    each(height, (row) => each(panels, (panel) => write(`s${row}_${panel}`, row, panel)));
  return `
INLINE void tile${height}x${panels}(const float *left, const float *right, int64_t panel, int64_t inner, float *c, int64_t row, int adds,
                   int64_t rows, int64_t columns) {
${sums((name) => `  V8 ${name} = {0};`)}
  for (int64_t k = 0; k < inner; k++, left += ${height}, right += 8) {
${each(panels, (at) => `    V8 b${at} = *(const loose8 *)(right${at === 0 ? '' : ' + panel'});\n    KEEP(b${at});`)}
    V8 a;
${each(height, (at) => `    a = f32x4_splat_8(left[${at}]);\n    KEEP(a);\n${each(panels, (panel) => `    s${at}_${panel} = MADD(a, b${panel}, s${at}_${panel});`)}`)}
  }
  if (rows >= ${height} && columns >= ${8 * panels}) {
    if (adds) {
${sums((name, line, at) => `      *(loose8 *)(c + ${line} * row + ${8 * at}) += ${name};`)}
    } else {
${sums((name, line, at) => `      *(loose8 *)(c + ${line} * row + ${8 * at}) = ${name};`)}
    }
    return;
  }
  float edge[${height * panels * 8}];
${sums((name, line, at) => `  *(loose8 *)(edge + ${(line * panels + at) * 8}) = ${name};`)}
  for (int h = 0; h < ${height} && h < rows; h++)
    for (int x = 0; x < ${8 * panels} && x < columns; x++) {
      float *to = c + h * row + x;
      *to = adds ? *to + edge[h * ${8 * panels} + x] : edge[h * ${8 * panels} + x];
    }
}
/* All rows of these panels. */
INLINE void strip${height}x${panels}(const float *left, const float *right, float *c, int64_t rows, int64_t columns, int64_t inner,
                    int64_t row, int adds) {
  int64_t at = 0;
${
  height === 6
    ? `  const int64_t sixes = rowsInSixes(rows);
  for (; at < sixes; at += 6, left += 6 * inner)
    tile6x${panels}(left, right, 8 * inner, inner, c + at * row, row, adds, rows - at, columns);\n`
    : ''
}  for (; at < rows; at += 4, left += 4 * inner)
    tile4x${panels}(left, right, 8 * inner, inner, c + at * row, row, adds, rows - at, columns);
}`;
}

/** (left panels, right panels, C, rows, columns, inner, bytes of a row of C, adds, scratch) */
const product = (height: number): string => `
static void product${height}(char *base, const int32_t *w) {
  const float *left = (const float *)(base + (uint32_t)w[0]);
  const float *right = (const float *)(base + (uint32_t)w[1]);
  float *c = (float *)(base + (uint32_t)w[2]);
  const int64_t rows = w[3], columns = w[4], inner = w[5], row = w[6] / 4;
  int64_t at = 0;
  for (; columns - at > 8; at += 16)
    strip${height}x2(left, right + at * inner, c + at, rows, columns - at, inner, row, w[7]);
  if (at < columns) strip${height}x1(left, right + at * inner, c + at, rows, columns - at, inner, row, w[7]);
}`;

/** Adds products of some rows with some vectors to their sums: of each two, one for every other 8 numbers. */
function dotBlock(rows: number, vectors: number): string {
  const name = (row: number, vector: number, half: number): string => `s${row}_${vector}_${half}`;
  const sums = (write: (name: string, at: string) => string): string =>
    each(rows, (row) =>
      each(vectors, (vector) =>
        each(2, (half) => write(name(row, vector, half), `given[2 * (${vector} * TOGETHER + ${row}) + ${half}]`)),
      ),
    );
  const numbers = (half: number): string => `
${each(vectors, (at) => `    V8 x${at}_${half} = *(const loose8 *)(vectors[${at}] + k + ${8 * half});\n    KEEP(x${at}_${half});`)}
${each(rows, (row) => `    a = *(const loose8 *)(rows[${row}] + k + ${8 * half});\n    KEEP(a);\n${each(vectors, (at) => `    ${name(row, at, half)} = MADD(a, x${at}_${half}, ${name(row, at, half)});`)}`)}`;
  return `
INLINE void dotBlock${rows}x${vectors}(const float *const *rows, const float *const *vectors, int64_t from, int64_t to, V8 *given) {
${sums((sum, at) => `  V8 ${sum} = ${at};`)}
  for (int64_t k = from; k < to; k += 16) {
    V8 a;${numbers(0)}${numbers(1)}
  }
${sums((sum, at) => `  ${at} = ${sum};`)}
}`;
}

/** What a function of that name does with its `words` over `base`. */
export const callOf = (name: string): string => calls[name]!;

export const products: string = `${packing}
/* in a register, read once and just before it is used: gcc would read all numbers of A first, which is 6 % slower, or those of B
   again for each row, which in a tile of 4 rows is 33 % slower */
#if defined(__x86_64__)
#define KEEP(x) __asm__("" : "+x"(x))
#else
#define KEEP(x) (void)0
#endif
#if FUSED
#define MADD(a, b, c) f32x4_madd_8(a, b, c)
#else
#define MADD(a, b, c) ((a) * (b) + (c))
#endif

${[4, 6].map((height) => tile(height, 1) + tile(height, 2) + product(height)).join('')}
/* ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)), as vectors of 4 add up. */
INLINE float total(V8 a) {
  const V4 four = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  const V4 two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
  return two[0] + two[1];
}
/* Rows of a matrix whose dot products are taken together, vectors for which their sums are kept, and the length of pieces:
   the rows' pieces stay in the first cache, while those of the vectors pass. */
#define TOGETHER 12
#define KEPT 32
#define DEPTH 512
${dotBlock(3, 2)}${dotBlock(4, 1)}
/* Dot products of some rows with some vectors. */
static void dotPatch(const float *const *rows, int height, const float *const *vectors, int width, int64_t inner, char *to,
                     int64_t rowBytes, int64_t vectorBytes) {
  V8 sums[2 * KEPT * TOGETHER];
  const int64_t whole = inner - inner % 16;
  for (int at = 0; at < 2 * width * TOGETHER; at++) sums[at] = (V8){0};
  for (int64_t k = 0; k < whole; k += DEPTH) {
    const int64_t end = whole - k < DEPTH ? whole : k + DEPTH;
    int v = 0;
    for (; v + 2 <= width; v += 2)
      for (int r = 0; r < height; r += 3)
        dotBlock3x2(rows + r, vectors + v, k, end, sums + 2 * (v * TOGETHER + r));
    if (v < width)
      for (int r = 0; r < height; r += 4)
        dotBlock4x1(rows + r, vectors + v, k, end, sums + 2 * (v * TOGETHER + r));
  }
  for (int v = 0; v < width; v++)
    for (int r = 0; r < height; r++) {
      const V8 *const pair = sums + 2 * (v * TOGETHER + r);
      float sum = total(pair[0] + pair[1]);
      for (int64_t rest = whole; rest < inner; rest++) sum += rows[r][rest] * vectors[v][rest];
      *(float *)(to + r * rowBytes + v * vectorBytes) = sum;
    }
}
/* (matrix, bytes of a row, rows, vectors, bytes of one, vectors, results, bytes from row to row, from vector to
   vector, inner): 3 rows and 2 vectors are 12 sums, a vector alone takes 4 rows. */
static void everyDot(char *base, const int32_t *w) {
  for (int64_t first = 0; first < w[2]; first += TOGETHER) {
    const float *rows[TOGETHER], *vectors[KEPT];
    /* beyond the last one: the last one again */
    for (int r = 0; r < TOGETHER; r++)
      rows[r] = (const float *)(base + (uint32_t)w[0] + (first + r < w[2] ? first + r : w[2] - 1) * w[1]);
    const int height = w[2] - first < TOGETHER ? w[2] - first : TOGETHER;
    for (int64_t start = 0; start < w[5]; start += KEPT) {
      const int width = w[5] - start < KEPT ? w[5] - start : KEPT;
      for (int v = 0; v < width; v++) vectors[v] = (const float *)(base + (uint32_t)w[3] + (start + v) * w[4]);
      dotPatch(rows, height, vectors, width, w[9], base + (uint32_t)w[6] + first * w[7] + start * w[8], w[7], w[8]);
    }
  }
}

/* Adds H rows, each times a number, to C: in pairs where products and sums are rounded apart, as WebAssembly does. */
INLINE void addWeighed(const int H, const float *const *rows, const float *numbers, float *c, int64_t columns) {
  V8 each[4];
  WHOLE for (int h = 0; h < H; h++) each[h] = f32x4_splat_8(numbers[h]);
  int64_t x = 0;
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
  const int64_t columns = w[2], inner = w[3];
  for (int64_t v = 0; v < w[7]; v++)
    __builtin_memset(base + (uint32_t)w[8] + v * w[9], 0, 4 * columns);
  for (int64_t k = 0; k < inner; k += k + 4 <= inner ? 4 : 1)
    for (int64_t v = 0; v < w[7]; v++) {
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
