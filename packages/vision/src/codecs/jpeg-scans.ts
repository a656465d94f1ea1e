/**
 * A JPEG from its first byte to its pixels: tables as they come, the scans, which bring the blocks of all components at once or one by one, and in a
 * progressive file bit by bit. What a code means stands in `jpeg-codes.ts`, samples are made in `jpeg-blocks.ts`, pixels in
 * `jpeg-colors.ts`. Memory is a byte a sample, three in progressive files.
 */
import type { Image } from '../images/image.ts';
import { damaged, isFrame, segmentAt } from './jpeg.ts';
import { inverseOfFirst, inverseTransform } from './jpeg-blocks.ts';
import {
  type Band,
  type BitReader,
  type Codes,
  codesOf,
  readBand,
  readBlock,
  readFirst,
  refineBand,
  refineFirst,
  zigzag,
} from './jpeg-codes.ts';
import { type ColorModel, type Plane, pixelsOf } from './jpeg-colors.ts';

/** Files that others write have up to twenty; each costs a look at every block. */
const mostScans = 100;

/** More than a block can have, so that it is read to its end before it is known that the bytes were not there. */
const slack = 300;

interface Component extends Plane {
  readonly id: number;
  readonly columns: number;
  readonly rows: number;
  /** Blocks that it has where it comes alone: those behind the edge are left out. */
  readonly ownColumns: number;
  readonly ownRows: number;
  /** How many blocks of it a unit of all components has, beside and below each other. */
  readonly unitColumns: number;
  readonly unitRows: number;
  readonly table: number;
  /** By what its numbers are multiplied; as it was when the first scan came. */
  quantisation: Int32Array | null;
  /** Of a progressive file: 64 numbers of each block. */
  readonly numbers: Int16Array | null;
  /** The first number of the block before. */
  previous: number;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
  readonly components: readonly Component[];
  readonly unitsAcross: number;
  readonly unitsDown: number;
}

/** What was said up to here. */
interface Tables {
  readonly quantisation: (Int32Array | undefined)[];
  readonly dc: (Codes | undefined)[];
  readonly ac: (Codes | undefined)[];
  /** After how many units the codes begin anew; 0 for never. */
  restart: number;
  isJfif: boolean;
  /** What Adobe's programs say of the colours. */
  adobe: number | undefined;
}

/** The picture in the bytes of a JPEG whose header is sound. */
export function decodeScans(bytes: Uint8Array): Image {
  const tables: Tables = { quantisation: [], dc: [], ac: [], restart: 0, isJfif: false, adobe: undefined };
  let frame: Frame | undefined;
  let scans = 0;
  let scratch: Uint8Array | undefined;
  for (let at = 2; ; ) {
    const { marker, body, end } = segmentAt(bytes, at, 'it ends within its pixels');
    at = end;
    if (isFrame(marker)) {
      if (frame) throw damaged('it has two frames');
      frame = frameOf(body, marker === 0xc2);
    } else if (marker === 0xc4) readCodes(body, tables);
    else if (marker === 0xdb) readQuantisation(body, tables);
    else if (marker === 0xdd) tables.restart = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
    else if (marker === 0xe0) tables.isJfif ||= startsWith(body, 'JFIF\0');
    else if (marker === 0xee && startsWith(body, 'Adobe') && body.length >= 12) tables.adobe = body[11]!;
    else if (marker === 0xda) {
      if (!frame) throw damaged('its pixels come before its size');
      if (++scans > mostScans) throw damaged(`its pixels are in more than ${mostScans} parts`);
      scratch ??= new Uint8Array(bytes.length - end + slack);
      const stretch = unstuffed(bytes, end, scratch);
      readScan(frame, body, tables, scratch, stretch.ends);
      at = stretch.end;
    } else if (marker === 0xd9) break;
  }
  if (!frame) throw damaged('it has no pixels');
  const { width, height, components } = frame;
  for (const component of components) transformAll(component);
  const model = modelOf(components, tables);
  return { width, height, channels: model === 'grey' ? 1 : 3, data: pixelsOf(components, width, height, model) };
}

const startsWith = (body: Uint8Array, text: string): boolean =>
  body.length >= text.length && String.fromCharCode(...body.subarray(0, text.length)) === text;

