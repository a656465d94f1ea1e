/**
 * The place that everything is printed to: lines that stay, and below them a block that is redrawn. Without a terminal
 * there is no such block and no colour. What is drawn is made elsewhere (`progress.ts`, `callbacks/`).
 */

/** How many colours there are: 1 (none), 4 bits (the basic ones), 8 bits (256) or 24 bits. */
export type ColorDepth = 1 | 4 | 8 | 24;
export type Color = readonly [red: number, green: number, blue: number];
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The part of `process.stdout` that is used. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  getColorDepth?(environment?: object): number;
}

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/**
 * What text is printed to: lines that stay, and below them a block that is redrawn, where that is possible.
 *
 * @example
 * import { Terminal } from '@nn/train';
 * const written: string[] = [];
 * const terminal = new Terminal({ write: (text) => written.push(text) }, {}); // in Node: new Terminal(process.stdout, process.env)
 * terminal.line('done');
 * console.log(terminal.isInteractive, written.join('').trim()); // => false done
 */
export class Terminal {
  /** Whether a block can be redrawn; if not, plain lines are printed. */
  readonly isInteractive: boolean;
  readonly colorDepth: ColorDepth;
  readonly #output: Output;
  #liveLines: readonly string[] = [];
  #isCursorHidden = false;

  constructor(output: Output, environment: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    // what has no width, as the terminal that mpirun gives its processes, cannot be drawn on
    this.isInteractive = output.isTTY === true && environment.TERM !== 'dumb' && output.columns !== 0;
    this.colorDepth = this.isInteractive ? depthOf(output, environment) : 1;
  }

  get columns(): number {
    return this.#output.columns || 80;
  }

  /** Lines that fit on the screen. */
  get rows(): number {
    return this.#output.rows || 24;
  }

  /** Text in a style, where there are colours. */
  paint(text: string, ...styles: readonly Style[]): string {
    if (this.colorDepth === 1 || text === '') return text;
    return `\u001b[${styles.map((style) => codes[style]).join(';')}m${text}\u001b[0m`;
  }

  /** A line that stays, above the live block. */
  line(text = ''): void {
    const live = this.#liveLines;
    this.#write(`${this.#toTop()}${text}${this.isInteractive ? '\u001b[K' : ''}\n`);
    this.#liveLines = [];
    if (live.length > 0) this.live(live);
  }

  /** Words that stay: in a terminal they are broken between words where they are wider than the screen. */
  text(text: string): void {
    for (const line of this.isInteractive ? wrap(text, this.columns - 1) : [text]) this.line(line);
  }

  /** Redraws the block at the bottom. Each line must be narrower than the screen. Does nothing without a terminal. */
  live(lines: readonly string[]): void {
    if (!this.isInteractive) return;
    const hide = this.#isCursorHidden ? '' : '\u001b[?25l';
    this.#isCursorHidden = true;
    const text = lines.map((line) => `${line}\u001b[K\n`).join('');
    // The marks around it ask the terminal to show the frame as a whole.
    this.#write(`\u001b[?2026h${hide}${this.#toTop()}${text}\u001b[J\u001b[?2026l`);
    this.#liveLines = lines;
  }

  /** Takes the block away. */
  clear(): void {
    if (this.#liveLines.length > 0) this.#write(`${this.#toTop()}\u001b[J`);
    this.#liveLines = [];
    this.release();
  }

  /** Gives the cursor back. Safe to call at any time, also while the process ends. */
  release(): void {
    if (this.#isCursorHidden) this.#write('\u001b[?25h');
    this.#isCursorHidden = false;
  }

  #toTop(): string {
    const height = this.#liveLines.length;
    // A Ctrl-C echoed by the terminal moves the cursor to the right, never down.
    return height > 0 ? `\r\u001b[${height}A` : '\r'.repeat(this.isInteractive ? 1 : 0);
  }

  #write(text: string): void {
    this.#output.write(text);
  }
}

function depthOf(output: Output, environment: Readonly<Record<string, string | undefined>>): ColorDepth {
  if ((environment.NO_COLOR ?? '') !== '') return 1;
  const depth = output.getColorDepth?.(environment) ?? 1;
  return depth >= 24 ? 24 : depth >= 8 ? 8 : depth >= 4 ? 4 : 1;
}

/**
 * The width of text on the screen, in characters: escape sequences take none.
 *
 * @example
 * import { widthOf } from '@nn/train';
 * console.log(widthOf('\u001b[1mabc\u001b[0m')); // => 3
 */
export function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what it looks for
  return [...text.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '')].length;
}

/**
 * Text in lines of at most `width` characters, broken between words: further lines stand two places in from the first, where
 * there is room. What two spaces or more set apart (a name with its value, a column) stays together where a line has room for it.
 * Longer words are cut, and what is painted stays painted from line to line.
 *
 * @example
 * import { wrap } from '@nn/train';
 * console.log(wrap('to be or not to be', 12)); // => [ 'to be or not', '  to be' ]
 * console.log(wrap('loss 0.25  accuracy 0.9', 20)); // => [ 'loss 0.25', '  accuracy 0.9' ]
 */
export function wrap(text: string, width: number): string[] {
  const columns = Math.max(1, width);
  if (widthOf(text) <= columns) return [text];
  const start = /^ */.exec(text)![0];
  const further = `${start}  `.slice(0, Math.max(0, columns - 8));
  const lines: string[] = [];
  let line = start.slice(0, further.length);
  let isEmpty = true;
  const end = (): void => {
    // what is drawn between two lines would take over the styles that are open
    const open = (line.split(plain).at(-1)?.match(styles) ?? []).join('');
    lines.push(line + (open && plain));
    line = open + further;
    isEmpty = true;
  };
  // into this line, or else the next; what has no room in a line goes by its pieces
  const put = (text: string, level: number): void => {
    const more = isEmpty ? text.trimStart() : text;
    if (widthOf(line + more) <= columns) {
      line += more;
      isEmpty = false;
    } else if (!isEmpty && (level > 1 || widthOf(further + text.trimStart()) <= columns)) {
      end();
      put(text, level);
    } else for (const piece of more.match(pieces[level]!) ?? []) put(piece, level + 1);
  };
  put(text.trim(), 0);
  end();
  return lines;
}

const plain = '\u001b[0m';
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what it looks for
const styles = /\u001b\[[\d;]*m/g;
/** Parts of a text with what sets them apart, words of a part, and signs of a word, of which an escape sequence is one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what it looks for
const pieces = [/ *\S+(?: \S+)*/g, / *\S+/g, /\u001b\[[\d;?]*[A-Za-z]|./gsu];

/**
 * Text with spaces behind it, up to a width on the screen.
 *
 * @example
 * import { padText } from '@nn/train';
 * console.log(`${padText('abc', 5)}|`); // => abc  |
 */
export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
