import { describe, expect, it } from 'vitest';
import { findDuplicateKey } from './header-text.ts';

describe('findDuplicateKey', () => {
  it('finds a key that one object has twice, at any depth', () => {
    expect(findDuplicateKey('{"a":1,"b":2,"a":3}')).toBe('a');
    expect(findDuplicateKey('[{"x":{"y":[1,{"z":0,"z":1}]}}]')).toBe('z');
    expect(findDuplicateKey('{"a":{"b":1},"c":[2],"a":0}')).toBe('a');
  });

  it('compares keys, not their spelling', () => {
    expect(findDuplicateKey('{"\\n\\u0041":1,"\\u000aA":2}')).toBe('\nA');
    expect(findDuplicateKey('{"":1,"":2}')).toBe('');
  });

  it('takes for keys neither values nor the keys of other objects', () => {
    for (const text of [
      '{"a":"a","b":"a"}',
      '{"a":{"a":{"a":1}}}',
      '[{"a":1},{"a":1},"a","a"]',
      '{"a":["b","b"],"b":1}',
      '{"quote \\" here":1,"quote \\\\":2}',
      '{"brackets {[\\",\\"":"}],","b":1}',
      '"a"',
      '{}',
    ]) {
      expect(() => JSON.parse(text)).not.toThrow();
      expect(findDuplicateKey(text), text).toBeUndefined();
    }
  });
});