function frameOf(body: Uint8Array, isProgressive: boolean): Frame {
  const [height, width] = [(body[1]! << 8) | body[2]!, (body[3]! << 8) | body[4]!];
  const given = Array.from({ length: body[5]! }, (_, k) => {
    const [id, sampling, table] = [body[6 + 3 * k]!, body[7 + 3 * k]!, body[8 + 3 * k]!];
    const [across, down] = [sampling >> 4, sampling & 15];
    if (across < 1 || across > 4 || down < 1 || down > 4 || table > 3) {
      throw damaged(`a component has ${across} x ${down} samples and the table ${table}`);
    }
    return { id, across, down, table };
  });
  const [most, deepest] = [Math.max(...given.map((c) => c.across)), Math.max(...given.map((c) => c.down))];
  const [unitsAcross, unitsDown] = [Math.ceil(width / (8 * most)), Math.ceil(height / (8 * deepest))];
  const components = given.map(({ id, across, down, table }): Component => {
    const [columns, rows] = [unitsAcross * across, unitsDown * down];
    const [ownWidth, ownHeight] = [Math.ceil((width * across) / most), Math.ceil((height * down) / deepest)];
    return {
      id,
      table,
      columns,
      rows,
      ownColumns: Math.ceil(ownWidth / 8),
      ownRows: Math.ceil(ownHeight / 8),
      unitColumns: across,
      unitRows: down,
      data: new Uint8ClampedArray(64 * columns * rows),
      stride: 8 * columns,
      width: ownWidth,
      height: ownHeight,
      across: most / across,
      down: deepest / down,
      quantisation: null,
      numbers: isProgressive ? new Int16Array(64 * columns * rows) : null,
      previous: 0,
    };
  });
  return { width, height, isProgressive, components, unitsAcross, unitsDown };
}

/** Tables of codes: the class (0 for first numbers, 1 for the others) and the place, 16 counts, the symbols. */
function readCodes(body: Uint8Array, tables: Tables): void {
  for (let at = 0; at < body.length; ) {
    const [kind, place] = [body[at]! >> 4, body[at]! & 15];
    const counts = body.subarray(at + 1, at + 17);
    const end = at + 17 + counts.reduce((sum, count) => sum + count, 0);
    if (kind > 1 || place > 3 || end > body.length) throw damaged('a table of its codes is cut off');
    (kind === 0 ? tables.dc : tables.ac)[place] = codesOf(counts, body.subarray(at + 17, end));
    at = end;
  }
}

/** Tables of factors: bytes or numbers of two, and the place, then 64 from low frequencies to high ones. */
function readQuantisation(body: Uint8Array, tables: Tables): void {
  for (let at = 0; at < body.length; ) {
    const [size, place] = [body[at]! >> 4 ? 2 : 1, body[at]! & 15];
    if (place > 3 || at + 1 + 64 * size > body.length) throw damaged('a table of its factors is cut off');
    const factors = new Int32Array(64);
    for (let k = 0; k < 64; k++) {
      const from = at + 1 + k * size;
      factors[zigzag[k]!] = size === 1 ? body[from]! : (body[from]! << 8) | body[from + 1]!;
    }
    tables.quantisation[place] = factors;
    at += 1 + 64 * size;
  }
}

/**
 * The bytes of a scan from `at` on, up to the next marker, into `to`: 0xff is followed by a 0 that is taken out, or by the mark of a restart. Says where
 * the parts between those end.
 */
function unstuffed(bytes: Uint8Array, at: number, to: Uint8Array): { readonly end: number; readonly ends: number[] } {
  const ends: number[] = [];
  let length = 0;
  for (let from = at; ; ) {
    const mark = bytes.indexOf(0xff, from);
    if (mark < 0 || mark + 1 >= bytes.length) throw damaged('it ends within its pixels');
    to.set(bytes.subarray(from, mark), length);
    length += mark - from;
    const next = bytes[mark + 1]!;
    from = mark + 2;
    if (next === 0) to[length++] = 0xff;
    else if (next >= 0xd0 && next <= 0xd7) ends.push(length);
    else if (next === 0xff) from = mark + 1;
    else {
      ends.push(length);
      to.fill(0, length, length + slack);
      return { end: mark, ends };
    }
  }
}

/** Reads a block of a component; the place of the block is its number in the component. */
type ReadBlock = (reader: BitReader, component: Component, place: number) => void;

