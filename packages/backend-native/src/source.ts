/**
 * The C of the addon: products of packed panels, and the few declarations of Node-API that it needs, by hand, so that no headers
 * and no build tool are wanted. Nothing of a user enters it: sizes are arguments of the functions.
 *
 * A tile is ROWS rows times PANELS panels of 8 columns: its sums fill the registers. GNU vectors of 256 bits become one register
 * where there is AVX, two where there is NEON. Panels and edges are those of `gemm.ts` in @nn/backend-cpu, which packs them.
 */

/** Rows of the tiles, and of the panels of the left operand. */
export const tileRows = 6;

/** The functions of the library that the addon has, with the number of their arguments. */
export const functions: Readonly<Record<string, number>> = { multiply: 9, multiplyFours: 9, dots: 10, dotPairs: 10 };

export const source = `
#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
#ifdef _WIN32
#define IMPORT __declspec(dllimport)
#define EXPORT __declspec(dllexport)
#else
#define IMPORT
#define EXPORT __attribute__((visibility("default")))
#endif
IMPORT int napi_create_object(napi_env, napi_value *);
IMPORT int napi_create_arraybuffer(napi_env, size_t, void **, napi_value *);
IMPORT int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
IMPORT int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
IMPORT int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
IMPORT int napi_get_value_int32(napi_env, napi_value, int32_t *);
IMPORT int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);

#define ROWS 6
#define PANELS 2
#define INLINE static inline __attribute__((always_inline))
#define WHOLE _Pragma("GCC unroll 8")
typedef float eight __attribute__((vector_size(32), aligned(4)));

/* One tile of C: H rows of the left panel times P right panels, which lie "panel" numbers apart. Of the result
   only what exists, "rows" times "columns", is written. */
INLINE void tile(const int H, const int P, const float *left, const float *right, long panel, long inner, float *c,
                 long row, int adds, long rows, long columns) {
  eight sums[ROWS][PANELS];
  WHOLE for (int h = 0; h < H; h++)
    WHOLE for (int p = 0; p < P; p++) sums[h][p] = (eight){0};
  for (long k = 0; k < inner; k++) {
    eight numbers[PANELS];
    WHOLE for (int p = 0; p < P; p++) numbers[p] = *(const eight *)(right + p * panel + 8 * k);
    WHOLE for (int h = 0; h < H; h++)
      WHOLE for (int p = 0; p < P; p++) sums[h][p] += left[h] * numbers[p];
    left += H;
  }
  if (rows >= H && columns >= 8 * P) {
    WHOLE for (int h = 0; h < H; h++)
      WHOLE for (int p = 0; p < P; p++) {
        eight *to = (eight *)(c + h * row + 8 * p);
        *to = adds ? *to + sums[h][p] : sums[h][p];
      }
    return;
  }
  /* a copy: sums whose address is taken would leave the registers */
  float edge[ROWS * PANELS * 8];
  WHOLE for (int h = 0; h < H; h++)
    WHOLE for (int p = 0; p < P; p++) *(eight *)(edge + (h * P + p) * 8) = sums[h][p];
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

INLINE float total(eight a) {
  return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

/* Dot products of R rows of a matrix with one vector. */
INLINE void dot(const int R, const float *const *rows, const float *vector, long inner, float *const *to) {
  eight sums[4][2];
  WHOLE for (int r = 0; r < R; r++) sums[r][0] = sums[r][1] = (eight){0};
  long k = 0;
  for (; k + 16 <= inner; k += 16)
    WHOLE for (int half = 0; half < 2; half++) {
      const eight numbers = *(const eight *)(vector + k + 8 * half);
      WHOLE for (int r = 0; r < R; r++) sums[r][half] += *(const eight *)(rows[r] + k + 8 * half) * numbers;
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

/* The arguments of a call; what it works on lies in a memory that starts where the data of the function says. */
INLINE char *arguments(napi_env env, napi_callback_info info, size_t count, int32_t *words) {
  napi_value values[10];
  void *data;
  napi_get_cb_info(env, info, &count, values, 0, &data);
  for (size_t at = 0; at < count; at++) napi_get_value_int32(env, values[at], words + at);
  return *(char **)data;
}
static napi_value multiply(napi_env env, napi_callback_info info) {
  int32_t words[10];
  product(6, arguments(env, info, 9, words), words);
  return 0;
}
static napi_value multiplyFours(napi_env env, napi_callback_info info) {
  int32_t words[10];
  product(4, arguments(env, info, 9, words), words);
  return 0;
}
static napi_value dots(napi_env env, napi_callback_info info) {
  int32_t words[10];
  everyDot(arguments(env, info, 10, words), words);
  return 0;
}

/* move(memory): where the functions that were linked together find it. */
static napi_value move(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value memory;
  void *data;
  napi_get_cb_info(env, info, &count, &memory, 0, &data);
  napi_get_typedarray_info(env, memory, 0, 0, (void **)data, 0, 0);
  return 0;
}

static void add(napi_env env, napi_value to, const char *name, napi_callback function, void *data, napi_value keeper) {
  napi_value made;
  napi_create_function(env, name, (size_t)-1, function, data, &made);
  /* the place of the address lives as long as any of the functions */
  napi_set_named_property(env, made, "place", keeper);
  napi_set_named_property(env, to, name, made);
}

/* link(memory): the functions over a memory. */
static napi_value link_memory(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value memory, place, functions;
  void *data;
  napi_get_cb_info(env, info, &count, &memory, 0, 0);
  napi_create_arraybuffer(env, sizeof(void *), &data, &place);
  napi_get_typedarray_info(env, memory, 0, 0, (void **)data, 0, 0);
  napi_create_object(env, &functions);
  add(env, functions, "multiply", multiply, data, place);
  add(env, functions, "multiplyFours", multiplyFours, data, place);
  add(env, functions, "dots", dots, data, place);
  add(env, functions, "dotPairs", dots, data, place);
  add(env, functions, "move", move, data, place);
  return functions;
}

EXPORT int32_t node_api_module_get_api_version_v1(void) { return 8; }
EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value made;
  napi_create_function(env, "link", (size_t)-1, link_memory, 0, &made);
  napi_set_named_property(env, exports, "link", made);
  return exports;
}
`;
