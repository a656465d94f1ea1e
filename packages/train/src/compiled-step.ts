/**
 * The work of a step compiled: its arguments are the tensors of a batch, and what else a batch has says why it is missing.
 * Owns how a batch is taken apart and put together; what the work is is step.ts.
 */
import { isTensor, type Tensor, ValueError } from '@nn/core';

/** What a step does with a batch: which share of the samples of the step, or of their weights, it has, and whether the update follows. */
export type Work<B, R> = (batch: B, share: number | Tensor, isLast: boolean) => R;

/** A compiled function; some can answer at once where nothing has to be waited for. */
interface Compiled<A extends readonly unknown[], R> {
  (...given: A): Promise<R>;
  readonly atOnce?: (...given: A) => readonly [R] | null;
}

/** Makes a compiled function: `compile`, or what an optimizer of several ranks has for it. */
type Compiler<Made, R> = <A extends readonly unknown[]>(work: (...given: A) => Made) => Compiled<A, R>;

/** What batches of one loader have in common. */
interface Layout<R> {
  readonly names: readonly string[];
  /** For each name whether a compiled step sees it: tensors, and records and lists of them. */
  readonly isSeen: readonly boolean[];
  /** The work on a batch that is a step of its own, on its fields one by one. */
  readonly whole: Compiled<unknown[], R>;
  /** The work on a part of a step. */
  readonly part: Compiled<[fields: readonly unknown[], share: number | Tensor, isLast: boolean], R>;
}

/** What a call gives: where it can the result itself, for a promise is a tenth of a small step. */
function called<A extends readonly unknown[], R>(compiled: Compiled<A, R>, given: A): R | Promise<R> {
  const done = compiled.atOnce?.(...given) ?? null;
  return done === null ? compiled(...given) : done[0];
}

/**
 * The same work, compiled. The layout of the batch before is kept: small steps take microseconds, and records among the
 * arguments of a compiled function cost a tenth of that.
 */
export function compiledWork<B, Made, R>(work: Work<B, Made>, compiler: Compiler<Made, R>): Work<B, R | Promise<R>> {
  const layouts = new Map<string, Layout<R>>();
  let last: Layout<R> | null = null;
  // the cast: a tensor, or a list of tensors, as the batch is
  const plain = compiler(work as Work<unknown, Made>);
  return (batch, share, isLast) => {
    if (isTensor(batch) || Array.isArray(batch)) return called(plain, [batch, share, isLast]);
    const record = Object(batch) as Readonly<Record<string, unknown>>;
    let fields = last && fieldsOf(record, last);
    if (!last || !fields) {
      last = layoutOf(record, layouts, work, compiler);
      fields = fieldsOf(record, last) ?? [];
    }
    return share === 1 && isLast ? called(last.whole, fields) : called(last.part, [fields, share, isLast]);
  };
}

/** What the step sees of a batch, in the order of the layout; null where the batch has another. */
function fieldsOf(batch: Readonly<Record<string, unknown>>, { names, isSeen }: Layout<unknown>): unknown[] | null {
  const fields: unknown[] = [];
  let at = 0;
  for (const name in batch) {
    const value = batch[name];
    const isField = isMadeOfTensors(value);
    if (name !== names[at] || isField !== isSeen[at]) return null;
    if (isField) fields.push(value);
    at++;
  }
  return at === names.length ? fields : null;
}

function layoutOf<B, Made, R>(
  batch: Readonly<Record<string, unknown>>,
  layouts: Map<string, Layout<R>>,
  work: Work<B, Made>,
  compiler: Compiler<Made, R>,
): Layout<R> {
  const names: string[] = [];
  for (const name in batch) names.push(name);
  const isSeen = names.map((name) => isMadeOfTensors(batch[name]));
  const key = JSON.stringify([names, isSeen]);
  const known = layouts.get(key);
  if (known !== undefined) return known;
  // the cast: the fields that are tensors, and for what else the batch had an error that says so
  const batchOf = (fields: readonly unknown[]): B => assembled(names, isSeen, fields) as B;
  const layout = {
    names,
    isSeen,
    whole: compiler((...fields: unknown[]) => work(batchOf(fields), 1, true)),
    part: compiler((fields: readonly unknown[], share: number | Tensor, isLast: boolean) =>
      work(batchOf(fields), share, isLast),
    ),
  };
  layouts.set(key, layout);
  return layout;
}

function assembled(names: readonly string[], isSeen: readonly boolean[], fields: readonly unknown[]): object {
  const batch = {};
  let at = 0;
  for (const [k, name] of names.entries()) {
    const get = (): never => {
      throw new ValueError(
        'Training',
        `a compiled step cannot use batch.${name}: it sees the tensors of a batch alone; leave compile out, or make a tensor of it.`,
        { name },
      );
    };
    Object.defineProperty(batch, name, isSeen[k] ? { value: fields[at++], enumerable: true } : { get });
  }
  return batch;
}

function isMadeOfTensors(value: unknown): boolean {
  if (isTensor(value)) return true;
  if (Array.isArray(value)) return value.every(isMadeOfTensors);
  const isRecord = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
  return isRecord && Object.values(value).every(isMadeOfTensors);
}
