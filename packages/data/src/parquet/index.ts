/** Parquet files as samples and tables, by the package hyparquet, which you install beside this one. */
export { type ParquetOptions, type ParquetRows, parquetRows } from './parquet-rows.ts';
