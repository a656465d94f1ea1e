/** `@nn/train/browser`: what a training needs of a page. */
export type { SavingOptions } from '../callbacks/saving.ts';
export { type CheckpointOptions, checkpoint, readSave, removeSaves, resume } from './checkpoint.ts';
export { LiveChart, type LiveChartOptions, liveChart, type PageElement } from './live-chart.ts';
