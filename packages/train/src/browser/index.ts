/** `@nn/train/browser`: what shows a training on a page. */
export { LiveChart, type LiveChartOptions, liveChart, type PageElement } from './live-chart.ts';
