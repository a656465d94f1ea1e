/** A terminal that keeps what is written to it: for tests of what is drawn, and for logs. */
import { checkOptions } from '@nn/core';
import { type Output, Terminal } from './terminal.ts';

export interface RecordedTerminal {
  readonly terminal: Terminal;
  /** Everything that was written, with its escape sequences. */
  text(): string;
}

export interface RecordTerminalOptions {
  /** Whether it is a screen, on which blocks are redrawn. Default true. */
  readonly isTTY?: boolean;
  /** Default 24. */
  readonly colorDepth?: number;
  /** Default 80 x 24. */
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Makes a terminal whose text can be read.
 *
 * @example
 * import { recordTerminal } from '@nn/train';
 * const { terminal, text } = recordTerminal({ isTTY: false });
 * terminal.line('hello');
 * console.log(text()); // => hello
 */
export function recordTerminal(options: RecordTerminalOptions = {}): RecordedTerminal {
  checkOptions('recordTerminal', options, ['isTTY', 'colorDepth', 'columns', 'rows', 'environment']);
  const { isTTY = true, colorDepth = 24, columns = 80, rows = 24, environment = {} } = options;
  let written = '';
  const output: Output = {
    isTTY,
    columns,
    rows,
    write: (text) => {
      written += text;
    },
    getColorDepth: () => colorDepth,
  };
  return { terminal: new Terminal(output, environment), text: () => written };
}
