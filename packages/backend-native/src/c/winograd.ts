/**
 * Winograd's transforms in C, in the place of `panels.ts` and `results.ts` of @nn/backend-cpu: M X M^T of small images X, eight tiles,
 * filters or channels as the lanes of a vector. The sums come from there (`productOf`), so each lane has the bits of WebAssembly.
 */
import { filters, type Matrix, outputs, patches, productOf, transposed } from '@nn/backend-cpu/tier';

/** The functions of the library that are written here, with the number of their arguments. */
export const transforms: Readonly<Record<string, number>> = {
  patchPanels: 9,
  cotangentPanels: 9,
  filterPanels: 9,
  turnedPanels: 9,
  tileResults: 10,
  filterResults: 10,
};

/** y = M x, of vectors. */
function product(name: string, matrix: Matrix): string {
  const lines: string[] = [];
  const factorOf = (factor: number): string => `f32x4_splat_8((float)${factor})`;
  const results = productOf<string>(
    {
      add: (a, b) => `(${a} + ${b})`,
      sub: (a, b) => `(${a} - ${b})`,
      times: (factor, x) => `(${factorOf(factor)} * ${x})`,
      plusTimes: (sum, factor, x) => `MADD(${factorOf(factor)}, ${x}, ${sum})`,
      keep: (value) => {
        const kept = `t${lines.length}`;
        lines.push(`  const V8 ${kept} = ${value};`);
        return kept;
      },
    },
    matrix,
    matrix[0]!.map((_, at) => `x[${at}]`),
  );
  return `
INLINE void ${name}(const V8 *x, V8 *y) {
${[...lines, ...results.map((result, at) => `  y[${at}] = ${result};`)].join('\n')}
}`;
}

/**
 * (source, target, temporary, inner table, inner count, lane table, lane count, bytes of a row, bytes of a frequency): for each
 * frequency, panels of 8 lanes, or of 4, with the inner index outermost. `load` gives the rows of eight small images.
 */
function panels(name: string, matrix: Matrix, width: 4 | 8, load: string): string {
  const [reach, side] = [matrix.length, matrix[0]!.length];
  const store =
    width === 8
      ? '*(loose8 *)to = y[at];'
      : `*(loose4 *)to = __builtin_shufflevector(y[at], y[at], 0, 1, 2, 3);
          if (lanes > 4) *(loose4 *)(to + 16 * count) = __builtin_shufflevector(y[at], y[at], 4, 5, 6, 7);`;
  return `${product(`${name}Sums`, matrix)}
static void ${name}Of(char *base, const int32_t *w) {
  const char *const source = base + (uint32_t)w[0];
  const int32_t *const inner = (const int32_t *)(base + (uint32_t)w[3]), *table = (const int32_t *)(base + (uint32_t)w[5]);
  const int64_t count = w[4], step = w[8];
  char *target = base + (uint32_t)w[1];
  for (int64_t lanes = w[6]; lanes > 0; lanes -= 8, table += 8, target += 32 * count) {
    const char *first[8], *places[8];
    /* beyond the last one: the last one again */
    for (int at = 0; at < 8; at++) first[at] = source + (uint32_t)table[at < lanes ? at : lanes - 1];
    for (int64_t k = 0; k < count; k++) {
      V8 rows[${side * side}], made[${side * reach}], y[${reach}];
      char *to = target + ${4 * width} * k;
      for (int at = 0; at < 8; at++) places[at] = first[at] + (uint32_t)inner[k];
      ${load}
      for (int row = 0; row < ${side}; row++) {
        ${name}Sums(rows + ${side} * row, y);
        WHOLE for (int at = 0; at < ${reach}; at++) made[at * ${side} + row] = y[at];
      }
      for (int column = 0; column < ${reach}; column++) {
        ${name}Sums(made + ${side} * column, y);
        WHOLE for (int at = 0; at < ${reach}; at++, to += step) {
          ${store}
        }
      }
    }
  }
}`;
}

/**
 * (source, target, temporary, lane table, lane count, outer count, bytes of an outer one in the source, and in the target, bytes of a
 * row of the target, bytes of a frequency): the way back. `save` writes rows of \`side\` vectors as small images of the lanes.
 */
