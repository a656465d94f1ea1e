/**
 * The C of one program: its functions and those of the library that it calls, translated (see `translate.ts`); products as
 * `products.ts` has them, transforms as `winograd.ts`; and the doors: `run` for the engine, `start` and `join` for a run beside the event loop, `work` for
 * threads of JavaScript, and back to the host for what only its mathematics can do. A program that asks the host has neither
 * threads of native code nor `start`: the host answers on its own thread alone.
 */
import { crewHead } from './crew.ts';
import { readModule, type WasmModule } from './module.ts';
import { nodeApi } from './node-api.ts';
import { callOf, functions, products } from './products.ts';
import { head, translate } from './translate.ts';
import { vectorsFor } from './vectors.ts';
import { transforms, winograd } from './winograd.ts';

const doors = `
/* a function of the host: of numbers to a number */
static double asked(struct place *place, const char *name, int count, double x, double y) {
  napi_scope scope;
  napi_value keeper, host, function, values[2], result;
  double found = 0;
  napi_open_handle_scope(place->env, &scope);
  napi_get_reference_value(place->env, place->host, &keeper);
  napi_get_named_property(place->env, keeper, "host", &host);
  napi_get_named_property(place->env, host, name, &function);
  napi_create_double(place->env, x, values);
  napi_create_double(place->env, y, values + 1);
  if (napi_call_function(place->env, host, function, count, values, &result) == 0)
    napi_get_value_double(place->env, result, &found);
  napi_close_handle_scope(place->env, scope);
  return found;
}
static double host_sin(struct place *place, double x) { return asked(place, "sin", 1, x, 0); }
static double host_cos(struct place *place, double x) { return asked(place, "cos", 1, x, 0); }
static double host_pow(struct place *place, double x, double y) { return asked(place, "pow", 2, x, y); }
static double host_mod(struct place *place, double x, double y) { return asked(place, "mod", 2, x, y); }
static void host_parallel(struct place *place, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f) {
  const uint32_t words[6] = {a, b, c, d, e, f};
#ifdef WORK
  if (place->crew) {
    place->crew->share(place->crew, place, WORK, words);
    return;
  }
#endif
  napi_scope scope;
  napi_value keeper, host, function, values[6], result;
  napi_open_handle_scope(place->env, &scope);
  napi_get_reference_value(place->env, place->host, &keeper);
  napi_get_named_property(place->env, keeper, "host", &host);
  napi_get_named_property(place->env, host, "parallel", &function);
  for (int at = 0; at < 6; at++) napi_create_int32(place->env, (int32_t)words[at], values + at);
  /* an error stays pending: it is thrown when the call from JavaScript returns */
  napi_call_function(place->env, host, function, 6, values, &result);
  napi_close_handle_scope(place->env, scope);
}
`;

/**
 * A run on a thread of libuv's. One of a place at a time; whoever needs its results at once joins, and `done` is called by the
 * event loop all the same.
 */
const background = `
struct job {
  struct place *place;
  uint32_t words[4], isDone;
  napi_ref done;
  napi_work work;
};
static void work_off(napi_env env, void *data) {
  struct job *job = data;
  RUN(job->place, job->words[0], job->words[1], job->words[2], job->words[3]);
  __atomic_store_n(&job->isDone, 1, __ATOMIC_SEQ_CST);
}
static void job_ended(napi_env env, int status, void *data) {
  struct job *job = data;
  napi_scope scope;
  napi_value done, result;
  __atomic_store_n(&job->isDone, 1, __ATOMIC_SEQ_CST);
  napi_open_handle_scope(env, &scope);
  if (napi_get_reference_value(env, job->done, &done) == 0) napi_call_function(env, done, done, 0, 0, &result);
  napi_delete_reference(env, job->done);
  napi_delete_async_work(env, job->work);
  napi_close_handle_scope(env, scope);
  __builtin_free(job);
}
/* start(table, scratch, first, end, done): the job, for whoever joins; nothing where there can be none. */
static napi_value start(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value values[5], name, made = 0;
  void *place;
  struct job *job = __builtin_calloc(1, sizeof *job);
  if (job == 0) return 0;
  napi_get_cb_info(env, info, &count, values, 0, &place);
  for (int at = 0; at < 4; at++) napi_get_value_int32(env, values[at], (int32_t *)job->words + at);
  job->place = place;
  napi_create_string_utf8(env, "nn", 2, &name);
  if (napi_create_async_work(env, 0, name, work_off, job_ended, job, &job->work) != 0) {
    __builtin_free(job);
    return 0;
  }
  napi_create_reference(env, values[4], 1, &job->done);
  napi_create_external(env, job, 0, 0, &made);
  napi_queue_async_work(env, job->work);
  return made;
}
/* join(job): before 'done' was called. */
static napi_value join(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value given;
  struct job *job;
  napi_get_cb_info(env, info, &count, &given, 0, 0);
  if (napi_get_value_external(env, given, (void **)&job) == 0)
    while (!__atomic_load_n(&job->isDone, __ATOMIC_SEQ_CST)) GIVE_WAY();
  return 0;
}
`;

