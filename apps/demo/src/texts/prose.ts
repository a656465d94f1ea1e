/** A long text to learn to write: tinyshakespeare.txt of a folder, or the countries and languages that the runtime has names for. */
import { shuffledOrder } from '@nn/data';
import { textOfFolder } from './files.ts';

export interface Prose {
  readonly name: string;
  readonly text: string;
}

/** Languages with Latin letters, whose names the runtime knows. */
const languages = [
  ...['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'sv', 'da', 'fi', 'nb', 'is', 'pl', 'cs', 'sk', 'sl', 'hr', 'hu', 'ro'],
  ...['tr', 'et', 'lv', 'lt', 'sq', 'ca', 'eu', 'gl', 'ga', 'cy', 'id', 'ms', 'sw', 'vi', 'af', 'az', 'uz'],
];
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export async function prose(folder: string | undefined, seed: number): Promise<Prose> {
  if (folder !== undefined)
    return { name: 'tinyshakespeare.txt', text: await textOfFolder(folder, 'tinyshakespeare.txt') };
  const lines = languages.flatMap((language) => {
    const regions = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
    const tongues = new Intl.DisplayNames([language], { type: 'language', fallback: 'none' });
    const codes = [...letters].flatMap((a) => [...letters].map((b) => a + b));
    return codes.flatMap((code) =>
      [regions.of(code), tongues.of(code.toLowerCase())].filter((name) => name !== undefined),
    );
  });
  const unique = [...new Set(lines)];
  const order = shuffledOrder(unique.length, seed, 0);
  return {
    name: `names of places and tongues in ${languages.length} languages`,
    text: Array.from(order, (i) => `${unique[i]}\n`).join(''),
  };
}
