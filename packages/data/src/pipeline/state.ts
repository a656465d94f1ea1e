/** The place of a `BatchPipeline` as a checkpoint stores it: a few numbers, whatever the length of the data. */
import { isSeed } from '../samples/random.ts';

export interface PipelineState {
  readonly seed: number;
  readonly shuffle: string;
  readonly window: number;
  /** Samples of the source; null for a stream. */
  readonly size: number | null;
  /** Shards of a stream; null for a source by index. */
  readonly shards: number | null;
  /** The sampler's signature; null without one. */
  readonly sampler: string | null;
  readonly epoch: number;
  readonly batch: number;
  readonly position: number;
  readonly shard: number;
  readonly record: number;
  readonly within: number;
}

export function isPipelineState(state: unknown): state is PipelineState {
  if (typeof state !== 'object' || state === null) return false;
  const { seed, shuffle, size, shards, sampler, ...places } = state as Partial<Record<keyof PipelineState, unknown>>;
  const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const names = ['window', 'epoch', 'batch', 'position', 'shard', 'record', 'within'] as const;
  return (
    isSeed(seed) &&
    typeof shuffle === 'string' &&
    (size === null || whole(size)) &&
    (shards === null || whole(shards)) &&
    (sampler === null || typeof sampler === 'string') &&
    names.every((name) => whole(places[name]))
  );
}
