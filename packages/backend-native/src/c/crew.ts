/**
 * Threads of native code: a crew shares the phases of programs as the workers of @nn/backend-cpu do, by the same control words in
 * linear memory (see `threads/protocol.ts` there), but without JavaScript on the way: whoever waits spins for some tens of
 * microseconds and then sleeps on a condition. A crew belongs to the first addon; programs find its `share` in it.
 */
import { control } from '@nn/backend-cpu/tier';

/** What programs and the crew's own addon must agree on; above `node-api.ts`'s place. */
export const crewHead = `
typedef void (*worker)(struct place *, uint32_t control, uint32_t sequence, uint32_t own);
struct crew {
  /* hands the region {phase, table, scratch, own, units, pieces} to all, helps, and returns when it is done */
  void (*share)(struct crew *, struct place *, worker, const uint32_t *region);
};
`;

/** Threads without headers: a pthread_t is as long as a pointer, locks and conditions are shorter than 128 bytes. */
const system = `
typedef struct { char bytes[128]; } __attribute__((aligned(16))) lock_t;
#ifdef _WIN32
__declspec(dllimport) void *CreateThread(void *, size_t, unsigned long (*)(void *), void *, unsigned long, unsigned long *);
__declspec(dllimport) int CloseHandle(void *);
__declspec(dllimport) void AcquireSRWLockExclusive(lock_t *);
__declspec(dllimport) void ReleaseSRWLockExclusive(lock_t *);
__declspec(dllimport) int SleepConditionVariableSRW(lock_t *, lock_t *, unsigned long, unsigned long);
__declspec(dllimport) void WakeAllConditionVariable(lock_t *);
#define THREAD unsigned long
#define LOCK(lock) AcquireSRWLockExclusive(lock)
#define UNLOCK(lock) ReleaseSRWLockExclusive(lock)
#define SLEEP(condition, lock) SleepConditionVariableSRW(condition, lock, 0xffffffffu, 0)
#define WAKE_ALL(condition) WakeAllConditionVariable(condition)
static int started(THREAD (*work)(void *), void *with) {
  void *thread = CreateThread(0, 0, work, with, 0, 0);
  return thread != 0 && CloseHandle(thread);
}
static void prepare(lock_t *lock, lock_t *condition) { *lock = *condition = (lock_t){0}; }
#else
int pthread_create(void **, const void *, void *(*)(void *), void *);
int pthread_detach(void *);
int pthread_mutex_init(lock_t *, const void *);
int pthread_mutex_lock(lock_t *);
int pthread_mutex_unlock(lock_t *);
int pthread_cond_init(lock_t *, const void *);
int pthread_cond_wait(lock_t *, lock_t *);
int pthread_cond_broadcast(lock_t *);
#define THREAD void *
#define LOCK(lock) pthread_mutex_lock(lock)
#define UNLOCK(lock) pthread_mutex_unlock(lock)
#define SLEEP(condition, lock) pthread_cond_wait(condition, lock)
#define WAKE_ALL(condition) pthread_cond_broadcast(condition)
static int started(THREAD (*work)(void *), void *with) {
  void *thread;
  return pthread_create(&thread, 0, work, with) == 0 && pthread_detach(thread) == 0;
}
static void prepare(lock_t *lock, lock_t *condition) { pthread_mutex_init(lock, 0), pthread_cond_init(condition, 0); }
#endif
#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() (void)0
#endif
#define READ(from) __atomic_load_n(from, __ATOMIC_SEQ_CST)
#define WRITE(to, value) __atomic_store_n(to, value, __ATOMIC_SEQ_CST)
`;

/** Words that different threads write are on lines of their own. */
const members = `
struct member { struct crew_at_work *crew; uint32_t number; };
struct crew_at_work {
  struct crew head;
  /* where the control words are, and each helper's own memory */
  uint32_t control, ownAddress, ownBytes, helpers;
  worker work;
  char *base;
  char apart[128];
  uint32_t sequence;
  char away[128];
  uint32_t sleepers, alive, isEnding;
  lock_t lock, condition;
  struct member members[64];
};
`;

/** Turns of a pause each (some 20 to 40 nanoseconds) before a helper sleeps, and before the caller gives way. */
const patience = 2000;

