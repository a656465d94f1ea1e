import { describe, expect, it } from 'vitest';
import { english } from '../i18n/english.ts';
import { longest, parseLesson, parseLessonList, textIn } from './format.ts';
import { values } from './values.ts';

const plain = {
  format: 'nn-lesson/1',
  title: { en: 'Title', zh: '标题' },
  about: 'About.',
  learned: 'Learned.',
  start: 'task=xor',
  steps: [{ text: 'Do.', goal: [{ value: 'testAccuracy', atLeast: 0.9 }] }],
};
const parse = (changes: object): unknown => parseLesson(JSON.stringify({ ...plain, ...changes }), 'l.json');
const goal = (changes: object): unknown => parse({ steps: [{ text: 'Do.', goal: [changes] }] });

describe('a lesson in a file', () => {
  it('is read with what it leaves out filled in', () => {
    const { title, pace, fixed, steps } = parseLesson(JSON.stringify(plain), 'l.json');
    expect([pace, fixed, steps[0]?.show, steps[0]?.start, steps[0]?.solution]).toEqual(['normal', [], [], null, null]);
    expect(steps[0]?.goals).toEqual([{ value: 'testAccuracy', atLeast: 0.9, atMost: null, is: null }]);
    expect([textIn(title, 'zh'), textIn(title, 'de'), textIn({ '': 'x' }, 'zh')]).toEqual(['标题', 'Title', 'x']);
  });

  it('is refused with the place of what is wrong, and what may stand there', () => {
    expect(() => parseLesson('{', 'l.json')).toThrow(/^lesson: l\.json is not JSON: /);
    expect(() => parseLesson(' '.repeat(longest + 1), 'l.json')).toThrow(
      'l.json has 200001 letters; a lesson has at most 200000.',
    );
    expect(() => parseLesson('[]', 'l.json')).toThrow('l.json: the whole is []; expected an object.');
    expect(() => parse({ format: 'nn-lesson/2' })).toThrow('l.json: format is "nn-lesson/2"; expected "nn-lesson/1".');
    expect(() => parse({ start: undefined })).toThrow('l.json: start is missing; expected a string.');
    expect(() => parse({ titel: 'x' })).toThrow(
      'l.json: titel is "x"; expected no such field, but format, title, about, learned, start, pace, fixed, steps.',
    );
    expect(() => parse({ title: { en: 3 } })).toThrow('l.json: title.en is 3; expected a string.');
    expect(() => parse({ about: {} })).toThrow(
      'l.json: about is {}; expected a text, or an object of texts by language.',
    );
    expect(() => parse({ pace: 'fast' })).toThrow(
      'l.json: pace is "fast"; expected one of single, slow, medium, normal, full.',
    );
    expect(() => parse({ steps: [] })).toThrow('l.json: steps is []; expected a list of 1 to 12.');
    expect(() => parse({ steps: [{ ...plain.steps[0], show: ['lerningRate'] }] })).toThrow(
      /^lesson: l\.json: steps\[0\]\.show\[0\] is "lerningRate"; expected one of train, step, /,
    );
    expect(() => parse({ steps: [{ ...plain.steps[0], solution: { neuron: [1] } }] })).toThrow(
      'l.json: steps[0].solution.neuron is [1]; expected a list of 2.',
    );
  });

  it('has goals that are comparisons of known values', () => {
    expect(() => goal({ value: 'testAccuracy' })).toThrow(
      'l.json: steps[0].goal[0] is {"value":"testAccuracy"}; expected a goal with atLeast or atMost.',
    );
    expect(() => goal({ value: 'testAccuracy', is: 'x' })).toThrow(
      'steps[0].goal[0].is is "x"; expected nothing: testAccuracy is a number, so say atLeast or atMost.',
    );
    expect(() => goal({ value: 'optimizer', atLeast: 1 })).toThrow(
      'steps[0].goal[0].atLeast is 1; expected nothing: optimizer is a word.',
    );
    expect(() => goal({ value: 'optimizer', is: ['sgd', 'magic'] })).toThrow(
      'steps[0].goal[0].is[1] is "magic"; expected one of sgd, momentum, nesterov, rmsprop, adam, adamw.',
    );
  });

  it('comes in lists, by address', () => {
    expect(parseLessonList('{ "format": "nn-lessons/1", "lessons": ["a.json"] }', 'index.json')).toEqual(['a.json']);
    expect(() => parseLessonList('{ "format": "nn-lessons/1", "lessons": [] }', 'index.json')).toThrow(
      'index.json: lessons is []; expected a list of 1 to 60.',
    );
  });
});

it('each value has a name in the words of the page, and so has each word that it may be', () => {
  const known = Object.keys(english.words);
  for (const [name, value] of Object.entries(values)) {
    expect(known, name).toContain(value.label);
    if (value.kind === 'word') for (const word of value.words) expect(known, name).toContain(value.prefix + word);
  }
});
