/**
 * The settings of one layer: what Keras calls its config, read by name and type, with Keras' defaults given by who asks.
 * Every error names the layer. How settings of Keras 1 are called is `keras1.ts`.
 */
import { excerpt, FormatError } from '@nn/core';
import { fieldOf, isList, isObject, type Json, type JsonObject, shown } from './json.ts';

/** The generation of Keras: some of its numbers differ. tf.keras is 2. */
export type Generation = 1 | 2 | 3;

export class Settings {
  /** The name of the layer in its model. */
  readonly layer: string;
  readonly className: string;
  readonly values: JsonObject;
  readonly generation: Generation;

  constructor(layer: string, className: string, values: JsonObject, generation: Generation) {
    this.layer = layer;
    this.className = className;
    this.values = values;
    this.generation = generation;
  }

  /** Whether the file has a value that is not null. */
  has(name: string): boolean {
    return (fieldOf(this.values, name) ?? null) !== null;
  }

  raw(name: string): Json | undefined {
    return fieldOf(this.values, name);
  }

  number(name: string, fallback?: number): number {
    const value = this.raw(name) ?? fallback;
    // Keras 3 writes numbers of NumPy as { class_name: '__numpy__', config: { value } }.
    const found = isObject(value) ? fieldOf(fieldOf(value, 'config'), 'value') : value;
    if (typeof found === 'number' && Number.isFinite(found)) return found;
    return this.wrong(name, 'a number');
  }

  /** A whole number of at least `least`. */
  whole(name: string, fallback?: number, least = 1): number {
    const value = this.number(name, fallback);
    if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
    return this.wrong(name, `a whole number of at least ${least}`);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    // Keras 1 wrote 0 and 1 in places.
    if (value === 0 || value === 1) return value === 1;
    return this.wrong(name, 'true or false');
  }

  text(name: string, fallback?: string): string {
    const value = this.raw(name) ?? fallback;
    if (typeof value === 'string') return value;
    return this.wrong(name, 'a text');
  }

  /** One of the words, in small letters. */
  word<const Word extends string>(name: string, words: readonly Word[], fallback?: NoInfer<Word>): Word {
    const value = this.text(name, fallback).toLowerCase();
    const found = words.find((word) => word === value);
    return found ?? this.wrong(name, words.map((word) => `'${word}'`).join(', '));
  }

  /** A whole number for each of `rank` axes; one number counts for all. */
  sizes(name: string, rank: number, fallback?: number | readonly number[], least = 1): number[] {
    const value = this.raw(name) ?? fallback;
    const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : value;
    const isSize = (size: unknown): size is number =>
      typeof size === 'number' && Number.isInteger(size) && size >= least && size < 2 ** 31;
    if (Array.isArray(list) && list.length === rank && list.every(isSize)) return [...list];
    return this.wrong(name, rank === 1 ? 'a whole number' : `${rank} whole numbers`);
  }

  /** A list of whole numbers of any length; a single number is a list of one. */
  wholes(name: string, fallback?: readonly number[]): number[] {
    const value = this.raw(name) ?? fallback;
    const list = typeof value === 'number' ? [value] : value;
    if (Array.isArray(list) && list.every((item) => Number.isInteger(item))) return [...list];
    return this.wrong(name, 'a list of whole numbers');
  }

  /** The object of a layer, an activation and the like. */
  object(name: string): JsonObject {
    const value = this.raw(name);
    return isObject(value) ? value : this.wrong(name, 'an object');
  }

  list(name: string): readonly Json[] {
    const value = this.raw(name);
    return isList(value) ? value : this.wrong(name, 'a list');
  }

  /** Throws that the value is not what it must be. */
  wrong(name: string, expected: string): never {
    return this.fail(`${name} is ${shown(this.raw(name))}; ${expected} is expected.`, { setting: name });
  }

  /** Throws that this layer cannot be read as it is. */
  fail(words: string, data: Readonly<Record<string, unknown>> = {}): never {
    throw new FormatError('loadKeras/layer', `${this.title}: ${words}`, {
      layer: this.layer,
      className: this.className,
      ...data,
    });
  }

  /** The layer as messages name it. */
  get title(): string {
    return `layer '${excerpt(this.layer)}' (${excerpt(this.className)})`;
  }
}
