/**
 * What a lesson is: plain data in a JSON file, which teachers write and the page checks (apps/playground/LESSONS.md tells
 * how). Nothing in it is executed: texts are shown as they are, addresses are read as those of the page, and goals are
 * comparisons of values that values.ts names. What is wrong is told with its place in the file.
 */
import { FormatError } from '@nn/core';
import { type PaceName, paceNames } from '../model/pace.ts';
import { type Setting, settings } from '../model/spec.ts';
import { type ControlName, controlNames } from '../views/names.ts';
import { isValueName, type Tab, tabs, type ValueName, valueNames, values } from './values.ts';

/** By tag of the language; a lesson in one language may say a plain string. */
export type Text = Readonly<Record<string, string>>;

/** One comparison; a step is reached at a moment when all of its goals hold. */
export interface Goal {
  readonly value: ValueName;
  readonly atLeast: number | null;
  readonly atMost: number | null;
  /** For values that are words: one of these. */
  readonly is: readonly string[] | null;
}

/** What the page does for whoever asks to be shown, in this order. */
export interface Solution {
  /** Settings, as in an address. */
  readonly set: string | null;
  readonly restart: boolean;
  readonly open: Tab | null;
  readonly lines: 'weights' | 'gradients' | null;
  /** Layer and neuron, from 1; the output stands after the last layer. */
  readonly neuron: readonly [layer: number, neuron: number] | null;
  readonly threshold: number | null;
  /** Shows the network a test image of this digit. */
  readonly digit: number | null;
  readonly train: boolean;
}

export interface Step {
  readonly text: Text;
  /** The experiment that the step begins with; null to go on with the one before. */
  readonly start: string | null;
  /** Controls to point at, by their names. */
  readonly show: readonly ControlName[];
  readonly goals: readonly Goal[];
  readonly solution: Solution | null;
}

export interface Lesson {
  readonly title: Text;
  readonly about: Text;
  readonly learned: Text;
  readonly start: string;
  readonly pace: PaceName;
  readonly fixed: readonly Setting[];
  readonly steps: readonly Step[];
}

export const formatName = 'nn-lesson/1';
/** Letters of a file; a lesson has about 3,000. */
export const longest = 200_000;
const mostSteps = 12;

/** Reads a lesson. Throws a FormatError that names the file, the place in it, what stands there and what may stand there. */
export function parseLesson(text: string, name: string): Lesson {
  const whole = new Place(parseJson(text, name), name, '');
  const { format, title, about, learned, start, pace, fixed, steps } = whole.fields([
    'format',
    'title',
    'about',
    'learned',
    'start',
    'pace',
    'fixed',
    'steps',
  ]);
  format.oneOf([formatName]);
  return {
    title: title.text(),
    about: about.text(),
    learned: learned.text(),
    start: start.string(),
    pace: pace.isMissing ? 'normal' : pace.oneOf(paceNames),
    fixed: fixed.isMissing ? [] : fixed.list(0, settings.length).map((item) => item.oneOf(settings)),
    steps: steps.list(1, mostSteps).map(parseStep),
  };
}

/** Reads a list of lessons: `{ "format": "nn-lessons/1", "lessons": ["xor.json", ...] }`, addresses relative to its own. */
export function parseLessonList(text: string, name: string): readonly string[] {
  const { format, lessons } = new Place(parseJson(text, name), name, '').fields(['format', 'lessons']);
  format.oneOf(['nn-lessons/1']);
  return lessons.list(1, 60).map((item) => item.string());
}

