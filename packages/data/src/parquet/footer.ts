/**
 * The footer of a Parquet file: its columns, its row groups, and where each column of each begins and ends. It is looked through before
 * and after hyparquet reads it; what leaves the file, or does not fit together, is refused.
 */
import type { FileMetaData, SchemaElement } from 'hyparquet';
import type { ByteRange } from '../sources/byte-range.ts';
import type { Column } from './pages.ts';
import { readStruct } from './thrift.ts';

/** A column of the file; one of lists or records has parts, and is not read. */
export interface FileColumn extends Column {
  readonly element: SchemaElement;
  /** `'lists'` or `'records'`, where its values are such. */
  readonly nested: 'lists' | 'records' | undefined;
  /** Which of a row group's columns it is: the first one, where it has parts. */
  readonly place: number;
}

/** The bytes of one column in one row group. */
export interface Chunk {
  readonly start: number;
  readonly size: number;
  readonly codec: string;
}

export interface Footer {
  readonly columns: readonly FileColumn[];
  readonly groups: readonly { readonly rows: number; readonly chunks: readonly Chunk[] }[];
}

/** `PAR1`. */
const mark = 0x31524150;

/** The footer's bytes with what stands behind them, as hyparquet wants them. Throws an `Error` for what is none. */
export async function footerBytes(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
  const tail = await range.read(range.size - 8, range.size);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const last = view.getUint32(4, true);
  if (last !== mark) throw new Error(last === 0x45524150 ? 'it is encrypted' : 'it does not end with PAR1');
  const length = view.getUint32(0, true);
  if (length > range.size - 12) throw new Error(`a footer of ${length} bytes is longer than the file`);
  const bytes = new Uint8Array(await range.read(range.size - 8 - length, range.size));
  readStruct({ bytes: bytes.subarray(0, length), at: 0 });
  return bytes;
}

/** The columns and row groups. Throws an `Error` that says what does not fit. */
export function checkedFooter({ schema, row_groups: groups, num_rows: rows }: FileMetaData, size: number): Footer {
  const { columns, leaves } = columnsOf(schema);
  let total = 0;
  const checked = groups.map((group, index) => {
    const within = `row group ${index + 1}`;
    const count = whole(group.num_rows, `${within}: its number of rows`);
    total += count;
    if (group.columns.length !== leaves.length) {
      throw new Error(`${within} has ${group.columns.length} columns, the file ${leaves.length}`);
    }
    const chunks = group.columns.map((column, place) => {
      const { path, element, isFlat } = leaves[place]!;
      const here = `${within}, column '${path.join('.').slice(0, 60)}'`;
      const { meta_data: about } = column;
      if (column.file_path) throw new Error(`${here} lies in another file`);
      if (!about || column.crypto_metadata) throw new Error(`${here} is encrypted or not told of`);
      if (about.path_in_schema.join('\0') !== path.join('\0') || about.type !== element.type) {
        throw new Error(`${here} is another one than the schema says`);
      }
      const values = whole(about.num_values, `${here}: its number of values`);
      if (isFlat && values !== count) throw new Error(`${here} has ${values} values, the row group ${count} rows`);
      const start = whole(about.dictionary_page_offset || about.data_page_offset, `${here}: its place`);
      const bytes = whole(about.total_compressed_size, `${here}: its size`);
      if (start + bytes > size - 8) throw new Error(`${here}: ${bytes} bytes from ${start} on leave the file`);
      return { start, size: bytes, codec: String(about.codec) };
    });
    return { rows: count, chunks };
  });
  if (whole(rows, 'its number of rows') !== total) throw new Error(`it has ${rows} rows, its row groups ${total}`);
  return { columns, groups: checked };
}

interface Leaf {
  readonly path: readonly string[];
  readonly element: SchemaElement;
  readonly isFlat: boolean;
}

/** The schema is a tree, written as a list: each element says how many of those behind it are its children. */
function columnsOf(schema: readonly SchemaElement[]): { columns: FileColumn[]; leaves: Leaf[] } {
  const leaves: Leaf[] = [];
  let at = 0;
  const visit = (above: readonly string[]): SchemaElement => {
    const element = schema[at++];
    if (!element || typeof element.name !== 'string') throw new Error('its schema is not whole');
    const children = element.num_children ?? 0;
    const path = at === 1 ? above : [...above, element.name];
    if (path.length > 32) throw new Error('its schema is nested more than 32 deep');
    if (children > 0) {
      if (children > schema.length - at) throw new Error('its schema is not whole');
      for (let i = 0; i < children; i++) visit(path);
    } else if (at > 1) {
      if (element.type === undefined) throw new Error(`column '${element.name.slice(0, 60)}' has no type`);
      leaves.push({ path, element, isFlat: path.length === 1 && element.repetition_type !== 'REPEATED' });
    }
    return element;
  };
  const columns: FileColumn[] = [];
  const root = visit([]);
  if (at !== schema.length) throw new Error('its schema goes on behind its end');
  at = 1;
  let place = 0;
  for (let i = 0; i < (root.num_children ?? 0); i++) {
    const first = schema[at]!;
    const seen = leaves.length;
    visit([]);
    const parts = leaves.length - seen;
    leaves.length = seen;
    columns.push(columnOf(first, leaves[place]!, place));
    place += parts;
  }
  return { columns, leaves };
}

function columnOf(element: SchemaElement, leaf: Leaf, place: number): FileColumn {
  const { converted_type: converted, logical_type: logical } = element;
  const isList = element.repetition_type === 'REPEATED' || converted === 'LIST' || logical?.type === 'LIST';
  const isShape = logical?.type === 'GEOMETRY' || logical?.type === 'GEOGRAPHY';
  return {
    name: element.name,
    element,
    place,
    type: String(element.type),
    typeLength: element.type_length ?? 0,
    isOptional: element.repetition_type !== 'REQUIRED',
    isDecimal: converted === 'DECIMAL',
    nested: leaf.isFlat && !isShape ? undefined : isList ? 'lists' : 'records',
  };
}

/** A number that stands in the footer as one of 64 bits. */
function whole(value: unknown, what: string): number {
  const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`${what} is ${String(value)}`);
}
