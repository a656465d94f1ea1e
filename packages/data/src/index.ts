/** Data for training: samples in memory, batches, splits, normalisation, readers of files, generated problems. */

export type { DigitOptions } from './generated/digits.ts';
export { digits } from './generated/digits.ts';
export type { PointOptions } from './generated/points.ts';
export { blobs, circles, moons, spirals, xor } from './generated/points.ts';
export type { Column, ColumnKind, CsvFileOptions, CsvOptions, CsvReading, CsvRecords, Table } from './readers/csv.ts';
export { parseCsv, parseCsvRecords, readCsv } from './readers/csv.ts';
export type { Decimal } from './readers/csv-values.ts';
export type { ByteSource } from './readers/gunzip.ts';
export { gunzip } from './readers/gunzip.ts';
export type { IdxOptions, IdxType } from './readers/idx.ts';
export { encodeIdx, parseIdx, readIdx, readIdxImages } from './readers/idx.ts';
export type { ArrayBatch, Padding } from './samples/batches.ts';
export { gatherBatch, padSequences, padTo } from './samples/batches.ts';
export type { Classified, DataArray, Elements, Field, Fields, RaggedArray } from './samples/dataset.ts';
export { Dataset, dense, ragged } from './samples/dataset.ts';
export type { Batch, BatchInfo, DataLoaderOptions } from './samples/loader.ts';
export { DataLoader } from './samples/loader.ts';
export type { FitOptions, Normalization } from './samples/normalization.ts';
export { denormalize, fitNormalization, normalize } from './samples/normalization.ts';
export { RandomSequence, shuffledOrder } from './samples/random.ts';
export type { Fold, FoldOptions, TimeSeriesFoldOptions } from './splits/folds.ts';
export { kFolds, timeSeriesFolds } from './splits/folds.ts';
export type { SplitOptions } from './splits/split.ts';
export { splitTable, trainTestSplit } from './splits/split.ts';
export type { ColumnEncoding, TableEncoding, TableOptions } from './tables/table.ts';
export { dropMissing, encodeTable, fitTable, inputNames, takeRows } from './tables/table.ts';
