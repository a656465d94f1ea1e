/** Round numbers for an axis: a step of 1, 2 or 5 times a power of ten apart, written with as many decimals as the step has. */
import { short } from './format.ts';

export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** Those within a range, about as many as `most` and no more than one beyond; none where the range is empty. */
export function roundTicks(low: number, high: number, most = 4): readonly Tick[] {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const least = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((times) => times * power >= least * (1 - 1e-9)) ?? 10);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => {
    const value = (first + k) * step;
    return { value, text: written(value, decimals) };
  });
}

function written(value: number, decimals: number): string {
  if (value === 0) return '0';
  return decimals > 4 || Math.abs(value) >= 1e5 ? short(value, 0) : value.toFixed(decimals).replace('-', '−');
}
