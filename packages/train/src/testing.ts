/** What the tests share: a screen that keeps what is written to it. */
import { type Output, Terminal } from './terminal.ts';

export interface Screen {
  readonly terminal: Terminal;
  /** Everything that was written, with its escape sequences. */
  text(): string;
}

export interface ScreenOptions {
  readonly isTTY?: boolean;
  readonly colorDepth?: number;
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export function screen(options: ScreenOptions = {}): Screen {
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
