/** The pipeline of `large-files.ts`, made by one function in the main thread and in each worker. */
import {
  csvRows,
  type DataPipeline,
  dataPipeline,
  encodeRows,
  openFile,
  type TableEncoding,
  textLines,
} from '@nn/data';

/** What a worker gets: where the file is, what was fitted, and the index, which threads share. */
export interface Share {
  readonly kind: string;
  readonly path: string;
  readonly index: Uint8Array;
  /** Of CSV. */
  readonly encoding: TableEncoding | null;
}

export interface LargeSample {
  readonly inputs: Float32Array;
  readonly targets: number;
}

/** The numbers that a line of text becomes. */
export const textWidth = 16;

export async function largeSamples({ kind, path, index, encoding }: Share): Promise<DataPipeline<LargeSample>> {
  const file = await openFile(path);
  if (kind !== 'csv' || encoding === null) {
    return dataPipeline(await textLines(file, { index })).map((line) => ({
      inputs: Float32Array.from({ length: textWidth }, (_, i) => (line.charCodeAt(i) - 80) / 32),
      targets: line.startsWith('plum') ? 1 : 0,
    }));
  }
  return dataPipeline(await csvRows(file, { index })).map((row) => ({
    inputs: Float32Array.from(encodeRows([row], encoding).data),
    targets: row.good === 'yes' ? 1 : 0,
  }));
}
