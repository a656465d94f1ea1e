/**
 * Trials that are dealt out to the ranks of a group: each runs its share in its own thread, then all know all results. Every rank
 * makes the same search, so that nothing but results and the wish to end has to travel. Owns how they do.
 */
import { type AbortSignalLike, type SentError, sentError, ValueError } from '@nn/core';
import type { Ranks } from '../ranks.ts';
import { errorFrom } from './channel.ts';
import type { Job, JobResult, Pool } from './trials.ts';

/** A job that was taken and waits for the others that were taken with it. */
interface Taken<Input, Result> {
  readonly job: Job<Input>;
  readonly resolve: (result: JobResult<Result>) => void;
  readonly reject: (error: unknown) => void;
}

/** What a rank found, as it travels. */
type Sent = { readonly seconds: number } & ({ readonly result: unknown } | { readonly error: SentError });

export class RanksPool<Input, Result> implements Pool<Input, Result> {
  readonly size: number;
  /** All at once: who runs which is known before. */
  readonly most: number = Number.POSITIVE_INFINITY;
  readonly #group: Ranks;
  readonly #own: Pool<Input, Result>;
  #taken: Taken<Input, Result>[] = [];
  #signal: AbortSignalLike | undefined;

  constructor(group: Ranks, own: Pool<Input, Result>) {
    [this.#group, this.#own, this.size] = [group, own, group.size];
  }

  /** A signal of one rank ends the work of all, when they tell each other their results. */
  check(signal: AbortSignalLike | undefined): void {
    this.#signal = signal;
  }

  run(job: Job<Input>): Promise<JobResult<Result>> {
    return new Promise((resolve, reject) => {
      this.#taken.push({ job, resolve, reject });
      // after everything else that takes jobs in this turn
      if (this.#taken.length === 1) setTimeout(() => void this.#deal(), 0);
    });
  }

  close(): Promise<void> {
    return this.#own.close();
  }

  async #deal(): Promise<void> {
    const taken = this.#taken;
    this.#taken = [];
    try {
      const { rank, size } = this.#group;
      const sent: Sent[] = [];
      for (let at = rank; at < taken.length && this.#signal?.aborted !== true; at += size) {
        sent.push(sendable(await this.#own.run(taken[at]!.job)));
      }
      const isAborted = this.#signal?.aborted === true;
      const all = await gathered(this.#group, { isAborted, sent });
      const ending = all.findIndex((other) => other.isAborted);
      if (isAborted) this.#signal?.throwIfAborted();
      if (ending >= 0) {
        throw new ValueError('search', `the signal of rank ${ending} of ${size} ended it.`, { rank: ending });
      }
      for (const [at, { resolve }] of taken.entries()) {
        const found = all[at % size]!.sent[Math.floor(at / size)]!;
        const { seconds } = found;
        // the cast: what the same trial gave on another rank
        resolve(
          'error' in found ? { seconds, error: errorFrom(found.error) } : { seconds, result: found.result as Result },
        );
      }
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }
}

/** A result that cannot travel is an error of its trial. */
function sendable(found: JobResult<unknown>): Sent {
  const { seconds } = found;
  if ('error' in found) return { seconds, error: portableError(sentError(found.error)) };
  try {
    portable(found.result, []);
    return { seconds, result: found.result };
  } catch (error) {
    return { seconds, error: portableError(sentError(error)) };
  }
}

/** What travels as text of an error: facts and causes that text cannot hold are left out. */
function portableError({ facts, cause, ...sent }: SentError): SentError {
  const data = Object.entries(facts?.data ?? {}).filter(([, value]) => isText(value));
  const inner = cause && 'error' in cause ? { error: portableError(cause.error) } : cause;
  return {
    ...sent,
    ...(facts && { facts: { ...facts, data: Object.fromEntries(data) } }),
    ...(inner && isText(inner) && { cause: inner }),
  };
}

function isText(value: unknown): boolean {
  try {
    portable(value, []);
    return true;
  } catch {
    return false;
  }
}

interface Said {
  readonly isAborted: boolean;
  readonly sent: readonly Sent[];
}

/** What all ranks say, as text followed by bytes. */
async function gathered(group: Ranks, said: Said): Promise<Said[]> {
  const bytes: Uint8Array[] = [];
  const text = new TextEncoder().encode(JSON.stringify(portable(said, bytes)));
  const parts = [text, ...bytes];
  const lengths = Int32Array.from(parts, ({ length }) => length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  // all send as many words: the counts, the lengths, the parts
  const sizes = await group.allGather(Int32Array.of(lengths.length, total));
  const each = Array.from({ length: group.size }, (_, rank) => [sizes[2 * rank]!, sizes[2 * rank + 1]!] as const);
  const words = Math.max(...each.map(([count, size]) => count + Math.ceil(size / 4)));
  const own = new Int32Array(words);
  own.set(lengths);
  let place = 4 * lengths.length;
  for (const part of parts) {
    new Uint8Array(own.buffer).set(part, place);
    place += part.length;
  }
  const all = await group.allGather(own);
  return each.map(([count], rank) => {
    const theirs = all.slice(rank * words, (rank + 1) * words);
    let start = 4 * count;
    const [first, ...rest] = Array.from(theirs.subarray(0, count), (length) => {
      start += length;
      return new Uint8Array(theirs.buffer, start - length, length);
    });
    // the cast: what `portable` made of such
    return restored(JSON.parse(new TextDecoder().decode(first)), rest) as Said;
  });
}

/** A value as JSON has it; bytes, and numbers that JSON has not, are named. */
function portable(value: unknown, bytes: Uint8Array[]): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) };
  if (value instanceof Uint8Array) return { $bytes: bytes.push(value) - 1 };
  if (Array.isArray(value)) return value.map((item) => portable(item, bytes));
  if (isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, portable(item, bytes)]));
  if (value === null || value === undefined || ['number', 'string', 'boolean'].includes(typeof value)) return value;
  throw new ValueError(
    'search',
    `a trial returned ${value?.constructor?.name ?? typeof value}, which does not travel to other ranks: return numbers, text, lists and records of them, and bytes as Uint8Array.`,
  );
}

function restored(value: unknown, bytes: readonly Uint8Array[]): unknown {
  if (Array.isArray(value)) return value.map((item) => restored(item, bytes));
  if (!isPlain(value)) return value;
  if (typeof value.$number === 'string') return Number(value.$number);
  if (typeof value.$bytes === 'number') return bytes[value.$bytes];
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item, bytes)]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
