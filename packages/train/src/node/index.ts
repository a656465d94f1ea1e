/** `@nn/train/node`: what a training needs of a process of Node's. */
export type { SavingOptions } from '../callbacks/saving.ts';
export { type CheckpointOptions, checkpoint, resume } from './checkpoint.ts';
export { type HtmlReportOptions, htmlReport } from './html-report.ts';
export { type Interrupt, watchInterrupts } from './interrupt.ts';
export {
  csv,
  type JsonLinesOptions,
  jsonLines,
  type LogCallback,
  type LogOptions,
  type TensorBoardCallback,
  type TensorBoardOptions,
  tensorBoard,
} from './logs.ts';
