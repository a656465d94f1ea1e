/**
 * The declarations of Node-API that addons need, by hand, so that no headers and no build tool are wanted; and the place that
 * their functions work on: where a memory starts, which may move when it grows. On Windows the functions are looked for in the
 * program that loads the addon, because a DLL cannot leave that to the loader as it does elsewhere.
 */
export const nodeApi = `
typedef __SIZE_TYPE__ size_t;
typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_scope__ *napi_scope;
typedef struct napi_work__ *napi_work;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef void (*napi_finalize)(napi_env, void *data, void *hint);
#define NODE_API(X) \\
  X(napi_create_object, (napi_env, napi_value *)) \\
  X(napi_create_arraybuffer, (napi_env, size_t, void **, napi_value *)) \\
  X(napi_create_external, (napi_env, void *, napi_finalize, void *, napi_value *)) \\
  X(napi_create_function, (napi_env, const char *, size_t, napi_callback, void *, napi_value *)) \\
  X(napi_create_int32, (napi_env, int32_t, napi_value *)) \\
  X(napi_create_double, (napi_env, double, napi_value *)) \\
  X(napi_create_string_utf8, (napi_env, const char *, size_t, napi_value *)) \\
  X(napi_create_reference, (napi_env, napi_value, uint32_t, napi_ref *)) \\
  X(napi_delete_reference, (napi_env, napi_ref)) \\
  X(napi_get_reference_value, (napi_env, napi_ref, napi_value *)) \\
  X(napi_get_named_property, (napi_env, napi_value, const char *, napi_value *)) \\
  X(napi_set_named_property, (napi_env, napi_value, const char *, napi_value)) \\
  X(napi_get_cb_info, (napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **)) \\
  X(napi_get_value_int32, (napi_env, napi_value, int32_t *)) \\
  X(napi_get_value_double, (napi_env, napi_value, double *)) \\
  X(napi_get_value_external, (napi_env, napi_value, void **)) \\
  X(napi_get_typedarray_info, (napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *)) \\
  X(napi_call_function, (napi_env, napi_value, napi_value, size_t, const napi_value *, napi_value *)) \\
  X(napi_open_handle_scope, (napi_env, napi_scope *)) \\
  X(napi_close_handle_scope, (napi_env, napi_scope)) \\
  X(napi_create_async_work, (napi_env, napi_value, napi_value, void (*)(napi_env, void *), \\
                             void (*)(napi_env, int, void *), void *, napi_work *)) \\
  X(napi_queue_async_work, (napi_env, napi_work)) \\
  X(napi_delete_async_work, (napi_env, napi_work))
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#define DECLARE(name, parameters) static int (*name) parameters;
#define FIND(name, parameters) all &= (name = (int (*) parameters)GetProcAddress(GetModuleHandleA(0), #name)) != 0;
__declspec(dllimport) void *GetModuleHandleA(const char *);
__declspec(dllimport) void *GetProcAddress(void *, const char *);
__declspec(dllimport) int SwitchToThread(void);
#define GIVE_WAY() SwitchToThread()
#else
#define EXPORT __attribute__((visibility("default")))
#define DECLARE(name, parameters) extern int name parameters;
int sched_yield(void);
#define GIVE_WAY() sched_yield()
#endif
NODE_API(DECLARE)

struct crew;
struct place {
  char *base;
  napi_env env;
  napi_ref host;
  /* threads that share phases, or 0 */
  struct crew *crew;
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
/* link(memory, host, crew): the functions over a memory; the last two are not needed for functions that ask for nothing. */
static napi_value link_memory(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3], keeper, functions;
  struct place *place;
  napi_get_cb_info(env, info, &count, values, 0, 0);
  napi_create_arraybuffer(env, sizeof *place, (void **)&place, &keeper);
  napi_get_typedarray_info(env, values[0], 0, 0, (void **)&place->base, 0, 0);
  place->env = env;
  if (count > 1) {
    napi_set_named_property(env, keeper, "host", values[1]);
    napi_create_reference(env, keeper, 0, &place->host);
  }
  if (count > 2 && napi_get_value_external(env, values[2], (void **)&place->crew) == 0)
    napi_set_named_property(env, keeper, "crew", values[2]);
  napi_create_object(env, &functions);
  addAll(env, functions, place, keeper);
  add(env, functions, "move", move, place, keeper);
  return functions;
}
EXPORT int32_t node_api_module_get_api_version_v1(void) { return 8; }
/* What else an addon offers, beside "link". */
static void offer(napi_env env, napi_value exports);
EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value made;
#ifdef _WIN32
  int all = 1;
  NODE_API(FIND)
  if (!all) return 0;
#endif
  napi_create_function(env, "link", (size_t)-1, link_memory, 0, &made);
  napi_set_named_property(env, exports, "link", made);
  offer(env, exports);
  return exports;
}
`;
