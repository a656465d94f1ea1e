/** Numbers and durations as people read them. */
import { duration } from '@nn/train';

/** 12345 as 12,345. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 0.98765 as `98.8 %`. Never 100 where something is missing, never 0 where something is there. */
export function percent(share: number): string {
  const text = (100 * share).toFixed(1);
  if (share < 1 && text === '100.0') return '99.9 %';
  if (share > 0 && text === '0.0') return '0.1 %';
  return `${text} %`;
}

/** Seconds with a tenth. */
export function seconds(milliseconds: number): string {
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : duration(milliseconds / 1000);
}
