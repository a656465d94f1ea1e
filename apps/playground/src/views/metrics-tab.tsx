/** How good the network is: metrics of both parts, scores of each class, the ROC curve with its threshold, predicted against true. */
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { unitOf, withUnit } from '../model/tables.ts';
import { ask, complain } from '../state/actions.ts';
import { built, frame, threshold } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import type { Built, Metrics } from '../worker/protocol.ts';
import { prepare } from './canvas.tsx';
import { Slider } from './fields.tsx';
import { percent, short } from './format.ts';
import type { BoardControl } from './names.ts';
import { NumberTable } from './number-table.tsx';

const side = 190;

export function MetricsView(): JSX.Element | null {
  const found: Signal<Metrics | null> = useSignal(null);
  const busy = useRef(false);
  useSignalEffect(() => {
    const wanted = threshold.value;
    // while training runs, the next frame asks again
    if (built.value === null || frame.value === null || busy.current) return;
    busy.current = true;
    const settle = (): void => {
      busy.current = false;
      if (threshold.peek() !== wanted) threshold.value = Number(threshold.peek());
    };
    ask({ kind: 'metrics', threshold: wanted })
      .then((answer) => {
        found.value = answer;
      }, complain)
      .finally(settle);
  });
  const [known, now] = [built.value, found.value];
  const isOther = now !== null && (now.scatter !== null) !== (known?.goal === 'quantity');
  if (known === null || now === null || isOther) return <p class="small">{t('loading')}</p>;
  return (
    <div class="metrics">
      <Rows known={known} rows={now.rows} />
      {now.roc !== null && (
        <div class="roc">
          <Roc roc={now.roc} />
          <Slider
            name="threshold"
            label={t('threshold', { name: known.classNames[1] ?? '1' })}
            value={threshold.value}
            low={0.01}
            high={0.99}
            step={0.01}
            show={(value) => value.toFixed(2)}
            onChange={(value) => {
              threshold.value = value;
            }}
          />
        </div>
      )}
      {now.scatter !== null && <Scatter known={known} scatter={now.scatter} />}
      {now.classes !== null && <Classes known={known} classes={now.classes} />}
    </div>
  );
}

/** Errors of a quantity have its unit. */
const ofUnit: ReadonlySet<string> = new Set(['rootMeanSquaredError', 'meanAbsoluteError']);

function Rows({ known, rows }: { readonly known: Built; readonly rows: Metrics['rows'] }): JSX.Element {
  const unit = unitOf(known.target);
  const show = (name: string, value: number): string => withUnit(short(value), ofUnit.has(name) ? unit : '');
  return (
    <NumberTable
      class="metric-rows"
      columns={[{ text: t('metric') }, { text: t('trainPart') }, { text: t('testPart') }]}
      rows={rows.map(({ name, train, test }) => ({
        key: name,
        name: `metric.${name}`,
        text: t(`metric.${name}`),
        numbers: [show(name, train), show(name, test)],
      }))}
    />
  );
}

function Classes({
  known,
  classes,
}: {
  readonly known: Built;
  readonly classes: NonNullable<Metrics['classes']>;
}): JSX.Element {
  const named = (name: 'precision' | 'recall' | 'f1') =>
    ({ text: t(`metric.${name}`), name: `metric.${name}` }) as const;
  return (
    <NumberTable
      class="metric-rows"
      columns={[{ text: t('classOf') }, named('precision'), named('recall'), named('f1'), { text: t('samples') }]}
      rows={classes.map(({ precision, recall, f1, count }, k) => ({
        key: k,
        text: known.classNames[k],
        numbers: [percent(precision), percent(recall), percent(f1), String(count)],
      }))}
    />
  );
}

/** A square chart of lines or dots between 0 and 1, with its diagonal. */
function Square({
  name,
  label,
  paint,
}: {
  readonly name: BoardControl;
  readonly label: string;
  readonly paint: (context: CanvasRenderingContext2D, color: string) => void;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const context = prepare(canvas.current, side, side);
    if (context === null) return;
    context.strokeStyle = dark ? '#3a3f49' : '#dcd7ce';
    context.strokeRect(0.5, 0.5, side - 1, side - 1);
    context.beginPath();
    context.moveTo(0, side);
    context.lineTo(side, 0);
    context.stroke();
    paint(context, dark ? '#5c9ee8' : '#2c6cb4');
  });
  return (
    <figure>
      <canvas ref={canvas} role="img" aria-label={label} style={{ width: `${side}px`, height: `${side}px` }} />
      <figcaption class="small" data-name={name}>
        {label}
      </figcaption>
    </figure>
  );
}

function Roc({ roc }: { readonly roc: NonNullable<Metrics['roc']> }): JSX.Element {
  return (
    <Square
      name="roc"
      label={t('rocCurve')}
      paint={(context, color) => {
        context.strokeStyle = color;
        context.lineWidth = 2;
        context.beginPath();
        roc.falsePositiveRate.forEach((rate, i) => {
          context.lineTo(rate * side, (1 - (roc.truePositiveRate[i] ?? 0)) * side);
        });
        context.stroke();
      }}
    />
  );
}

function Scatter({
  known,
  scatter: { truth, predicted },
}: {
  readonly known: Built;
  readonly scatter: NonNullable<Metrics['scatter']>;
}): JSX.Element {
  const all = [...truth, ...predicted];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (value: number): number => ((value - low) / (high - low || 1)) * side;
  const name = known.target || t('output');
  return (
    <Square
      name="scatter"
      label={t('scatter', { name, low: short(low, 1), high: short(high, 1) })}
      paint={(context, color) => {
        context.fillStyle = color;
        context.globalAlpha = 0.7;
        truth.forEach((value, i) => {
          context.beginPath();
          context.arc(place(value), side - place(predicted[i] ?? 0), 2.4, 0, 2 * Math.PI);
          context.fill();
        });
        context.globalAlpha = 1;
      }}
    />
  );
}
