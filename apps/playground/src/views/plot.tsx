/** Lines and dots over the steps of a training, by uPlot, in the page's colours: as wide as their place, light or dark. */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { isDark } from '../state/theme.ts';
import { short } from './format.ts';

export interface PlotLine {
  /** A variable of the style sheet. */
  readonly color: string;
  readonly width?: number;
  readonly dash?: readonly [on: number, off: number];
  /** Dots in place of a line. */
  readonly isDots?: boolean;
}

interface PlotProps {
  readonly label: string;
  readonly caption: JSX.Element;
  readonly height: number;
  readonly lines: readonly PlotLine[];
  /** Steps, and a column for each line. */
  readonly data: uPlot.AlignedData;
  /** The upper end of the axis, where it is known. */
  readonly top?: number;
  readonly stepText?: (step: number) => string;
  readonly valueText?: (value: number) => string;
  /** Hears of the moment under the pointer. */
  readonly onCursor?: (plot: uPlot) => void;
}

export function Plot(props: PlotProps): JSX.Element {
  const { label, caption, height, lines, data } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const dark = isDark.value;
  const looks = JSON.stringify(lines);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(element, latest), latest.current.data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [dark, looks, height]);
  useLayoutEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure class="chart">
      {caption}
      {/* the plot comes after the first paint, into its place */}
      <div ref={place} role="img" aria-label={label} data-points={data[0].length} style={{ height: `${height}px` }} />
    </figure>
  );
}

function optionsOf(element: HTMLElement, latest: { readonly current: PlotProps }): uPlot.Options {
  const { height, lines, top, stepText = String, valueText = (value) => short(value, 2) } = latest.current;
  const style = getComputedStyle(element);
  const color = (variable: string): string => style.getPropertyValue(variable).trim();
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  };
  return {
    width: element.clientWidth || 280,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    hooks: { setCursor: [(chart) => latest.current.onCursor?.(chart)] },
    scales: {
      x: { time: false },
      y: { range: (_, low, high) => [Math.min(0, low || 0), top ?? (high || 1) * 1.08] },
    },
    axes: [
      { ...axis, size: 24, space: 60, values: (_, ticks) => ticks.map(stepText) },
      { ...axis, size: 40, space: 28, values: (_, ticks) => ticks.map(valueText) },
    ],
    series: [
      {},
      ...lines.map(({ color: variable, width = 2, dash, isDots }) => ({
        stroke: color(variable),
        width: isDots ? 0 : width,
        points: isDots ? { show: true, size: 3, width: 0, fill: color(variable) } : { show: false },
        spanGaps: true,
        ...(dash && { dash: [...dash] }),
      })),
    ],
  };
}
