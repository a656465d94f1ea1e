/** The plane: what the network, or one unit of it, answers everywhere, with the samples on top; and the pad for own points. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { built, frame, pen, type Selection, selection, showTest, spec } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { grid, type Points, shownUnits } from '../worker/protocol.ts';
import { prepare, stretch } from './canvas.tsx';
import { classColor, classImage, divergingColor, magnitude, mapImage } from './colors.ts';
import { DrawingPad } from './drawing-pad.tsx';
import { short } from './format.ts';
import { zeroLines } from './geometry.ts';
import { hovered, mapOf, unitName } from './unit-node.tsx';

export function PlanePanel(): JSX.Element {
  const chosen = hovered.value ?? selection.value;
  const last = built.value?.spec.layers.length ?? 0;
  const isUnit = chosen !== null && chosen.block < last;
  const isDrawn = spec.value.task === 'drawn';
  const names = built.value?.inputNames ?? [];
  return (
    <section class="panel" aria-labelledby="output-title">
      <div class="panel-head">
        <h2 id="output-title">{isUnit && chosen ? t('pinned', { name: unitName(chosen) }) : t('output')}</h2>
        {selection.value !== null && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              selection.value = null;
            }}
          >
            {t('backToOutput')}
          </button>
        )}
      </div>
      <div class="plane">
        <Plane />
        {isDrawn && <DrawingPad />}
      </div>
      <div class="plane-foot">
        <Scale />
        {isDrawn && <PenChoice />}
        <label class="check">
          <input
            type="checkbox"
            checked={showTest.value}
            onChange={() => {
              showTest.value = !showTest.value;
            }}
          />
          {t('showTest')}
        </label>
      </div>
      {isUnit && chosen && <Numbers of={chosen} />}
      {names.length > 2 && (
        <p class="small">
          {names[0]} × {names[1]}. {t('slice')}
        </p>
      )}
    </section>
  );
}

/** The weights and the bias of a unit, the first eight of them. */
function Numbers({ of: { block, unit } }: { readonly of: Selection }): JSX.Element | null {
  const found = frame.value?.blocks[block];
  if (found === undefined) return null;
  const row = found.weights.length / Math.min(found.biases.length, shownUnits);
  const weights = [...found.weights.subarray(unit * row, (unit + 1) * row)];
  const rest = weights.length > 8 ? ' …' : '';
  return (
    <p class="small">
      {t('weights')}:{' '}
      {weights
        .slice(0, 8)
        .map((weight) => short(weight, 2))
        .join('  ')}
      {rest} · {t('bias')}: {short(found.biases[unit] ?? 0, 2)}
    </p>
  );
}

function Scale(): JSX.Element {
  const now = built.value;
  if (now?.goal === 'classes') {
    return (
      <p class="small legend">
        {now.classNames.map((name, k) => (
          <span key={name}>
            <span class="dot" style={{ background: classColor(k) }} /> {name}
          </span>
        ))}
      </p>
    );
  }
  const [low, high] = now?.goal === 'quantity' ? ['−1', '1'] : (now?.classNames ?? ['0', '1']);
  return (
    <p class="small scale">
      {low} <span class="bar" aria-hidden="true" /> {high}
    </p>
  );
}

function PenChoice(): JSX.Element {
  return (
    <fieldset class="pen">
      <legend class="for-readers">{t('penClass')}</legend>
      {([0, 1] as const).map((target) => (
        <label key={target}>
          <input
            type="radio"
            name="pen"
            checked={pen.value === target}
            onChange={() => {
              pen.value = target;
            }}
          />
          <span class="dot" style={{ background: classColor(target) }} /> {target}
        </label>
      ))}
    </fieldset>
  );
}

