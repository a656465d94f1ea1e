/**
 * Files that are dropped on the page or chosen: told apart by name and first bytes, read, and checked as far as the page
 * can. A table is kept for this tab, so that a reload finds it again; everything else would be too large.
 */
import { readCsv, readIdxImages } from '@nn/data';
import { t } from '../i18n/language.ts';
import { type Dropped, tableOptions } from '../model/samples.ts';
import { Complaint } from './complaint.ts';

export type Found =
  | { readonly kind: 'model'; readonly bytes: Uint8Array }
  | { readonly kind: 'table' | 'images'; readonly dropped: Dropped };

const key = 'nn.playground.table';
const longestKept = 1_000_000;

export async function readDropped(files: readonly File[]): Promise<Found> {
  const [first, second] = files;
  if (first === undefined) throw new Complaint(() => t('unknownFile'));
  if (/\.safetensors$/i.test(first.name)) {
    return { kind: 'model', bytes: new Uint8Array(await first.arrayBuffer()) };
  }
  if (/\.(csv|tsv|tab|txt)$/i.test(first.name) || first.type === 'text/csv') return readTable(first);
  if (/(idx|ubyte)/i.test(first.name) || (await isIdx(first))) return readImages(first, second);
  throw new Complaint(() => `${first.name}: ${t('unknownFile')}`);
}

async function readTable(file: File): Promise<Found> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  // says line and column of what is damaged
  const { reading } = await readCsv(bytes, { ...tableOptions, name: file.name, encoding: 'infer' });
  const encoding = reading?.encoding ?? 'utf-8';
  const table = { name: file.name, text: new TextDecoder(encoding).decode(bytes), encoding };
  try {
    if (table.text.length <= longestKept) sessionStorage.setItem(key, JSON.stringify(table));
  } catch {
    // a full or forbidden storage only means that a reload asks for the file again
  }
  return { kind: 'table', dropped: { table } };
}

async function readImages(first: File, second: File | undefined): Promise<Found> {
  if (second === undefined) throw new Complaint(() => t('twoIdxFiles'));
  const [images, labels] = (await rankOf(first)) === 3 ? [first, second] : [second, first];
  const { inputs, targets } = (await readIdxImages(images, labels, { images: images.name, labels: labels.name }))
    .fields;
  const [, , height, width] = inputs.shape;
  if (height !== 28 || width !== 28) {
    throw new Complaint(() => `${images.name}: ${height} x ${width}; ${t('side28')}`);
  }
  return {
    kind: 'images',
    dropped: { images: { name: images.name, pixels: inputs.data, labels: targets.data, shape: inputs.shape } },
  };
}

async function firstBytes(file: File): Promise<Uint8Array> {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (head[0] !== 0x1f || head[1] !== 0x8b) return new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const reader = file.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const { value } = await reader.read();
  void reader.cancel();
  return value ?? head;
}

const isIdx = async (file: File): Promise<boolean> => {
  const [a, b] = await firstBytes(file).catch(() => new Uint8Array(2).fill(1));
  return a === 0 && b === 0;
};
const rankOf = async (file: File): Promise<number> => (await firstBytes(file).catch(() => new Uint8Array(4)))[3] ?? 0;

/** The table of this tab. */
export function remembered(): Dropped | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null');
    const { name, text, encoding } = Object(kept) as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || typeof text !== 'string' || typeof encoding !== 'string') return null;
    return { table: { name, text, encoding } };
  } catch {
    return null;
  }
}

/** Gives bytes or text to the browser's downloads. */
export function download(name: string, content: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
