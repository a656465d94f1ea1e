/** `@nn/train/browser`: what shows a training on a page. */
export { LiveChart, type LiveChartOptions, liveChart } from './live-chart.ts';