function Plane(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal(320);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      size.value = Math.max(120, element.clientWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [size]);
  useSignalEffect(() => {
    const side = size.value;
    const dark = isDark.value;
    const context = prepare(canvas.current, side, side);
    if (context === null) return;
    paintAnswer(context, side, dark);
    const now = built.value;
    if (now === null) return;
    if (showTest.value) paintPoints(context, side, now.test, dark, true);
    paintPoints(context, side, now.train, dark, false);
  });
  const accuracy = frame.value?.testAccuracy;
  const label =
    accuracy == null ? t('planeLabel') : `${t('planeLabel')}. ${t('testAccuracy')}: ${(100 * accuracy).toFixed(0)} %`;
  return <canvas ref={canvas} class="surface" role="img" aria-label={label} />;
}

/** How strong the colours are below the points, which stand out by theirs. */
const strength = 0.62;

/** The colours below the points. */
function paintAnswer(context: CanvasRenderingContext2D, side: number, dark: boolean): void {
  const now = frame.value;
  const known = built.value;
  const box = [0, 0, side, side] as const;
  const output = now?.blocks.at(-1);
  if (now === null || known === null || output === undefined || output.mapShape[0] !== grid) return;
  const chosen = hovered.value ?? selection.value;
  if (chosen !== null && (chosen.block < known.spec.layers.length || known.goal === 'classes')) {
    const map = mapOf(chosen);
    if (map !== null) stretch(context, mapImage(map.values, grid, grid, map.scale / strength, dark), box);
    return;
  }
  if (known.goal === 'classes') {
    if (output.maps.length === known.classNames.length * grid * grid) {
      stretch(context, classImage(output.maps, known.classNames.length, grid, grid, dark), box);
    }
    return;
  }
  const isBinary = known.goal === 'binary';
  // 2 sigmoid(z) - 1 = tanh(z / 2): the share of class 1, from -1 to 1
  const answer = isBinary ? output.maps.map((z) => strength * Math.tanh(z / 2)) : output.maps;
  stretch(context, mapImage(answer, grid, grid, isBinary ? 1 : quantityScale(), dark), box);
  if (!isBinary) return;
  context.strokeStyle = dark ? 'rgba(255, 255, 255, 0.75)' : 'rgba(30, 34, 40, 0.6)';
  context.lineWidth = 1.25;
  context.beginPath();
  for (const [x0, y0, x1, y1] of zeroLines(output.maps, grid)) {
    context.moveTo(((x0 + 0.5) / grid) * side, ((y0 + 0.5) / grid) * side);
    context.lineTo(((x1 + 0.5) / grid) * side, ((y1 + 0.5) / grid) * side);
  }
  context.stroke();
}

function quantityScale(): number {
  return built.value === null ? 1 : magnitude(built.value.train.targets);
}

/** Training samples are discs, test samples rings. */
function paintPoints(
  context: CanvasRenderingContext2D,
  side: number,
  points: Points,
  dark: boolean,
  rings: boolean,
): void {
  const known = built.value;
  if (known === null) return;
  const [left, right, bottom, top] = known.bounds;
  const scale = known.goal === 'quantity' ? quantityScale() : 1;
  const count = Math.min(points.targets.length, 800);
  const radius = count > 350 ? 2.4 : 3.2;
  for (let i = 0; i < count; i++) {
    const x = (((points.inputs[i * points.width] as number) - left) / (right - left)) * side;
    const second = points.width > 1 ? (points.inputs[i * points.width + 1] as number) : (top + bottom) / 2;
    const y = (1 - (second - bottom) / (top - bottom)) * side;
    const target = points.targets[i] as number;
    const color = known.goal === 'quantity' ? divergingColor(target / scale, dark) : classColor(target);
    context.beginPath();
    context.arc(x, y, rings ? radius - 0.4 : radius, 0, 2 * Math.PI);
    if (rings) {
      context.fillStyle = dark ? 'rgba(20, 22, 26, 0.75)' : 'rgba(255, 255, 255, 0.8)';
      context.fill();
      context.lineWidth = 1.6;
      context.strokeStyle = color;
    } else {
      context.fillStyle = color;
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = dark ? 'rgba(10, 12, 16, 0.9)' : 'rgba(255, 255, 255, 0.95)';
    }
    context.stroke();
  }
}
