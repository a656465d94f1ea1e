/**
 * Days as people of forty languages write them, and as ISO 8601: what the runtime knows, so nothing has to be downloaded. A writing
 * that two languages read as different days is left out.
 */
import { RandomSequence } from '@nn/data';

const languages = [
  ...[
    'en-US',
    'en-GB',
    'de',
    'fr',
    'es',
    'it',
    'pt',
    'nl',
    'sv',
    'da',
    'fi',
    'nb',
    'is',
    'pl',
    'cs',
    'sk',
    'sl',
    'hr',
    'hu',
  ],
  ...[
    'ro',
    'tr',
    'et',
    'lv',
    'lt',
    'sq',
    'ca',
    'eu',
    'gl',
    'ga',
    'cy',
    'id',
    'ms',
    'sw',
    'vi',
    'af',
    'el',
    'ru',
    'uk',
    'ja',
    'zh',
  ],
];
const styles = ['full', 'long', 'medium'] as const;

export interface WrittenDay {
  readonly text: string;
  readonly iso: string;
  readonly language: string;
}

/** Years that are kept for testing: every seventh. */
export const isHeldOut = (year: number): boolean => year % 7 === 0;

/** `count` days of years that are, or are not, held out, each in a drawn language and style. */
export function writtenDays(
  count: number,
  options: { readonly heldOut: boolean; readonly seed: number },
): WrittenDay[] {
  const random = new RandomSequence(options.seed, options.heldOut ? 5 : 4);
  const formats = languages.flatMap((language) =>
    styles.map((dateStyle) => ({
      language,
      format: new Intl.DateTimeFormat(language, {
        ...{ dateStyle, timeZone: 'UTC', calendar: 'gregory', numberingSystem: 'latn' },
      }),
    })),
  );
  const seen = new Map<string, string>();
  const days: WrittenDay[] = [];
  while (days.length < count) {
    const year = 1900 + random.integer(200);
    if (isHeldOut(year) !== options.heldOut) continue;
    const day = new Date(Date.UTC(year, random.integer(12), 1 + random.integer(28)));
    const { language, format } = formats[random.integer(formats.length)]!;
    const text = format.format(day).toLowerCase().normalize('NFC').replace(/\s+/gu, ' ');
    const iso = day.toISOString().slice(0, 10);
    // 1/2/2003 is two days: only writings that name the month, or put the year first, or the day with dots, are of one
    if (/^\d+\/\d+\/\d{4}$/.test(text) || /^\d+-\d+-\d{4}$/.test(text)) continue;
    if ((seen.get(text) ?? iso) !== iso) continue;
    seen.set(text, iso);
    days.push({ text, iso, language });
  }
  return days;
}
