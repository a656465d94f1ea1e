/** Lines and dots over the steps of a training, by uPlot, in the page's colours. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { isDark } from '../state/theme.ts';
import { short } from '../views/format.ts';

export interface Line {
  readonly name: string;
  /** A variable of the style sheet. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  /** Dots in place of a line. */
  readonly isDots?: boolean;
}

interface LineChartProps {
  readonly label: string;
  readonly steps: readonly number[];
  readonly lines: readonly Line[];
  readonly height?: number;
}

export function LineChart({ label, steps, lines, height = 150 }: LineChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [steps, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData; // read-only arrays: uPlot only reads
  const dark = isDark.value;
  const kinds = lines.map(({ name, color, isDots }) => `${name} ${color} ${isDots}`).join();
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const style = getComputedStyle(element);
    const color = (variable: string): string => style.getPropertyValue(variable).trim();
    const axis = {
      stroke: color('--muted'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    };
    const made = new uPlot(
      {
        width: element.clientWidth || 280,
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high || 1) * 1.05] } },
        axes: [
          { ...axis, size: 24, space: 60, values: (_, ticks) => ticks.map(thousands) },
          { ...axis, size: 40, space: 28, values: (_, ticks) => ticks.map((tick) => short(tick, 2)) },
        ],
        series: [
          {},
          ...lines.map(({ color: variable, isDots }) => ({
            stroke: color(variable),
            width: isDots ? 0 : 2,
            points: isDots ? { show: true, size: 3, width: 0, fill: color(variable) } : { show: false },
          })),
        ],
      },
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [dark, kinds]);
  useEffect(() => plot.current?.setData(data), [steps, lines]);
  return (
    <figure class="chart">
      <figcaption class="small legend">
        {lines.map(({ name, color }) => (
          <span key={name} class="legend-item">
            <span class="key" style={{ background: `var(${color})` }} /> {name}
          </span>
        ))}
      </figcaption>
      <div ref={place} role="img" aria-label={label} data-points={steps.length} style={{ height: `${height}px` }} />
    </figure>
  );
}

/** 12000 as 12 k: the axis is narrow. */
const thousands = (tick: number): string => (tick >= 10_000 ? `${tick / 1000} k` : String(tick));
