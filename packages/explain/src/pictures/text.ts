/** Attributions of words: text on coloured grounds, for a terminal and for a page. */
import { checkOptions, ValueError } from '@nn/core';
import { colorOf, hex, type Rgb, safe, scaleOf, told } from './colors.ts';

export interface TextOptions {
  /** What stands between two tokens. Default a space; '' where tokens have their own (of byte-pair encoding). */
  readonly separator?: string;
}

/**
 * Tokens on the colours of their attributions for a terminal of 24-bit colours, orange for what speaks for the score, blue
 * against it.
 *
 * @example
 * import { explainedText } from '@nn/explain';
 * const text = explainedText(['not', 'bad'], [-0.5, 1]);
 * console.log(text.replace(/\u001b\[[0-9;]*m/g, '')); // => not bad
 */
export function explainedText(tokens: readonly string[], values: ArrayLike<number>, options: TextOptions = {}): string {
  const { separator, shares } = checked('explainedText', tokens, values, options);
  return tokens
    .map((token, k) => {
      const ground = colorOf(shares[k] as number);
      return `\u001b[48;2;${ground.join(';')}m\u001b[38;2;${ink(ground).join(';')}m${token}\u001b[0m`;
    })
    .join(separator);
}

/**
 * The same as HTML, the numbers in titles. The tokens are escaped.
 *
 * @example
 * import { explainedHtml } from '@nn/explain';
 * console.log(explainedHtml(['a<b'], [1]));
 * // => <span class="explained"><mark style="background:#c84600;color:#ffffff" title="1">a&lt;b</mark></span>
 */
export function explainedHtml(tokens: readonly string[], values: ArrayLike<number>, options: TextOptions = {}): string {
  const { separator, shares } = checked('explainedHtml', tokens, values, options);
  const marks = tokens.map((token, k) => {
    const ground = colorOf(shares[k] as number);
    const style = `background:${hex(ground)};color:${hex(ink(ground))}`;
    return `<mark style="${style}" title="${told(values[k] as number)}">${safe(token)}</mark>`;
  });
  return `<span class="explained">${marks.join(safe(separator))}</span>`;
}

/** Black or white, whatever is read better on the ground. */
function ink([r, g, b]: Rgb): Rgb {
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? [0, 0, 0] : [255, 255, 255];
}

function checked(
  operation: string,
  tokens: readonly string[],
  values: ArrayLike<number>,
  options: TextOptions,
): { readonly separator: string; readonly shares: readonly number[] } {
  checkOptions(operation, options, ['separator']);
  if (tokens.length !== values.length) {
    throw new ValueError(operation, `${tokens.length} tokens and ${values.length} attributions: give one for each.`);
  }
  const most = scaleOf(operation, values, 0);
  return { separator: options.separator ?? ' ', shares: tokens.map((_, k) => (values[k] as number) / most) };
}
