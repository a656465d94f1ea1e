/** The editor shows all of the code, in its kinds. */
import { expect, test } from 'vitest';
import { tokens } from './tokens.ts';

const code = "const a = 'it\\'s // no comment'; // a comment\nlet b = `x`; /* open";

test('nothing is lost', () => {
  expect(
    tokens(code)
      .map(({ text }) => text)
      .join(''),
  ).toBe(code);
});

test('kinds are told apart', () => {
  const found = tokens(code).filter(({ kind }) => kind !== 'text');
  expect(found).toEqual([
    { kind: 'keyword', text: 'const' },
    { kind: 'string', text: "'it\\'s // no comment'" },
    { kind: 'comment', text: '// a comment' },
    { kind: 'keyword', text: 'let' },
    { kind: 'string', text: '`x`' },
    { kind: 'comment', text: '/* open' },
  ]);
  expect(tokens('x1 + 1_000.5e-3')).toEqual([
    { kind: 'text', text: 'x1 + ' },
    { kind: 'number', text: '1_000.5e-3' },
  ]);
});
