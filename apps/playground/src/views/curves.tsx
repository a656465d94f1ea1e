/** Loss and accuracy over the steps, for training and test samples, by uPlot. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { t } from '../i18n/language.ts';
import { frame, goal, history, kept } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { Comparison } from './comparison.tsx';
import { percent, short } from './format.ts';
import { type Read, seriesOf } from './series.ts';
import { TimeTravel } from './time-travel.tsx';
import { hideTip, showTip } from './tip.tsx';

const height = 132;

export function Curves(): JSX.Element {
  const isQuantity = goal.value === 'quantity';
  return (
    <section class="panel" aria-labelledby="curves-title" data-name="curves">
      <div class="panel-head">
        <h2 id="curves-title">{t('curves')}</h2>
        <p class="small legend">
          <span class="key train" /> {t('trainPart')} <span class="key test" /> {t('testPart')}
        </p>
      </div>
      <Chart name={t('lossValue')} train={(m) => m.trainLoss} test={(m) => m.testLoss} show={short} />
      {!isQuantity && (
        <Chart
          name={t('accuracy')}
          train={(m) => m.trainAccuracy}
          test={(m) => m.testAccuracy}
          show={percent}
          top={1}
        />
      )}
      <TimeTravel />
      <Comparison />
    </section>
  );
}

interface ChartProps {
  readonly name: string;
  readonly train: Read;
  readonly test: Read;
  readonly show: (value: number) => string;
  /** The upper end of the axis, where it is known. */
  readonly top?: number;
}

function Chart({ name, train, test, show, top }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const dark = isDark.value;
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
        hooks: { setCursor: [(chart) => tellMoment(chart, show)] },
        scales: {
          x: { time: false },
          y: { range: (_, low, high) => [Math.min(0, low || 0), top ?? (high || 1) * 1.05] },
        },
        axes: [
          { ...axis, size: 24, space: 60 },
          {
            ...axis,
            size: 40,
            space: 28,
            values: (_, ticks) => ticks.map((tick) => (top === 1 ? `${Math.round(100 * tick)} %` : short(tick, 2))),
          },
        ],
        series: [
          {},
          { stroke: color('--curve-train'), width: 1.5, points: { show: false }, spanGaps: true },
          { stroke: color('--curve-test'), width: 2, points: { show: false }, spanGaps: true },
          { stroke: color('--curve-train'), width: 1, dash: [4, 4], points: { show: false }, spanGaps: true },
          { stroke: color('--blue'), width: 1.5, dash: [5, 4], points: { show: false }, spanGaps: true },
        ],
      },
      seriesOf(history.peek(), kept.peek()?.history ?? [], train, test),
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
  }, [dark]);
  useSignalEffect(() => {
    plot.current?.setData(seriesOf(history.value, kept.value?.history ?? [], train, test));
  });
  const last = frame.value;
  const [trainNow, testNow] = last === null ? [null, null] : [train(last), test(last)];
  const label = `${name}: ${t('trainPart')} ${trainNow === null ? '–' : show(trainNow)}, ${t('testPart')} ${testNow === null ? '–' : show(testNow)}`;
  return (
    <figure class="chart">
      <figcaption class="field-label">{name}</figcaption>
      {/* the chart comes after the first paint, into its place */}
      <div
        ref={place}
        role="img"
        aria-label={label}
        data-points={history.value.length}
        style={{ height: `${height}px` }}
      />
    </figure>
  );
}

/** The numbers of the moment under the cursor. */
function tellMoment({ cursor, data, root }: uPlot, show: ChartProps['show']): void {
  const [steps] = data;
  const { idx, left = -1, top = 0 } = cursor;
  // at steps that only the other run has, the numbers are its own
  const [own, other] = [data.slice(1, 3), data.slice(3, 5)].map((of) => of.map((values) => values?.[idx ?? 0]));
  const [trainThen, testThen] = own?.[0] != null ? own : (other ?? []);
  if (idx == null || left < 0 || trainThen == null || testThen == null) {
    hideTip();
    return;
  }
  const box = root.querySelector('.u-over')?.getBoundingClientRect();
  const values = { step: steps[idx] ?? 0, train: show(trainThen), test: show(testThen) };
  showTip(t('moment', values), { clientX: (box?.left ?? 0) + left, clientY: (box?.top ?? 0) + top });
}
