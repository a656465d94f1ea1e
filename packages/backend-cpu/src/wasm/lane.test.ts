/** Work beside the event loop, and what waits its turn behind it. */
import { expect, test } from 'vitest';
import { type Beside, Lane } from './lane.ts';

/** A lane whose work beside the loop ends when it is told to; what was done, in order. */
function setUp() {
  const lane = new Lane();
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const beside =
    (name: string): Beside =>
    (done) => {
      log.push(`${name} starts`);
      ends.push(done);
      return () => log.push(`${name} is waited for`);
    };
  const note = (text: string) => (): void => void log.push(text);
  const start = (name: string): void => lane.doBeside(beside(name), note(`${name} here`));
  return { lane, log, ends, note, start };
}

test('does at once what nothing precedes', async () => {
  const { lane, log, note } = setUp();
  lane.do(note('one'));
  expect([log, lane.isFree]).toEqual([['one'], true]);
  expect(await lane.give(() => 7)).toBe(7);
});

test('keeps the order of everything behind work that is under way', async () => {
  const { lane, log, ends, note, start } = setUp();
  start('a');
  lane.do(note('one'));
  const given = lane.give(() => log.push('two'));
  start('b');
  lane.do(note('three'));
  expect([log, lane.isFree]).toEqual([['a starts'], false]);
  ends[0]?.();
  expect(await given).toBe(3);
  expect(log).toEqual(['a starts', 'one', 'two', 'b starts']);
  ends[1]?.();
  expect([log.at(-1), lane.isFree, lane.runs]).toEqual(['three', true, 2]);
});

test('waits for all of it where that is asked for, and does not mind ends that are told late', () => {
  const { lane, log, ends, note, start } = setUp();
  start('a');
  lane.do(note('one'));
  start('b');
  lane.settle();
  const all = ['a starts', 'a is waited for', 'one', 'b starts', 'b is waited for'];
  expect([log, lane.isFree]).toEqual([all, true]);
  start('c');
  ends[0]?.();
  ends[1]?.();
  expect(lane.isFree).toBe(false);
  ends[2]?.();
  expect([log, lane.isFree]).toEqual([[...all, 'c starts'], true]);
});

test('does here what cannot run beside', () => {
  const { lane, log, note } = setUp();
  lane.doBeside(() => null, note('here'));
  expect([log, lane.isFree, lane.runs]).toEqual([['here'], true, 0]);
});

test('throws what fails at once, and tells readers what failed later', async () => {
  const { lane, ends, start } = setUp();
  const fail = (text: string) => () => {
    throw new Error(text);
  };
  expect(() => lane.do(fail('now'))).toThrow('now');
  expect(await lane.give(() => 1)).toBe(1);
  start('a');
  lane.do(fail('later'));
  lane.do(fail('even later'));
  const read = lane.give(() => 2);
  ends[0]?.();
  await expect(read).rejects.toThrow('later');
  await expect(lane.give(() => 3)).rejects.toThrow('later');
});
