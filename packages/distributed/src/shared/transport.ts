/**
 * Numbers between threads through shared memory. A sum: each rank puts its numbers into its slot, all meet, each adds up its
 * part of all slots in the order of ranks, all meet, each takes the whole result. Every rank has the same bits.
 */

import { type Numbers, partOf, type Reduction, type Transport } from '../group.ts';
import { GroupError } from '../group-error.ts';
import { type Announcement, SharedMemory, slotBytes } from './memory.ts';

const kinds = [Float32Array, Float64Array, Int32Array] as const;
const calls = ['allReduce', 'broadcast', 'allGather', 'reduceScatter', 'allToAll', 'barrier'] as const;
type Call = (typeof calls)[number];

export interface SharedOptions {
  readonly buffer: SharedArrayBuffer;
  readonly rank: number;
  readonly size: number;
  readonly timeout: number;
  /** What follows when the group is closed. */
  readonly closed: () => Promise<void> | void;
}

/** A rank of a group in shared memory. */
export function sharedTransport({ buffer, rank, size, timeout, closed }: SharedOptions): Transport {
  const memory = new SharedMemory(buffer, rank, size, timeout);

  /** All say what they do before anything is done. */
  function agree(call: Call, values: Numbers | null): void {
    const kind = values === null ? -1 : kinds.findIndex((Kind) => values instanceof Kind);
    const all = memory.announce(call, [calls.indexOf(call), kind, values?.length ?? 0]);
    const own = all[rank]!;
    const other = all.findIndex((theirs) => theirs.join() !== own.join());
    if (other < 0) return;
    throw new GroupError(
      call,
      `rank ${rank} calls ${inWords(own)}, rank ${other} ${inWords(all[other]!)}: all ranks make the same calls in the same order.`,
      { rank, other },
    );
  }

  /** The numbers of a rank's slot; those of rank `size` are the results. */
  const slot = (of: number, like: Numbers, length: number): Numbers => view(like, buffer, memory.placeOf(of), length);

  /** Calls `work` for pieces that fit into a slot. */
  function inPieces(length: number, bytes: number, work: (from: number, to: number) => void): void {
    const most = Math.floor(slotBytes / bytes);
    for (let from = 0; from < length; from += most) work(from, Math.min(length, from + most));
  }

  /** The reduction of a range of all slots, in the order of ranks. */
  function reduced(like: Numbers, from: number, to: number, reduction: Reduction, into: Numbers): void {
    into.set(slot(0, like, to).subarray(from, to));
    for (let other = 1; other < size; other++) {
      combine(into, slot(other, like, to).subarray(from, to), reduction);
    }
  }

  return {
    name: 'workers',
    rank,
    size,
    allReduce(values, reduction) {
      agree('allReduce', values);
      inPieces(values.length, values.BYTES_PER_ELEMENT, (from, to) => {
        slot(rank, values, to - from).set(values.subarray(from, to));
        memory.meet('allReduce');
        const [first, end] = partOf(to - from, rank, size);
        reduced(values, first, end, reduction, slot(size, values, end).subarray(first, end));
        memory.meet('allReduce');
        // the next piece is written into slots, which all have read, and results follow after all have met again
        values.set(slot(size, values, to - from), from);
      });
    },
    broadcast(values, root) {
      agree('broadcast', values);
      inPieces(values.length, values.BYTES_PER_ELEMENT, (from, to) => {
        if (rank === root) slot(root, values, to - from).set(values.subarray(from, to));
        memory.meet('broadcast');
        if (rank !== root) values.set(slot(root, values, to - from), from);
        memory.meet('broadcast');
      });
    },
    allGather(values, all) {
      agree('allGather', values);
      inPieces(values.length, values.BYTES_PER_ELEMENT, (from, to) => {
        slot(rank, values, to - from).set(values.subarray(from, to));
        memory.meet('allGather');
        for (let other = 0; other < size; other++)
          all.set(slot(other, values, to - from), other * values.length + from);
        memory.meet('allGather');
      });
    },
    allToAll(values, received) {
      agree('allToAll', values);
      const part = values.length / size;
      // a piece of each part at once
      inPieces(part, values.BYTES_PER_ELEMENT * size, (from, to) => {
        const length = to - from;
        const mine = slot(rank, values, length * size);
        for (let other = 0; other < size; other++) {
          mine.set(values.subarray(other * part + from, other * part + to), other * length);
        }
        memory.meet('allToAll');
        for (let other = 0; other < size; other++) {
          const theirs = slot(other, values, length * size).subarray(rank * length, (rank + 1) * length);
          received.set(theirs, other * part + from);
        }
        memory.meet('allToAll');
      });
    },
    reduceScatter(values, part, bounds) {
      agree('reduceScatter', values);
      const [first, end] = [bounds[rank]!, bounds[rank + 1]!];
      inPieces(values.length, values.BYTES_PER_ELEMENT, (from, to) => {
        slot(rank, values, to - from).set(values.subarray(from, to));
        memory.meet('reduceScatter');
        const [low, high] = [Math.max(first, from), Math.min(end, to)];
        if (low < high) reduced(values, low - from, high - from, 'sum', part.subarray(low - first, high - first));
        memory.meet('reduceScatter');
      });
    },
    barrier: () => agree('barrier', null),
    abort: (reason) => memory.end(reason),
    close: closed,
  };
}

function inWords([call, kind, length]: Announcement): string {
  const name = calls[call] ?? 'nothing';
  return kind < 0 ? name : `${name} of ${length} in a ${kinds[kind]?.name ?? 'list'}`;
}

function view(like: Numbers, buffer: SharedArrayBuffer, place: number, length: number): Numbers {
  if (like instanceof Float32Array) return new Float32Array(buffer, place, length);
  if (like instanceof Float64Array) return new Float64Array(buffer, place, length);
  return new Int32Array(buffer, place, length);
}

function combine(into: Numbers, more: Numbers, reduction: Reduction): void {
  if (reduction === 'sum') for (let at = 0; at < into.length; at++) into[at] = into[at]! + more[at]!;
  else if (reduction === 'max') for (let at = 0; at < into.length; at++) into[at] = Math.max(into[at]!, more[at]!);
  else for (let at = 0; at < into.length; at++) into[at] = Math.min(into[at]!, more[at]!);
}