function readScan(frame: Frame, body: Uint8Array, tables: Tables, bytes: Uint8Array, ends: readonly number[]): void {
  const count = body[0] ?? 0;
  if (count < 1 || count > 4 || body.length < 4 + 2 * count) throw damaged('the header of a scan is cut off');
  const parts = Array.from({ length: count }, (_, k) => {
    const component = frame.components.find(({ id }) => id === body[1 + 2 * k]);
    if (!component) throw damaged(`a scan has the component ${body[1 + 2 * k]}, the frame has not`);
    component.quantisation ??= tables.quantisation[component.table] ?? null;
    if (component.quantisation === null) throw damaged('a table of its factors is missing');
    const which = body[2 + 2 * k]!;
    return { component, read: blockReader(frame, body.subarray(1 + 2 * count), count, tables, which >> 4, which & 15) };
  });
  if (new Set(parts.map(({ component }) => component)).size < count) throw damaged('a scan has a component twice');
  const [first] = parts as [(typeof parts)[number]];
  const isAlone = count === 1;
  const across = isAlone ? first.component.ownColumns : frame.unitsAcross;
  const units = across * (isAlone ? first.component.ownRows : frame.unitsDown);
  const restart = tables.restart || units;
  if (ends.length < Math.ceil(units / restart)) throw damaged('it ends within its pixels');
  const reader: BitReader = { bytes, at: 0, emptyBlocks: 0 };
  for (let unit = 0, part = -1, end = 0; unit < units; unit++) {
    if (unit % restart === 0) {
      reader.at = 8 * end;
      end = ends[++part]!;
      reader.emptyBlocks = 0;
      for (const { component } of parts) component.previous = 0;
    }
    const [x, y] = [unit % across, Math.floor(unit / across)];
    if (isAlone) first.read(reader, first.component, y * first.component.columns + x);
    else {
      for (const { component, read } of parts) {
        const { columns, unitColumns, unitRows } = component;
        for (let v = 0; v < unitRows; v++) {
          const row = (y * unitRows + v) * columns + x * unitColumns;
          for (let h = 0; h < unitColumns; h++) read(reader, component, row + h);
        }
      }
    }
    if (reader.at > 8 * end) throw damaged('it ends within its pixels');
  }
}

/** What a scan does with each block of a component. `end`: the three bytes at the end of its header. */
function blockReader(
  frame: Frame,
  end: Uint8Array,
  count: number,
  { dc, ac }: Tables,
  dcTable: number,
  acTable: number,
): ReadBlock {
  const codes = (list: readonly (Codes | undefined)[], place: number): Codes => {
    const found = list[place];
    if (!found) throw damaged('a table of its codes is missing');
    return found;
  };
  if (!frame.isProgressive) return wholeBlocks(codes(dc, dcTable), codes(ac, acTable));
  const [first, last, high, low] = [end[0]!, end[1]!, end[2]! >> 4, end[2]! & 15];
  if (last > 63 || first > last || (first === 0 ? last > 0 : count > 1) || low > 13) {
    throw damaged(`a scan has the numbers ${first} to ${last} of ${count} components`);
  }
  const band: Band = { first, last, low };
  if (first > 0) {
    const table = codes(ac, acTable);
    const read = high === 0 ? readBand : refineBand;
    return (reader, { numbers }, place) => read(reader, table, band, numbers!, 64 * place);
  }
  if (high > 0) return (reader, { numbers }, place) => refineFirst(reader, band, numbers!, 64 * place);
  const table = codes(dc, dcTable);
  return (reader, component, place) => {
    component.previous = readFirst(reader, table, component.previous, band, component.numbers!, 64 * place);
  };
}

/** Baseline: a block is read and becomes samples at once. */
function wholeBlocks(dc: Codes, ac: Codes): ReadBlock {
  const block = new Int32Array(64);
  return (reader, component, place) => {
    const last = readBlock(reader, dc, ac, component.previous, block);
    const first = block[0]!;
    component.previous = first;
    const { columns, stride, data } = component;
    const quantisation = component.quantisation!;
    const column = place % columns;
    const at = 8 * (((place - column) / columns) * stride + column);
    if (last === 0) inverseOfFirst(Math.imul(first, quantisation[0]!), data, at, stride);
    else {
      inverseTransform(block, 0, quantisation, data, at, stride);
      block.fill(0);
    }
  };
}

/** Progressive: all blocks become samples when their last bit is there. Says which files lack a component. */
function transformAll({ quantisation, numbers, columns, rows, data, stride }: Component): void {
  if (quantisation === null) throw damaged('its pixels lack a component');
  if (numbers === null) return;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      inverseTransform(numbers, 64 * (row * columns + column), quantisation, data, 8 * (row * stride + column), stride);
    }
  }
}

/** As libjpeg guesses: JFIF is luma and chroma; else Adobe says it; else components may be called R, G and B. */
function modelOf(components: readonly Component[], { isJfif, adobe }: Tables): ColorModel {
  if (components.length === 1) return 'grey';
  if (components.length === 4) return adobe === 2 ? 'luma and ink' : 'inks';
  if (isJfif) return 'luma';
  if (adobe !== undefined) return adobe === 0 ? 'rgb' : 'luma';
  return String.fromCharCode(...components.map(({ id }) => id)) === 'RGB' ? 'rgb' : 'luma';
}
