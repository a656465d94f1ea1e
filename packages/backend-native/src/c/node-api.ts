/**
 * The declarations of Node-API that addons need, by hand, so that no headers and no build tool are wanted; and the place that
 * their functions work on: where a memory starts, which may move when it grows.
 */
export const nodeApi = `
typedef __SIZE_TYPE__ size_t;
typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_scope__ *napi_scope;
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
IMPORT int napi_create_int32(napi_env, int32_t, napi_value *);
IMPORT int napi_create_double(napi_env, double, napi_value *);
IMPORT int napi_create_reference(napi_env, napi_value, uint32_t, napi_ref *);
IMPORT int napi_get_reference_value(napi_env, napi_ref, napi_value *);
IMPORT int napi_get_named_property(napi_env, napi_value, const char *, napi_value *);
IMPORT int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
IMPORT int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
IMPORT int napi_get_value_int32(napi_env, napi_value, int32_t *);
IMPORT int napi_get_value_double(napi_env, napi_value, double *);
IMPORT int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
IMPORT int napi_call_function(napi_env, napi_value, napi_value, size_t, const napi_value *, napi_value *);
IMPORT int napi_open_handle_scope(napi_env, napi_scope *);
IMPORT int napi_close_handle_scope(napi_env, napi_scope);

struct place {
  char *base;
  napi_env env;
  napi_ref host;
};

/* The arguments of a call, and the place that its function works on. */
INLINE struct place *arguments(napi_env env, napi_callback_info info, size_t count, int32_t *words) {
  napi_value values[10];
  void *data;
  napi_get_cb_info(env, info, &count, values, 0, &data);
  for (size_t at = 0; at < count; at++) napi_get_value_int32(env, values[at], words + at);
  return data;
}

/* move(memory): where the functions that were linked together find it. */
static napi_value move(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value memory;
  void *data;
  napi_get_cb_info(env, info, &count, &memory, 0, &data);
  napi_get_typedarray_info(env, memory, 0, 0, (void **)&((struct place *)data)->base, 0, 0);
  return 0;
}

static void add(napi_env env, napi_value to, const char *name, napi_callback function, void *data, napi_value keeper) {
  napi_value made;
  napi_create_function(env, name, (size_t)-1, function, data, &made);
  /* the place lives as long as any of the functions */
  napi_set_named_property(env, made, "place", keeper);
  napi_set_named_property(env, to, name, made);
}

static void addAll(napi_env env, napi_value to, void *data, napi_value keeper);

/* link(memory, host): the functions over a memory. */
static napi_value link_memory(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2], keeper, functions;
  struct place *place;
  napi_get_cb_info(env, info, &count, values, 0, 0);
  napi_create_arraybuffer(env, sizeof *place, (void **)&place, &keeper);
  napi_get_typedarray_info(env, values[0], 0, 0, (void **)&place->base, 0, 0);
  place->env = env;
  if (count > 1) {
    napi_set_named_property(env, keeper, "host", values[1]);
    napi_create_reference(env, keeper, 0, &place->host);
  }
  napi_create_object(env, &functions);
  addAll(env, functions, place, keeper);
  add(env, functions, "move", move, place, keeper);
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
