import { expect, test } from 'vitest';
import { keepsPromise } from './compare.mjs';
import { extractExamples } from './extract.mjs';
import { instrument } from './instrument.mjs';

test('an example of a docstring is found with its line, up to the next tag', () => {
  const text = ['/**', ' * Adds.', ' * @example', ' * add(1, 2); // => 3', ' * @returns a sum', ' */', 'export {};'];
  expect(extractExamples('add.ts', text.join('\n'))).toEqual([
    { file: 'add.ts', line: 4, code: 'add(1, 2); // => 3', run: true, docstring: true },
  ]);
});

test('a fenced example loses its fence, and no-run is kept', () => {
  const text = '/**\n * @example\n * ```ts no-run\n * f();\n * ```\n */';
  expect(extractExamples('f.ts', text)).toMatchObject([{ line: 4, code: 'f();', run: false }]);
});

test('of a document only the ts blocks count', () => {
  const text = '# T\n```sh\nls\n```\n- item\n  ```ts\n  a();\n  ```\n';
  expect(extractExamples('README.md', text)).toEqual([
    { file: 'README.md', line: 7, code: 'a();', run: true, docstring: false },
  ]);
});

test('a block of output belongs to the example before it', () => {
  const example = '```ts\na();\n```\n\nIt prints:\n\n';
  const output = '```text output\n1\n  2\n```\n';
  expect(extractExamples('T.md', `${example}${output}`)).toMatchObject([{ code: 'a();', output: '1\n  2' }]);
  expect(extractExamples('T.md', `${example}\`\`\`text\n1\n\`\`\`\n`)[0]).not.toHaveProperty('output');
  expect(() => extractExamples('T.md', output)).toThrow('T.md:2: the output of no example.');
});

test('values, constants, prints and errors are reported, line by line', () => {
  const code = [
    'await f(); // => [1,',
    '//     2]',
    'const y = g(); // => 2',
    'console.log(a, b);',
    '// => 1 2',
    'h(); // throws h: too small',
  ];
  const { code: result, promises } = instrument(code.join('\n'));
  expect(promises.map(({ text }) => text)).toEqual(['[1, 2]', '2', '1 2', 'h: too small']);
  expect(result.split('\n')).toEqual([
    '__value(0, await f()); // => [1,',
    '//     2]',
    'const y = g(); __value(1, y); // => 2',
    '__printed(2, a, b);',
    '// => 1 2',
    'await __throws(3, async () => (h())); // throws h: too small',
  ]);
});

test('a promise behind nothing that has a value is a problem', () => {
  expect(instrument('if (x) {} // => 3').problems).toHaveLength(1);
});

test.each([
  ['[1, 2]', '[ 1, 2 ]'],
  ['[1, 2]', 'Float32Array(2) [ 1, 2 ]'],
  ['0.333', '0.3333333432674408'],
  ['[0.1, -0.2]', '[ 0.10000000149011612, -0.20000000298023224 ]'],
  ['1e-3', '0.001'],
  ['1', '1.0000001'],
  ["{ a: 'b' }", '{ a: "b" }'],
  ['loss 0.5 ...', 'loss 0.52 after 10 steps'],
])('%s is kept by %s', (promised, printed) => {
  expect(keepsPromise(promised, printed)).toBe(true);
});

test.each([
  ['[1, 2]', '[ 1, 2, 3 ]'],
  ['0.334', '0.3333333432674408'],
  ['3', '2.9'],
  ['12', '1 2'],
  ['true', 'false'],
])('%s is not kept by %s', (promised, printed) => {
  expect(keepsPromise(promised, printed)).toBe(false);
});
