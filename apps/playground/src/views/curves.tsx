/** Loss and accuracy over the steps, for training and test samples, beside those of the run that is kept. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import { t } from '../i18n/language.ts';
import { frame, goal, history, kept } from '../state/store.ts';
import { Comparison } from './comparison.tsx';
import { percent, short } from './format.ts';
import { Plot, type PlotLine } from './plot.tsx';
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

/** Training and test of this run, and of the other one. */
const lines: readonly PlotLine[] = [
  { color: '--curve-train', width: 1.5 },
  { color: '--curve-test' },
  { color: '--curve-train', width: 1, dash: [4, 4] },
  { color: '--blue', width: 1.5, dash: [5, 4] },
];

function Chart({ name, train, test, show, top }: ChartProps): JSX.Element {
  const [own, other] = [history.value, kept.value?.history];
  const data = useMemo(() => seriesOf(own, other ?? [], train, test), [own, other]);
  const last = frame.value;
  const now = (read: Read): string => {
    const value = last === null ? null : read(last);
    return value === null ? '–' : show(value);
  };
  return (
    <Plot
      label={`${name}: ${t('trainPart')} ${now(train)}, ${t('testPart')} ${now(test)}`}
      caption={<figcaption class="field-label">{name}</figcaption>}
      height={height}
      lines={lines}
      data={data}
      onCursor={(chart) => tellMoment(chart, show)}
      {...(top !== undefined && { top, valueText: (tick: number) => `${Math.round(100 * tick)} %` })}
    />
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
