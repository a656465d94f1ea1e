/** The course of a training in a place: lines and dots over its steps, with their names above them. */
import type { JSX } from 'preact';
import type uPlot from 'uplot';
import { Plot, type PlotLine } from '../views/plot.tsx';

export interface Line extends PlotLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface LineChartProps {
  readonly label: string;
  readonly steps: readonly number[];
  readonly lines: readonly Line[];
  readonly height?: number;
}

export function LineChart({ label, steps, lines, height = 150 }: LineChartProps): JSX.Element {
  return (
    <Plot
      label={label}
      height={height}
      lines={lines.map(({ name: _, values: __, ...look }) => look)}
      data={[steps, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData} // read-only arrays: uPlot only reads
      stepText={thousands}
      caption={
        <figcaption class="small legend">
          {lines.map(({ name, color }) => (
            <span key={name} class="legend-item">
              <span class="key" style={{ background: `var(${color})` }} /> {name}
            </span>
          ))}
        </figcaption>
      }
    />
  );
}

/** 12000 as 12 k: the axis is narrow. */
const thousands = (tick: number): string => (tick >= 10_000 ? `${tick / 1000} k` : String(tick));