function results(name: string, matrix: Matrix, save: string): string {
  const [side, reach] = [matrix.length, matrix[0]!.length];
  return `${product(`${name}Sums`, matrix)}
static void ${name}Of(char *base, const int32_t *w) {
  const int32_t *const table = (const int32_t *)(base + (uint32_t)w[3]);
  const int64_t rowBytes = w[8], step = w[9];
  for (int64_t outer = 0; outer < w[5]; outer++)
    for (int64_t lane = 0; lane < w[4]; lane += 8) {
      const char *from = base + (uint32_t)w[0] + outer * w[6] + 4 * lane;
      const int lanes = w[4] - lane < 8 ? w[4] - lane : 8;
      char *places[8];
      V8 made[${side * reach}], rows[${side * side}], x[${reach}], y[${side}];
      for (int at = 0; at < lanes; at++) places[at] = base + (uint32_t)w[1] + outer * w[7] + (uint32_t)table[lane + at];
      for (int row = 0; row < ${reach}; row++) {
        WHOLE for (int at = 0; at < ${reach}; at++, from += step) x[at] = *(const loose8 *)from;
        ${name}Sums(x, y);
        WHOLE for (int at = 0; at < ${side}; at++) made[at * ${reach} + row] = y[at];
      }
      for (int row = 0; row < ${side}; row++) ${name}Sums(made + ${reach} * row, rows + ${side} * row);
      ${save}
    }
}`;
}

/** Of eight images the same row: numbers 0 to 3 of each as vectors of lanes, and 4 and 5. */
const rows = `
INLINE V8 bothOf(const char *low, const char *high) {
  return __builtin_shufflevector(*(const loose4 *)low, *(const loose4 *)high, 0, 1, 2, 3, 4, 5, 6, 7);
}
INLINE void turnFours(const V8 *r, V8 *made) {
  const V8 a = SHUFFLE_8(r[0], r[1], 0, 8, 1, 9, 4, 12, 5, 13), b = SHUFFLE_8(r[0], r[1], 2, 10, 3, 11, 6, 14, 7, 15);
  const V8 c = SHUFFLE_8(r[2], r[3], 0, 8, 1, 9, 4, 12, 5, 13), d = SHUFFLE_8(r[2], r[3], 2, 10, 3, 11, 6, 14, 7, 15);
  made[0] = SHUFFLE_8(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
  made[1] = SHUFFLE_8(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
  made[2] = SHUFFLE_8(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
  made[3] = SHUFFLE_8(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
}
INLINE void foursOf(const char *const *places, int64_t skip, V8 *made) {
  V8 r[4];
  WHOLE for (int at = 0; at < 4; at++) r[at] = bothOf(places[at] + skip, places[at + 4] + skip);
  turnFours(r, made);
}
typedef double pair __attribute__((aligned(1), may_alias));
INLINE void pairsOf(const char *const *places, int64_t skip, V8 *made) {
#define PAIR(at) *(const pair *)(places[at] + skip)
  const V8 a = (V8)(D8){PAIR(0), PAIR(1), PAIR(4), PAIR(5)}, b = (V8)(D8){PAIR(2), PAIR(3), PAIR(6), PAIR(7)};
  made[0] = SHUFFLE_8(a, b, 0, 2, 8, 10, 4, 6, 12, 14);
  made[1] = SHUFFLE_8(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}
/* Eight filters of nine numbers. */
INLINE void ninesOf(const char *const *places, V8 *made) {
  foursOf(places, 0, made);
  foursOf(places, 16, made + 4);
#define LAST(at) *(const number *)(places[at] + 32)
  made[8] = (V8){LAST(0), LAST(1), LAST(2), LAST(3), LAST(4), LAST(5), LAST(6), LAST(7)};
}`;

const patchRows = `for (int row = 0; row < 6; row++) {
        foursOf(places, (int64_t)row * w[7], rows + 6 * row);
        pairsOf(places, (int64_t)row * w[7] + 16, rows + 6 * row + 4);
      }`;
const cotangentRows = 'for (int row = 0; row < 4; row++) foursOf(places, (int64_t)row * w[7], rows + 4 * row);';
const turnedRows = `V8 there[9];
      ninesOf(places, there);
      WHOLE for (int at = 0; at < 8; at++) rows[at] = there[8 - at];
      rows[8] = there[0];`;

const saveTiles = `for (int row = 0; row < 4; row++) {
        V8 r[4];
        turnFours(rows + 4 * row, r);
        for (int at = 0; at < lanes; at++)
          *(loose4 *)(places[at] + row * rowBytes) = at < 4 ? __builtin_shufflevector(r[at], r[at], 0, 1, 2, 3)
                                                           : __builtin_shufflevector(r[at - 4], r[at - 4], 4, 5, 6, 7);
      }`;
const saveFilters = `for (int row = 0; row < 3; row++)
        for (int at = 0; at < lanes; at++)
          for (int column = 0; column < 3; column++)
            *(number *)(places[at] + row * rowBytes + 4 * column) = rows[3 * row + column][at];`;

export const winograd: string = [
  rows,
  panels('patchPanels', patches, 8, patchRows),
  panels('cotangentPanels', outputs, 4, cotangentRows),
  panels('filterPanels', filters, 4, 'ninesOf(places, rows);'),
  panels('turnedPanels', filters, 4, turnedRows),
  results('tileResults', transposed(outputs), saveTiles),
  results('filterResults', transposed(filters), saveFilters),
].join('\n');
