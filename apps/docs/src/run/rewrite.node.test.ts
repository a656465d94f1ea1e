/** Examples become modules that report what they promise. */
import { describe, expect, test } from 'vitest';
import { toModule } from './rewrite.ts';

const module = (code: string): string => toModule(code, (specifier) => `/${specifier.slice(4)}.js`);
const probe = '__nn_example__';

describe('imports', () => {
  test('become addresses, wherever they stand', () => {
    expect(module("import { cpu } from '@nn/backend-cpu';\nawait import('@nn/core');\ncpu();")).toBe(
      'import { cpu } from "/backend-cpu.js";\nawait import("/core.js");\ncpu();',
    );
  });
  test('of types alone are gone', () => {
    expect(module("import type { Shape } from '@nn/core';\nconst a: Shape = [1];").trim()).toBe('const a = [1];');
  });
});

describe('promises', () => {
  test('a value is shown, a constant after it is made', () => {
    expect(module('1 + 1; // => 2')).toBe(`${probe}.value(1 + 1); // => 2`);
    expect(module('const a: number = 2; // => 2')).toBe(`const a = 2; ${probe}.value(a); // => 2`);
  });
  test('what prints is left alone', () => {
    expect(module('console.log(1); // => 1')).toBe('console.log(1); // => 1');
  });
  test('on the line below, and over lines', () => {
    expect(module('f(\n  1,\n);\n// => [1,\n//  2]\nlet f;')).toBe(
      `${probe}.value(f(\n  1,\n));\n// => [1,\n//  2]\nlet f;`,
    );
  });
  test('inside of a block, the inner statement', () => {
    expect(module('for (const a of [1]) {\n  a; // => 1\n}')).toBe(
      `for (const a of [1]) {\n  ${probe}.value(a); // => 1\n}`,
    );
  });
  test('an error is caught and shown', () => {
    expect(module('f(1); // throws no')).toBe(`await ${probe}.throws(async () => (f(1))); // throws no`);
    expect(module('const a = f(1); // throws no')).toBe(`await ${probe}.throws(async () => (f(1))); // throws no`);
  });
  test('an arrow in a comment of words is no promise', () => {
    expect(module('f(1); // a => b')).toBe('f(1); // a => b');
  });
});

test('a mistake tells its line', () => {
  expect(() => module('const a = 1;\nconst = 2;')).toThrow(expect.objectContaining({ name: 'SyntaxError', line: 2 }));
});
