/**
 * The arguments and results of compiled functions: arrays and records with their tensors taken out, named by their place.
 * Owns taking apart, putting together, and the text that says which calls are alike.
 */
import { ValueError } from './errors.ts';
import { isTensor, type Tensor } from './tensor.ts';

/** A value with its tensors replaced by numbers. */
export type Shaped =
  | { readonly kind: 'tensor'; readonly position: number }
  | { readonly kind: 'list'; readonly items: readonly Shaped[] }
  | { readonly kind: 'record'; readonly entries: readonly (readonly [string, Shaped])[] }
  | { readonly kind: 'other'; readonly value: unknown };

/** Tensors by their place, everything else by value. */
export function describe(shaped: Shaped): string {
  switch (shaped.kind) {
    case 'tensor':
      return `#${shaped.position}`;
    case 'list':
      return `[${shaped.items.map(describe).join()}]`;
    case 'record':
      return `{${shaped.entries.map(([key, item]) => `${JSON.stringify(key)}:${describe(item)}`).join()}}`;
    default:
      return String(JSON.stringify(shaped.value, describeOther));
  }
}

/** Values other than tensors are part of the key: numbers and strings by value, objects refused. */
function describeOther(_: string, value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    throw new ValueError('compile', `an argument is a ${typeof value}: use it from outside instead.`);
  }
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** Takes the tensors out of arrays and plain records. */
export function take(value: unknown, tensors: Tensor[]): Shaped {
  if (isTensor(value)) return { kind: 'tensor', position: tensors.push(value) - 1 };
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => take(item, tensors)) };
  if (!isRecord(value)) return { kind: 'other', value };
  return { kind: 'record', entries: Object.entries(value).map(([key, item]) => [key, take(item, tensors)] as const) };
}

/** Plain ones, and those without a prototype, as the lengths of a loader's batch. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a value is taken apart as one before it was; its tensors go to `tensors`. Objects are not looked into: they are not. */
export function isShapedAs(shaped: Shaped, value: unknown, tensors: Tensor[]): boolean {
  switch (shaped.kind) {
    case 'tensor':
      if (!isTensor(value)) return false;
      tensors.push(value);
      return true;
    case 'list': {
      const { items } = shaped;
      if (!Array.isArray(value) || value.length !== items.length) return false;
      for (let at = 0; at < items.length; at++) if (!isShapedAs(items[at]!, value[at], tensors)) return false;
      return true;
    }
    case 'record': {
      if (!isRecord(value)) return false;
      let at = 0;
      for (const key in value) {
        const entry = shaped.entries[at++];
        if (entry === undefined || entry[0] !== key || !isShapedAs(entry[1], value[key], tensors)) return false;
      }
      return at === shaped.entries.length;
    }
    default:
      return Object.is(shaped.value, value) && (typeof value !== 'object' || value === null);
  }
}

export function rebuild(shaped: Shaped, tensorAt: (position: number) => Tensor): unknown {
  switch (shaped.kind) {
    case 'tensor':
      return tensorAt(shaped.position);
    case 'list':
      return shaped.items.map((item) => rebuild(item, tensorAt));
    case 'record':
      return Object.fromEntries(shaped.entries.map(([key, item]) => [key, rebuild(item, tensorAt)]));
    default:
      return shaped.value;
  }
}
