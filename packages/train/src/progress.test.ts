import { describe, expect, test } from 'vitest';
import { duration } from './format.ts';
import { bar, Progress } from './progress.ts';
import { recordTerminal as screen } from './recorded-terminal.ts';
import { widthOf } from './terminal.ts';

test('durations are whole seconds, and minutes where there are some', () => {
  expect([0.2, 59.1, 61, 600].map(duration)).toEqual(['1 s', '1 min 00 s', '1 min 01 s', '10 min 00 s']);
});

describe('the bar', () => {
  const { terminal } = screen({ environment: { NO_COLOR: '1' } });

  test('grows by half characters and keeps its width', () => {
    expect([0, 0.25, 0.5, 0.625, 1].map((share) => bar(share, 4, terminal))).toEqual([
      ...['────', '━───', '━━──', '━━╸─', '━━━━'],
    ]);
  });

  test('stays inside what is possible', () => {
    expect([bar(-1, 3, terminal), bar(2, 3, terminal)]).toEqual(['───', '━━━']);
  });
});

describe('Progress', () => {
  test('prints a line for each tenth without a terminal, with the time that is left', async () => {
    const { terminal, text } = screen({ isTTY: false });
    const progress = new Progress(terminal, 40, 0, 0);
    for (let done = 1; done <= 40; done++) await progress.update(done, `loss ${done}`, undefined, 1000 * done);
    const lines = text().trimEnd().split('\n');
    expect(lines.length).toBe(10);
    expect(lines[0]).toBe('   10 %  loss 4  36 s left');
    expect(lines[9]).toBe('  100 %  loss 40');
  });

  test('counts the time of a resumed run from where it went on', async () => {
    const { terminal, text } = screen({ isTTY: false });
    const progress = new Progress(terminal, 100, 50, 0);
    await progress.update(60, 'loss 1', undefined, 10_000);
    expect(text()).toBe('   60 %  loss 1  40 s left\n');
  });

  test('draws in a terminal, at most every 80 ms, and always at the end', async () => {
    const { terminal, text } = screen();
    const progress = new Progress(terminal, 100, 0, 0);
    let pictures = 0;
    const picture = async (): Promise<readonly string[]> => [`picture ${++pictures}`];
    await progress.update(1, 'first', picture, 0);
    await progress.update(2, 'second', picture, 79);
    await progress.update(3, 'third', picture, 80);
    await progress.update(100, 'last', picture, 81);
    expect(pictures).toBe(3);
    expect(text()).not.toContain('second');
    expect(text()).toContain('last');
  });

  test.each([30, 60, 80, 200])('keeps its line narrower than a screen of %i columns', async (columns) => {
    const { terminal, text } = screen({ columns });
    const progress = new Progress(terminal, 100, 0, 0);
    await progress.update(50, 'epoch 1/2  loss 0.1234  accuracy 99.9 %', undefined, 5000);
    for (const line of text().replaceAll('\r', '').split('\n')) expect(widthOf(line)).toBeLessThan(columns);
  });
});