const parameters = (count: number): string => Array.from({ length: count }, (_, at) => `, uint32_t w${at}`).join('');
const named = (count: number): string => Array.from({ length: count }, (_, at) => `w${at}`).join(', ');

/** Functions of the library that are written by hand, with the number of their arguments. */
const written: Readonly<Record<string, number>> = { ...functions, ...transforms };

/** The functions of a module that some of its own functions reach, as C. */
class Room {
  readonly heads: string[] = [];
  readonly bodies: string[] = [];
  readonly #module: WasmModule;
  readonly #prefix: string;
  readonly #imported: (from: string, name: string) => string;
  readonly #known = new Set<number>();

  constructor(module: WasmModule, prefix: string, imported: (from: string, name: string) => string) {
    this.#module = module;
    this.#prefix = prefix;
    this.#imported = imported;
  }
  /** The name of an exported function. */
  exported(name: string): string {
    const index = this.#module.exports.get(name);
    if (index === undefined) throw new TypeError(`the module exports no ${name}`);
    return this.name(index);
  }
  has(name: string): boolean {
    return this.#module.exports.has(name);
  }
  table(): string[] {
    return this.#module.table.map((index) => this.name(index));
  }
  /** The name of a function, which is translated when it is first asked for. */
  name(index: number): string {
    const { imports, functions: own } = this.#module;
    const imported = imports[index];
    if (imported) return this.#imported(imported.from, imported.name);
    const name = `${this.#prefix}${index}`;
    if (!this.#known.has(index)) {
      this.#known.add(index);
      this.heads.push(`${head(own[index - imports.length]!, name)};`);
      this.bodies.push(translate(this.#module, index, (other) => this.name(other)));
    }
    return name;
  }
}

/** The source for a program's module, and for the library's, which it imports. */
export function programSource(program: Uint8Array, library: Uint8Array): string {
  const byHand = new Set<string>();
  let asksHost = false;
  const imported = (from: string, name: string): string => {
    asksHost ||= name !== 'parallel';
    return `${from}_${name}`;
  };
  const others = new Room(readModule(library), 'q', imported);
  const own = new Room(readModule(program), 'p', (from, name) => {
    if (from !== 'library') return imported(from, name);
    if (written[name] === undefined) return others.exported(name);
    byHand.add(name);
    return `library_${name}`;
  });
  const run = own.exported('run');
  const table = own.table();
  const work = own.has('work') ? own.exported('work') : null;
  const wrapped = [...byHand].map((name) => {
    const count = written[name]!;
    return `static void library_${name}(struct place *place${parameters(count)}) {
  char *const base = place->base;
  const int32_t words[] = {${named(count)}};
  ${transforms[name] === undefined ? callOf(name) : `${name}Of(base, words)`};
}`;
  });
  const door = (name: string, target: string, count: number): string => `
static napi_value ${name}(napi_env env, napi_callback_info info) {
  int32_t words[10];
  struct place *const place = arguments(env, info, ${count}, words);
  ${target}(place, ${Array.from({ length: count }, (_, at) => `words[${at}]`).join(', ')});
  return 0;
}`;
  const offered = ['run', ...(work === null ? [] : ['work']), ...(asksHost ? [] : ['start', 'join'])];
  const text = [
    nodeApi,
    crewHead,
    ...(work === null || asksHost
      ? []
      : [`static void ${work}(struct place *, uint32_t, uint32_t, uint32_t);\n#define WORK ${work}`]),
    doors,
    ...(byHand.size > 0 ? [products] : []),
    ...([...byHand].some((name) => transforms[name] !== undefined) ? [winograd] : []),
    ...wrapped,
    ...others.heads,
    ...own.heads,
    ...(table.length > 0
      ? [`static void (*const table[])(struct place *${', uint32_t'.repeat(5)}) = {${table.join(', ')}};`]
      : []),
    ...others.bodies,
    ...own.bodies,
    door('run', run, 4),
    ...(work === null ? [] : [door('work', work, 3)]),
    ...(asksHost ? [] : [`#define RUN ${run}`, background]),
    `static void addAll(napi_env env, napi_value to, void *data, napi_value keeper) {
${offered.map((name) => `  add(env, to, "${name}", ${name}, data, keeper);`).join('\n')}
}
static void offer(napi_env env, napi_value exports) {}`,
  ].join('\n');
  return `${vectorsFor(text)}\n${text}`;
}
