/** The names of the page's controls and numbers: what help is about, what a lesson points at, what a link may fix. */
import { english, type Key } from '../i18n/english.ts';
import { type PlaceControl, placeControls } from '../places/control-names.ts';

/** Of the board, whose words are there from the start. */
export type BoardControl = Key extends infer Name ? (Name extends `help.${infer Rest}` ? Rest : never) : never;
export type ControlName = BoardControl | PlaceControl;

const prefix = 'help.';

export const isBoardControl = (name: string): name is BoardControl => Object.hasOwn(english.words, prefix + name);

const boardControls: readonly BoardControl[] = Object.keys(english.words).flatMap((key) => {
  const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
  return isBoardControl(name) ? [name] : [];
});
export const controlNames: readonly ControlName[] = [...boardControls, ...placeControls];