function parseJson(text: string, name: string): unknown {
  if (text.length > longest) {
    throw new FormatError('lesson/size', `${name} has ${text.length} letters; a lesson has at most ${longest}.`, {
      name,
      length: text.length,
      longest,
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FormatError('lesson/json', `${name} is not JSON: ${why}`, { name, why });
  }
}

function parseStep(place: Place): Step {
  const { text, start, show, goal, solution } = place.fields(['text', 'start', 'show', 'goal', 'solution']);
  return {
    text: text.text(),
    start: start.isMissing ? null : start.string(),
    show: show.isMissing ? [] : show.list(0, 6).map((item) => item.oneOf(controlNames)),
    goals: goal.list(1, 6).map(parseGoal),
    solution: solution.isMissing ? null : parseSolution(solution),
  };
}

function parseGoal(place: Place): Goal {
  const { value, atLeast, atMost, is } = place.fields(['value', 'atLeast', 'atMost', 'is']);
  const name = value.string();
  if (!isValueName(name)) throw value.refuse(`one of ${valueNames.join(', ')}`);
  const known = values[name];
  if (known.kind === 'word') {
    for (const bound of [atLeast, atMost]) if (!bound.isMissing) throw bound.refuse(`nothing: ${name} is a word`);
    const items = Array.isArray(is.value) ? is.list(1, known.words.length) : [is];
    return { value: name, atLeast: null, atMost: null, is: items.map((item) => item.oneOf(known.words)) };
  }
  if (!is.isMissing) throw is.refuse(`nothing: ${name} is a number, so say atLeast or atMost`);
  if (atLeast.isMissing && atMost.isMissing) throw place.refuse('a goal with atLeast or atMost');
  return {
    value: name,
    atLeast: atLeast.isMissing ? null : atLeast.number(),
    atMost: atMost.isMissing ? null : atMost.number(),
    is: null,
  };
}

function parseSolution(place: Place): Solution {
  const { set, restart, open, lines, neuron, threshold, digit, train } = place.fields([
    'set',
    'restart',
    'open',
    'lines',
    'neuron',
    'threshold',
    'digit',
    'train',
  ]);
  const pair = neuron.isMissing ? null : neuron.list(2, 2).map((item) => item.number());
  return {
    set: set.isMissing ? null : set.string(),
    restart: !restart.isMissing && restart.boolean(),
    open: open.isMissing ? null : open.oneOf(tabs),
    lines: lines.isMissing ? null : lines.oneOf(['weights', 'gradients'] as const),
    neuron: pair === null ? null : [pair[0] as number, pair[1] as number],
    threshold: threshold.isMissing ? null : threshold.number(),
    digit: digit.isMissing ? null : digit.number(),
    train: !train.isMissing && train.boolean(),
  };
}

/** A value and where it stands in the file, as `steps[2].goal[0].value`. */
class Place {
  readonly value: unknown;
  readonly #name: string;
  readonly #path: string;

  constructor(value: unknown, name: string, path: string) {
    this.value = value;
    this.#name = name;
    this.#path = path;
  }

  get isMissing(): boolean {
    return this.value === undefined;
  }

  refuse(expected: string): FormatError {
    const [name, path] = [this.#name, this.#path === '' ? 'the whole' : this.#path];
    const found = this.isMissing ? 'missing' : JSON.stringify(this.value).slice(0, 60);
    return new FormatError('lesson/field', `${name}: ${path} is ${found}; expected ${expected}.`, {
      name,
      path,
      found,
      expected,
    });
  }

  /** The fields of an object, all of them known: a name that is none is most likely a slip. */
  fields<Name extends string>(names: readonly Name[]): Readonly<Record<Name, Place>> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      throw this.refuse('an object');
    }
    const inside = new Map<string, unknown>(Object.entries(this.value));
    for (const [key, value] of inside) {
      if (!names.some((name) => name === key)) {
        throw new Place(value, this.#name, this.#under(key)).refuse(`no such field, but ${names.join(', ')}`);
      }
    }
    const places = names.map((name) => [name, new Place(inside.get(name), this.#name, this.#under(name))] as const);
    return Object.fromEntries(places) as Record<Name, Place>; // the one cast: the names are those that were asked for
  }

  list(least: number, most: number): Place[] {
    const { value } = this;
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      throw this.refuse(least === most ? `a list of ${least}` : `a list of ${least} to ${most}`);
    }
    return value.map((item: unknown, k) => new Place(item, this.#name, `${this.#path}[${k}]`));
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.refuse('a string');
    return this.value;
  }

  number(): number {
    if (typeof this.value !== 'number') throw this.refuse('a number');
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.refuse('true or false');
    return this.value;
  }

  oneOf<Name extends string>(names: readonly Name[]): Name {
    const found = names.find((name) => name === this.value);
    if (found === undefined) throw this.refuse(names.length === 1 ? `"${names[0]}"` : `one of ${names.join(', ')}`);
    return found;
  }

  /** A string, or an object of strings by the tag of the language. */
  text(): Text {
    if (typeof this.value === 'string' && this.value !== '') return { '': this.value };
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
      throw this.refuse('a text, or an object of texts by language');
    }
    return Object.fromEntries(
      Object.entries(value).map(([tag, said]) => [tag, new Place(said, this.#name, this.#under(tag)).string()]),
    );
  }

  #under(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }
}

/** The text in a language; where it has none, in English, or in any. */
export function textIn(text: Text, tag: string): string {
  return text[tag] ?? text[''] ?? text.en ?? Object.values(text)[0] ?? '';
}
