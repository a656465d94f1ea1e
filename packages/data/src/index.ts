/** Data for training: samples in memory, batches, splits, normalisation, readers of files, generated problems. */

export type { BatchOptions } from './pipeline/batch-options.ts';
export { BatchPipeline, type PipelineBatch } from './pipeline/batch-pipeline.ts';
export type { SampleContext } from './pipeline/chunk.ts';
export { DataPipeline, dataPipeline } from './pipeline/pipeline.ts';
export { type PortLike, servePipeline } from './pipeline/serve.ts';
export type { Sample, SampleOf, SampleValue, Source, SourceLike, StreamSource } from './pipeline/source.ts';
export type { WorkerLike, WorkerOptions } from './pipeline/workers.ts';
export type { DigitOptions } from './problems/digits.ts';
export { digits } from './problems/digits.ts';
export type { PointOptions } from './problems/points.ts';
export { blobs, circles, moons, spirals, xor } from './problems/points.ts';
export type { Column, ColumnKind, CsvFileOptions, CsvOptions, CsvReading, Table } from './readers/csv.ts';
export { parseCsv, readCsv } from './readers/csv.ts';
export { CsvRecords, parseCsvRecords } from './readers/csv-records.ts';
export type { Decimal } from './readers/csv-values.ts';
export type { ByteSource } from './readers/gunzip.ts';
export { gunzip } from './readers/gunzip.ts';
export type { IdxOptions, IdxType } from './readers/idx.ts';
export { encodeIdx, parseIdx, readIdx, readIdxImages } from './readers/idx.ts';
export type { CountOptions, ResampleOptions } from './resampling/classes.ts';
export type { CleaningOptions, EditedOptions } from './resampling/cleaning.ts';
export { editedNearestNeighbors, removeTomekLinks } from './resampling/cleaning.ts';
export type { RandomResampleOptions } from './resampling/random.ts';
export { randomOversample, randomUndersample } from './resampling/random.ts';
export type { SmoteNcOptions } from './resampling/smote-nc.ts';
export { smoteNc } from './resampling/smote-nc.ts';
export type { BorderlineOptions, SmoteOptions, Synthetic } from './resampling/synthetic.ts';
export { adasyn, borderlineSmote, smote } from './resampling/synthetic.ts';
export type { BatchInfo } from './samples/batch-tensors.ts';
export type { ArrayBatch, Padding } from './samples/batches.ts';
export { gatherBatch, padSequences, padTo } from './samples/batches.ts';
export type { Classified, DataArray, Elements, Field, Fields, RaggedArray } from './samples/dataset.ts';
export { Dataset, dense, ragged } from './samples/dataset.ts';
export type { Batch, DataLoaderOptions } from './samples/loader.ts';
export { DataLoader } from './samples/loader.ts';
export type { FitOptions, Normalization } from './samples/normalization.ts';
export { denormalize, fitNormalization, normalize } from './samples/normalization.ts';
export { RandomSequence, shuffledOrder } from './samples/random.ts';
export type { EpochPlan, Sampler } from './samples/sampler.ts';
export type { BalanceOptions } from './sampling/balanced.ts';
export { balancedSampler } from './sampling/balanced.ts';
export type { LengthOptions } from './sampling/length.ts';
export { lengthSampler } from './sampling/length.ts';
export { poissonSampler } from './sampling/poisson.ts';
export type { WeightedOptions } from './sampling/weighted.ts';
export { weightedSampler } from './sampling/weighted.ts';
export type { DifferenceOptions, Differences, SeasonOptions } from './series/seasons.ts';
export { difference, scaledError, seasonalFeatures, seasonalNaive, undifference } from './series/seasons.ts';
export type { WindowOptions, Windows } from './series/windows.ts';
export { slidingWindows } from './series/windows.ts';
export {
  type BlobLike,
  type ByteRange,
  byteRange,
  fetchRange,
  openFile,
  type ResponseLike,
} from './sources/byte-range.ts';
export { type CsvRows, type CsvRowsOptions, csvRows } from './sources/csv-rows.ts';
export {
  type DecodedFolder,
  type DecodedShards,
  type DecodedSource,
  decodedFolder,
  decodedList,
  decodedShards,
  type FileDecoder,
  type FileSource,
  type ListedFile,
  type ListOptions,
  type ShardSample,
  type ShardsOptions,
} from './sources/decoded.ts';
export {
  type FolderFile,
  type FolderOptions,
  type FolderSample,
  type FolderSamples,
  folderSamples,
} from './sources/folders.ts';
export { type TarOptions, type TarSample, type TarSamples, tarSamples } from './sources/tar.ts';
export {
  type ByteReadable,
  type ByteStream,
  type IndexedSource,
  type JsonLinesOptions,
  jsonLines,
  type LinesOptions,
  lineStream,
  textLines,
} from './sources/text-lines.ts';
export type { Fold, FoldOptions, TimeSeriesFoldOptions } from './splits/folds.ts';
export { kFolds, timeSeriesFolds } from './splits/folds.ts';
export type { SplitOptions } from './splits/split.ts';
export { splitTable, trainTestSplit } from './splits/split.ts';
export type { DatePart } from './tables/dates.ts';
export type {
  CategoryEncoding,
  ColumnEncoding,
  DateEncoding,
  FittedAs,
  NumberEncoding,
  TableEncoding,
  TargetEncoding,
} from './tables/encoding.ts';
export type { Fill } from './tables/fills.ts';
export type { ColumnOptions, Scale, TableOptions } from './tables/fit.ts';
export { fitEncodeTable, fitTable } from './tables/fit.ts';
export type { RawRow } from './tables/raw.ts';
export { encodeRows, parseTableEncoding } from './tables/raw.ts';
export type { EncodedTable } from './tables/table.ts';
export { classified, dropMissing, encodeTable, inputNames, takeRows } from './tables/table.ts';
export type { DataWarning } from './warning.ts';