const work = `
static void leave(struct crew_at_work *crew) {
  if (__atomic_sub_fetch(&crew->alive, 1, __ATOMIC_SEQ_CST) == 0) __builtin_free(crew);
}
static THREAD help(void *given) {
  const struct member *member = given;
  struct crew_at_work *crew = member->crew;
  uint32_t last = 0;
  for (;;) {
    for (int turns = 0; READ(&crew->sequence) == last && turns < ${patience}; turns++) PAUSE();
    if (READ(&crew->sequence) == last) {
      LOCK(&crew->lock);
      __atomic_add_fetch(&crew->sleepers, 1, __ATOMIC_SEQ_CST);
      while (READ(&crew->sequence) == last && !crew->isEnding) SLEEP(&crew->condition, &crew->lock);
      __atomic_sub_fetch(&crew->sleepers, 1, __ATOMIC_SEQ_CST);
      const uint32_t isEnding = crew->isEnding;
      UNLOCK(&crew->lock);
      if (isEnding) break;
    }
    last = READ(&crew->sequence);
    /* words of a later region, if we are late: then the old sequence number claims nothing */
    struct place here = {READ(&crew->base)};
    READ(&crew->work)(&here, crew->control, last, READ(&crew->ownAddress) + member->number * READ(&crew->ownBytes));
  }
  leave(crew);
  return 0;
}
static void share(struct crew *head, struct place *place, worker work, const uint32_t *region) {
  struct crew_at_work *crew = (struct crew_at_work *)head;
  char *const words = place->base + crew->control;
  const uint32_t sequence = crew->sequence + 1;
  /* nobody claims a piece of the region before with words of this one */
  WRITE((uint32_t *)(words + ${control.next} + 4), sequence);
  WRITE(&crew->work, work);
  WRITE(&crew->base, place->base);
  *(uint32_t *)(words + ${control.phase}) = region[0];
  *(uint32_t *)(words + ${control.table}) = region[1];
  *(uint32_t *)(words + ${control.scratch}) = region[2];
  *(uint32_t *)(words + ${control.units}) = region[4];
  *(uint32_t *)(words + ${control.pieces}) = region[5];
  WRITE((uint32_t *)(words + ${control.finished}), 0);
  WRITE((uint64_t *)(words + ${control.next}), (uint64_t)sequence << 32);
  WRITE(&crew->sequence, sequence);
  if (READ(&crew->sleepers) > 0) {
    LOCK(&crew->lock);
    WAKE_ALL(&crew->condition);
    UNLOCK(&crew->lock);
  }
  work(place, crew->control, sequence, region[3]);
  for (int turns = 0; READ((uint32_t *)(words + ${control.finished})) < region[5]; turns++) {
    if (turns < ${patience}) PAUSE();
    else GIVE_WAY();
  }
}
static void end(napi_env env, void *given, void *hint) {
  struct crew_at_work *crew = given;
  LOCK(&crew->lock);
  crew->isEnding = 1;
  WAKE_ALL(&crew->condition);
  UNLOCK(&crew->lock);
  leave(crew);
}
/* crew(threads, control): a crew of so many, with the caller; null where no thread can be started. */
static napi_value make_crew(napi_env env, napi_callback_info info) {
  int32_t words[10];
  arguments(env, info, 2, words);
  struct crew_at_work *crew = __builtin_calloc(1, sizeof *crew);
  if (crew == 0) return 0;
  crew->head.share = share;
  crew->control = words[1];
  crew->alive = 1;
  prepare(&crew->lock, &crew->condition);
  for (int32_t number = 0; number < words[0] - 1 && number < 64; number++) {
    struct member *member = crew->members + crew->helpers;
    *member = (struct member){crew, crew->helpers};
    __atomic_add_fetch(&crew->alive, 1, __ATOMIC_SEQ_CST);
    if (started(help, member)) crew->helpers++;
    else __atomic_sub_fetch(&crew->alive, 1, __ATOMIC_SEQ_CST);
  }
  napi_value made;
  if (napi_create_external(env, crew, end, 0, &made) != 0) {
    end(env, crew, 0);
    return 0;
  }
  return made;
}
/* own(crew, address, bytes): memory of the helpers alone, while nothing runs. */
static napi_value give_own(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3];
  struct crew_at_work *crew;
  int32_t address, bytes;
  napi_get_cb_info(env, info, &count, values, 0, 0);
  if (napi_get_value_external(env, values[0], (void **)&crew) != 0) return 0;
  napi_get_value_int32(env, values[1], &address);
  napi_get_value_int32(env, values[2], &bytes);
  WRITE(&crew->ownAddress, (uint32_t)address);
  WRITE(&crew->ownBytes, (uint32_t)bytes);
  return 0;
}
static void offer(napi_env env, napi_value exports) {
  napi_value made;
  napi_create_function(env, "crew", (size_t)-1, make_crew, 0, &made);
  napi_set_named_property(env, exports, "crew", made);
  napi_create_function(env, "own", (size_t)-1, give_own, 0, &made);
  napi_set_named_property(env, exports, "own", made);
}
`;

export const crew: string = `${system}${members}${work}`;
