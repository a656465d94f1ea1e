import { describe, expect, test } from 'vitest';
import { recordTerminal as screen } from './recorded-terminal.ts';
import { padText, widthOf, wrap } from './terminal.ts';

const start = '\u001b';

describe('without a terminal', () => {
  test('lines are plain, and nothing is redrawn', () => {
    const { terminal, text } = screen({ isTTY: false });
    terminal.line(terminal.paint('hello', 'bold', 'red'));
    terminal.live(['a frame']);
    terminal.clear();
    terminal.release();
    expect(text()).toBe('hello\n');
    expect([terminal.isInteractive, terminal.colorDepth]).toEqual([false, 1]);
  });
});

describe('in a terminal', () => {
  test('text is painted', () => {
    expect(screen().terminal.paint('hello', 'bold', 'red')).toBe(`${start}[1;31mhello${start}[0m`);
  });

  test.each([
    [{ environment: { NO_COLOR: '1' } }, true, 1],
    [{ environment: { NO_COLOR: '' } }, true, 24],
    [{ environment: { TERM: 'dumb' } }, false, 1],
    [{ colorDepth: 8 }, true, 8],
    [{ colorDepth: 4 }, true, 4],
    [{ colorDepth: 1 }, true, 1],
  ])('%j: redrawn %s, colour depth %i', (options, isInteractive, depth) => {
    const { terminal } = screen(options);
    expect([terminal.isInteractive, terminal.colorDepth]).toEqual([isInteractive, depth]);
  });

  test('NO_COLOR leaves text as it is', () => {
    const { terminal } = screen({ environment: { NO_COLOR: '1' } });
    expect(terminal.paint('hello', 'bold')).toBe('hello');
  });

  test('a frame replaces the one before, whatever its height', () => {
    const { terminal, text } = screen();
    terminal.live(['one', 'two']);
    expect(shown(text())).toEqual(['one', 'two']);
    terminal.live(['three']);
    expect(shown(text())).toEqual(['three']);
  });

  test('a line that stays pushes the frame down', () => {
    const { terminal, text } = screen();
    terminal.live(['frame']);
    terminal.line('stays');
    expect(shown(text())).toEqual(['stays', 'frame']);
    terminal.clear();
    expect(shown(text())).toEqual(['stays']);
  });

  test('the cursor is hidden while frames are drawn, and given back once', () => {
    const { terminal, text } = screen();
    terminal.live(['frame']);
    terminal.live(['frame']);
    terminal.clear();
    terminal.release();
    expect(text().split(`${start}[?25l`).length - 1).toBe(1);
    expect(text().split(`${start}[?25h`).length - 1).toBe(1);
    expect(text().endsWith(`${start}[?25h`)).toBe(true);
  });
});

test('words are broken between words where the screen is narrow, and nowhere else', () => {
  const narrow = screen({ columns: 24 });
  narrow.terminal.text('  A 2-4-1 network of sigmoids: plain gradient descent.');
  expect(narrow.text().replaceAll('\r', '').replaceAll(`${start}[K`, '').trimEnd().split('\n')).toEqual([
    '  A 2-4-1 network of',
    '    sigmoids: plain',
    '    gradient descent.',
  ]);
  const file = screen({ isTTY: false, columns: 24 });
  file.terminal.text('  A 2-4-1 network of sigmoids: plain gradient descent.');
  expect(file.text()).toBe('  A 2-4-1 network of sigmoids: plain gradient descent.\n');
  for (const columns of [5, 12, 30]) {
    const lines = wrap(`  --a-long-option-that-fits-nowhere  and ${start}[1mits text${start}[0m`, columns);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    expect(lines.join('').replace(/\s/g, '')).toContain('--a-long-option-that-fits-nowhere');
  }
});

test('a name stays with its value, and columns stay apart, where a text is broken', () => {
  const epoch = '  epoch 8/8  loss 0.07477  accuracy 0.99  validation.loss 0.3194  validation.accuracy 0.9133';
  expect(wrap(epoch, 84)).toEqual([
    '  epoch 8/8  loss 0.07477  accuracy 0.99  validation.loss 0.3194',
    '    validation.accuracy 0.9133',
  ]);
  // a row of a picture keeps its holes
  expect(wrap('  oo      xx      0 to 1, epochs 1 to 2,000', 30)).toEqual([
    '  oo      xx',
    '    0 to 1, epochs 1 to 2,000',
  ]);
});

test('what is painted stays painted from line to line, and paints nothing else', () => {
  const { terminal, text } = screen({ columns: 16 });
  terminal.live(['bar']);
  terminal.text(`  ${terminal.paint('a long warning', 'yellow')} 1 s`);
  const yellow = `${start}[33m`;
  const lines = text()
    .split('\n')
    .filter((line) => /a long|warning/.test(line));
  expect(lines.map((line) => line.slice(line.indexOf(/a long/.test(line) ? '  ' : yellow)))).toEqual([
    `  ${yellow}a long${start}[0m${start}[K`,
    `${yellow}    warning${start}[0m 1 s${start}[K`,
  ]);
  // a word that is cut keeps its sequences whole
  expect(wrap(`${yellow}abcdef${start}[0m`, 4)).toEqual([`${yellow}abcd${start}[0m`, `${yellow}ef${start}[0m`]);
});

test('escape sequences take no width', () => {
  const painted = screen().terminal.paint('━━', 'red');
  expect(widthOf(painted)).toBe(2);
  expect(widthOf(padText(painted, 5))).toBe(5);
});

test('a terminal without a width, as mpirun gives its processes, gets plain lines', () => {
  const { terminal, text } = screen({ columns: 0, rows: 0 });
  terminal.text('several words that stay');
  terminal.live(['a bar']);
  expect([terminal.isInteractive, terminal.columns, terminal.rows]).toEqual([false, 80, 24]);
  expect(text()).toBe('several words that stay\n');
  expect(wrap('ab c', 0)).toEqual(['a', 'b', 'c']);
});

/** What a terminal shows after the text, as far as this program uses its sequences. */
function shown(text: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what it looks for
  for (const [part, code, letter] of text.matchAll(/\u001b\[([\d;?]*)([A-Za-z])|[\s\S]/g)) {
    const line = lines[row] ?? '';
    if (letter === 'A') row = Math.max(0, row - Number(code));
    else if (letter === 'K') lines[row] = line.slice(0, column);
    else if (letter === 'J') lines.splice(row, lines.length, line.slice(0, column));
    else if (letter !== undefined) continue;
    else if (part === '\r') column = 0;
    else if (part === '\n') {
      row++;
      column = 0;
      lines[row] ??= '';
    } else {
      lines[row] = line.slice(0, column) + part + line.slice(column + 1);
      column++;
    }
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
