/**
 * A kernel that slides over its image: at each place the products of its weights with what lies below them are added up, and
 * the sum is one point of the map. It moves by itself while the stage does; a slider or the pointer puts it anywhere.
 */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { isDark } from '../state/theme.ts';
import { motion, unit } from '../state/walk.ts';
import type { WalkLayer } from '../worker/protocol.ts';
import { prepare, stretch } from './canvas.tsx';
import { magnitude, mapImage } from './colors.ts';
import { Choice } from './fields.tsx';
import { factor, short, term } from './format.ts';
import { productsAt, slideOf } from './kernels.ts';
import { Maps } from './walk-formula.tsx';

const size = 150;
const mostTerms = 9;

export function SlidingKernel({ layer, filter }: { readonly layer: WalkLayer; readonly filter: number }): JSX.Element {
  const slide = slideOf(layer);
  const { channels, rows, columns } = slide;
  const channel = useSignal(0);
  const chosen = useSignal<number | null>(null);
  const places = rows * columns;
  // while the stage moves, the kernel goes over the whole image
  const place = useComputed(() => chosen.value ?? Math.min(places - 1, Math.floor(motion.value * places)));
  const at = Math.min(place.value, places - 1);
  const [row, column] = [Math.floor(at / columns), at % columns];
  const of = Math.min(channel.value, channels - 1);
  const { weights, values, sum } = productsAt(layer, filter, of, row, column);
  const others = Array.from({ length: channels }, (_, k) => k).filter((k) => k !== of);
  const rest = others.reduce((total, k) => total + productsAt(layer, filter, k, row, column).sum, 0);
  const bias = layer.biases[filter] ?? 0;
  const z = layer.sums[(filter * rows + row) * columns + column] ?? 0;
  return (
    <>
      <div class="slide">
        <Picture
          label={t('kernelInput', { channel: of + 1 })}
          values={layer.inputs.subarray(of * slide.height * slide.width, (of + 1) * slide.height * slide.width)}
          width={slide.width}
          height={slide.height}
          box={[column - slide.padding, row - slide.padding, slide.kernel]}
        />
        <span aria-hidden="true">∗</span>
        <Picture
          label={t('kernelOf', { filter: filter + 1, channel: of + 1 })}
          values={weights}
          width={slide.kernel}
          height={slide.kernel}
          box={null}
        />
        <span aria-hidden="true">=</span>
        <Picture
          label={t('kernelSums', { filter: filter + 1 })}
          values={layer.sums.subarray(filter * places, (filter + 1) * places)}
          width={columns}
          height={rows}
          box={[column, row, 1]}
          until={at}
          onPoint={(next) => {
            chosen.value = next;
          }}
        />
      </div>
      <label class="field slider">
        <span class="field-label">
          {t('kernelPlace')} <b>{`${row + 1}, ${column + 1}`}</b>
        </span>
        <input
          type="range"
          min={0}
          max={places - 1}
          step={1}
          value={at}
          aria-valuetext={`${row + 1}, ${column + 1}`}
          onInput={(event) => {
            chosen.value = Number(event.currentTarget.value);
          }}
        />
      </label>
      <div class="row">
        <Choice
          name="walkFilter"
          label={t('filter')}
          value={String(filter)}
          options={Array.from({ length: layer.biases.length }, (_, k) => String(k))}
          text={(k) => String(Number(k) + 1)}
          onChange={(k) => {
            unit.value = Number(k);
          }}
        />
        {channels > 1 && (
          <Choice
            name="walkChannel"
            label={t('kernelMap')}
            value={String(of)}
            options={Array.from({ length: channels }, (_, k) => String(k))}
            text={(k) => String(Number(k) + 1)}
            onChange={(k) => {
              channel.value = Number(k);
            }}
          />
        )}
      </div>
      <p class="formula" data-fact="kernel">
        <span class="term">z =</span>
        {Array.from(weights.subarray(0, mostTerms), (weight, i) => (
          <span key={i} class="term">
            {i > 0 ? term(weight) : short(weight)} · {factor(values[i] ?? 0)}
          </span>
        ))}
        {weights.length > mostTerms && (
          <span class="term">
            + … ({weights.length - mostTerms}) = {short(sum)}
          </span>
        )}
        {channels > 1 && (
          <span class="term">
            {term(rest)} ({t('kernelOthers', { count: channels - 1 })})
          </span>
        )}
        <span class="term">{term(bias)}</span> = <b>{short(z)}</b>
      </p>
      <Maps values={layer.sums} units={layer.biases.length} />
    </>
  );
}

interface PictureProps {
  readonly label: string;
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Left, top and side of what is marked, in points of the picture. */
  readonly box: readonly [number, number, number] | null;
  /** Points after it are not there yet. */
  readonly until?: number;
  readonly onPoint?: (place: number) => void;
}

/** A map with a frame in it. */
function Picture({ label, values, width, height, box, until, onPoint }: PictureProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = (): void => {
    const dark = isDark.value;
    const context = prepare(canvas.current, size, size);
    if (context === null) return;
    const shown = until === undefined ? values : values.map((value, i) => (i <= until ? value : 0));
    stretch(context, mapImage(shown, width, height, magnitude(values), dark), [0, 0, size, size], false);
    if (box === null) return;
    const [left, top, side] = box;
    context.strokeStyle = dark ? '#ffffff' : '#16181c';
    context.lineWidth = 2;
    context.strokeRect((left / width) * size, (top / height) * size, (side / width) * size, (side / height) * size);
  };
  useSignalEffect(draw);
  useEffect(draw);
  return (
    <figure>
      {/* the slider below puts the kernel anywhere, too */}
      <canvas
        ref={canvas}
        class="map"
        role="img"
        aria-label={label}
        style={{ width: `${size}px`, height: `${size}px` }}
        onPointerMove={(event) => {
          if (onPoint === undefined) return;
          const bounds = event.currentTarget.getBoundingClientRect();
          const x = Math.floor(((event.clientX - bounds.left) / bounds.width) * width);
          const y = Math.floor(((event.clientY - bounds.top) / bounds.height) * height);
          onPoint(Math.max(0, Math.min(width * height - 1, y * width + x)));
        }}
      />
      <figcaption class="small">{label}</figcaption>
    </figure>
  );
}
