/** Options of the CSV readers as JavaScript may give them: what is no choice is refused, not taken for another. */
import { checkChoices, ValueError } from '@nn/core';
import { quoted } from '../messages.ts';
import type { CsvOptions } from './csv.ts';

const kinds = ['number', 'boolean', 'category'] as const;

/** Throws for choices that do not exist, and for lists that are none: of a text, each character would be an item. */
export function checkCsvOptions(options: CsvOptions): void {
  checkChoices('parseCsv', options, { header: [true, false, 'infer'], decimal: ['.', ','], trim: [true, false] });
  for (const kind of Object.values(options.kinds ?? {})) checkChoices('parseCsv: kinds', { kind }, { kind: kinds });
  checkTexts('missing', options.missing, "['-999', 'n/a']");
  checkTexts('columns', options.columns, "['price']");
  const { columns = [] } = options;
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) {
    throw new ValueError('parseCsv', `columns names ${quoted(twice)} twice.`, { column: twice });
  }
}

function checkTexts(option: string, list: unknown, form: string): void {
  if (list === undefined) return;
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return;
  throw new ValueError('parseCsv', `${option} must be a list of texts, as ${form}.`, { [option]: list });
}
