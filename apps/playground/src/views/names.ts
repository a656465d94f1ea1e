/** The names of the page's controls and numbers: what help is about, what a lesson points at, what a link may fix. */
import { english, type Key } from '../i18n/english.ts';

export type ControlName = Key extends infer Name ? (Name extends `help.${infer Rest}` ? Rest : never) : never;

const prefix = 'help.';

export const isControlName = (name: string): name is ControlName => Object.hasOwn(english.words, prefix + name);

export const controlNames: readonly ControlName[] = Object.keys(english.words).flatMap((key) => {
  const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
  return isControlName(name) ? [name] : [];
});
