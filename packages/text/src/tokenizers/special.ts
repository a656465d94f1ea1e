/**
 * Special tokens: what roles they have, and where they stand around a text or a pair of texts. Owns roles and templates, and
 * their form in tokenizer.json; the tokenizer puts them in.
 */
import { checkOptions, excerpt, FormatError, ValueError } from '@nn/core';

/** What a special token is for. */
export const roles = ['padding', 'unknown', 'begin', 'end', 'separator', 'mask'] as const;
export type Role = (typeof roles)[number];

/** The special tokens of a tokenizer, as they are written. */
export interface SpecialTokens extends Partial<Readonly<Record<Role, string>>> {
  /** Tokens with another meaning, as those between the turns of a talk. */
  readonly more?: readonly string[];
}

/** A place around texts: the first or second text, or a special token; `type` is the token type of what stands there. */
export type Place = { readonly text: 0 | 1; readonly type: number } | { readonly token: string; readonly type: number };

export interface Template {
  readonly single: readonly Place[];
  readonly pair: readonly Place[];
}

export const plainTemplate: Template = {
  single: [{ text: 0, type: 0 }],
  pair: [
    { text: 0, type: 0 },
    { text: 1, type: 1 },
  ],
};

/** Special tokens by id order: those with roles first. Throws ValueError for two of the same, or an empty one. */
export function listOf(operation: string, special: SpecialTokens): string[] {
  checkOptions(operation, special, [...roles, 'more']);
  const list = [...roles.flatMap((role) => special[role] ?? []), ...(special.more ?? [])];
  if (list.includes('')) throw new ValueError(operation, 'a special token is empty: it must have a character.');
  return [...new Set(list)];
}

/** begin A end, and begin A separator B separator (end where there is no separator). */
export function templateOf(special: SpecialTokens): Template {
  const { begin, separator } = special;
  const end = special.end ?? separator;
  const between = separator ?? special.end;
  const token = (text: string | undefined, type: number): readonly Place[] =>
    text === undefined ? [] : [{ token: text, type }];
  return {
    single: [...token(begin, 0), { text: 0, type: 0 }, ...token(end, 0)],
    pair: [...token(begin, 0), { text: 0, type: 0 }, ...token(between, 0), { text: 1, type: 1 }, ...token(end, 1)],
  };
}

interface TemplateItem {
  readonly Sequence?: { readonly id: string; readonly type_id: number };
  readonly SpecialToken?: { readonly id: string; readonly type_id: number };
}

/** A template as the post-processor of tokenizer.json; null where nothing is added. */
export function templateJson(template: Template, idOf: (token: string) => number | undefined): object | null {
  const tokens = [...template.single, ...template.pair].flatMap((place) => ('token' in place ? [place.token] : []));
  if (tokens.length === 0) return null;
  const item = (place: Place): TemplateItem =>
    'token' in place
      ? { SpecialToken: { id: place.token, type_id: place.type } }
      : { Sequence: { id: 'AB'[place.text] ?? 'A', type_id: place.type } };
  return {
    type: 'TemplateProcessing',
    single: template.single.map(item),
    pair: template.pair.map(item),
    special_tokens: Object.fromEntries(
      [...new Set(tokens)].map((token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]),
    ),
  };
}

interface ProcessorJson {
  readonly type: string;
  readonly single?: unknown;
  readonly pair?: unknown;
  readonly processors?: unknown;
  readonly sep?: readonly [string, number] | null;
  readonly cls?: readonly [string, number] | null;
}

/** The template of a post-processor in tokenizer.json. Throws FormatError for one that is not known, or is damaged. */
export function templateFromJson(json: ProcessorJson | null): Template {
  if (json === null || json.type === 'ByteLevel') return plainTemplate;
  if (json.type === 'Sequence') {
    const told = listIn('processors', json.processors).map((each) => {
      if (typeof each === 'object' && each !== null) return templateFromJson(each as ProcessorJson); // the cast: looked at here
      throw damaged(`'processors' has ${shown(each)} where a post-processor should be.`);
    });
    return told.find((template) => template !== plainTemplate) ?? plainTemplate;
  }
  if (json.type === 'TemplateProcessing') {
    return { single: placesOf('single', json.single), pair: placesOf('pair', json.pair) };
  }
  if (json.type === 'BertProcessing' || json.type === 'RobertaProcessing') {
    const [begin, separator] = [json.cls?.[0], json.sep?.[0]];
    if (typeof begin === 'string' && typeof separator === 'string') {
      const found = templateOf({ begin, separator });
      if (json.type === 'BertProcessing') return found;
      // RoBERTa has two separators between, and no types
      const flat = found.pair.map((place) => ({ ...place, type: 0 }));
      return { single: found.single, pair: [...flat.slice(0, 3), { token: separator, type: 0 }, ...flat.slice(3)] };
    }
  }
  throw new FormatError(
    'loadTokenizer/post_processor',
    `'${excerpt(String(json.type))}' is not known: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequences of them are.`,
    { type: json.type },
  );
}

function placesOf(name: 'single' | 'pair', items: unknown): Place[] {
  return listIn(name, items).map((item, i) => {
    const { Sequence, SpecialToken } = Object(item) as Partial<Record<'Sequence' | 'SpecialToken', unknown>>;
    const { id, type_id: type } = Object(Sequence ?? SpecialToken) as { id?: unknown; type_id?: unknown };
    if (typeof type === 'number' && Number.isInteger(type) && type >= 0) {
      if (Sequence !== undefined && (id === 'A' || id === 'B')) return { text: id === 'B' ? 1 : 0, type };
      if (SpecialToken !== undefined && typeof id === 'string') return { token: id, type };
    }
    throw damaged(
      `place ${i} of '${name}' is ${shown(item)}: it must be a Sequence 'A' or 'B', or a SpecialToken, with its id and type_id.`,
    );
  });
}

function listIn(name: string, list: unknown): readonly unknown[] {
  if (list === undefined) return [];
  if (Array.isArray(list)) return list;
  throw damaged(`'${name}' is ${shown(list)}: it must be a list.`);
}

function damaged(words: string): FormatError {
  return new FormatError('loadTokenizer/post_processor', `in 'post_processor' ${words}`);
}

const shown = (value: unknown): string => excerpt(JSON.stringify(value) ?? 'nothing', 60);

/** What others call the tokens of each role, where nothing else tells. */
const usualNames: Readonly<Record<Role, readonly string[]>> = {
  padding: ['[PAD]', '<pad>', '<|padding|>', '<|pad|>'],
  unknown: ['[UNK]', '<unk>'],
  begin: ['[CLS]', '<s>', '[BOS]', '<bos>', '<|begin_of_text|>', '<|startoftext|>'],
  end: ['</s>', '[EOS]', '<eos>', '<|endoftext|>', '<|end_of_text|>'],
  separator: ['[SEP]'],
  mask: ['[MASK]', '<mask>'],
};

/** Roles by the names that tokens usually have. */
export function usualRoles(has: (token: string) => boolean): SpecialTokens {
  const found = roles.flatMap((role) => {
    const token = usualNames[role].find(has);
    return token === undefined ? [] : [[role, token] as const];
  });
  return Object.fromEntries(found);
}
