/**
 * JSON that others wrote, read with suspicion: its form is checked where it is read, its depth before anybody walks it.
 * What the words of Keras mean is for `settings.ts` and `topology.ts`.
 */
import { decodeUtf8, excerpt, FormatError } from '@nn/core';

/** What JSON holds. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Models in models in models: deeper nobody builds, and walks are recursive. */
const deepest = 200;

/** The value of a text. Throws a `FormatError` that says where it ends, or what is no JSON in it. */
export function parseJson(source: string | Uint8Array, what: string): Json {
  const text = typeof source === 'string' ? source : decodeUtf8(source);
  if (text === undefined) throw new FormatError('loadKeras/json', `${what} is not UTF-8 text; the file is damaged.`);
  if (depthOf(text) > deepest) {
    throw new FormatError('loadKeras/json', `${what} is nested more than ${deepest} deep; no model is.`);
  }
  try {
    // the cast: a parser gives nothing else
    return JSON.parse(text) as Json;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      'loadKeras/json',
      `${what} is no JSON (${excerpt(why, 120)}); the file is cut off or damaged.`,
    );
  }
}

/** How deep brackets are nested, without parsing. */
function depthOf(text: string): number {
  let [depth, most] = [0, 0];
  for (let at = 0, inText = false; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inText) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inText = false;
    } else if (code === 0x22) inText = true;
    else if (code === 0x7b || code === 0x5b) most = Math.max(most, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return most;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The own field of an object: what a file calls `constructor` is not JavaScript's. */
export function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The text of a field, undefined where it is none. */
export function textOf(value: Json | undefined, name: string): string | undefined {
  const found = fieldOf(value, name);
  return typeof found === 'string' ? found : undefined;
}

/** The shape in a field, null for sizes that are not known; undefined where there is none. */
export function shapeOf(value: Json | undefined, name: string): readonly (number | null)[] | undefined {
  const found = fieldOf(value, name);
  if (!isList(found)) return undefined;
  const isSize = (size: Json): size is number | null =>
    size === null || (typeof size === 'number' && Number.isInteger(size) && size >= 0);
  return found.every(isSize) ? found : undefined;
}

/** A value of a file as it may stand in a message. */
export function shown(value: Json | undefined): string {
  return excerpt(JSON.stringify(value) ?? 'nothing', 60);
}
