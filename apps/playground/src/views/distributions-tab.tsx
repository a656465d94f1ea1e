/** Histograms of weights, gradients and outputs, a row for each layer. */
import { useComputed, useSignalEffect } from '@preact/signals';
import type { JSX, TargetedPointerEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { built, frame } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import type { BlockFrame, Histogram } from '../worker/protocol.ts';
import { prepare } from './canvas.tsx';
import { divergingColor } from './colors.ts';
import { short } from './format.ts';
import { cellAt, hideTip, showTip } from './tip.tsx';

const kinds = ['weights', 'gradients', 'outputs'] as const;
type Kind = (typeof kinds)[number];

const read = (block: BlockFrame, kind: Kind): Histogram =>
  kind === 'weights' ? block.weightHistogram : kind === 'gradients' ? block.gradientHistogram : block.outputHistogram;

export function layerName(block: number): string {
  const last = built.value?.spec.layers.length ?? 0;
  return block < last ? t('layer', { layer: block + 1 }) : t('output');
}

export function Distributions(): JSX.Element {
  const count = useComputed(() => frame.value?.blocks.length ?? 0).value;
  return (
    <div class="histograms">
      {Array.from({ length: count }, (_, block) => (
        <div key={layerName(block)} class="histogram-row">
          <h3>{layerName(block)}</h3>
          {kinds.map((kind) => (
            <Bars key={kind} block={block} kind={kind} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** The bin under the pointer: its ends and how much is in it. */
function barText({ range, counts }: Histogram, event: TargetedPointerEvent<HTMLCanvasElement>): string {
  const bin = cellAt(event, counts.length, 1);
  const end = (at: number): string => short(((at / counts.length) * 2 - 1) * range);
  return t('binOf', { low: end(bin), high: end(bin + 1), count: counts[bin] ?? 0 });
}

const [width, height] = [200, 56];

function Bars({ block, kind }: { readonly block: number; readonly kind: Kind }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = (): void => {
    const found = frame.value?.blocks[block];
    const dark = isDark.value;
    const context = prepare(canvas.current, width, height);
    if (context === null || found === undefined) return;
    const { counts } = read(found, kind);
    const most = Math.max(1, ...counts);
    counts.forEach((count, bin) => {
      // a root keeps rare values in sight
      const size = Math.sqrt(count / most) * (height - 2);
      const place = ((bin + 0.5) / counts.length) * 2 - 1;
      context.fillStyle = divergingColor(Math.sign(place) * (0.35 + 0.65 * Math.abs(place)), dark);
      if (Math.abs(place) < 0.5 / counts.length) context.fillStyle = dark ? '#777d88' : '#b5b2ab';
      context.fillRect((bin * width) / counts.length + 0.5, height - size, width / counts.length - 1, size);
    });
  };
  useSignalEffect(draw);
  useEffect(draw);
  const range = useComputed(() => {
    const found = frame.value?.blocks[block];
    return found === undefined ? 0 : read(found, kind).range;
  }).value;
  const [low, high] = [short(-range), short(range)];
  const what = t(kind);
  return (
    <figure data-name="histograms">
      <canvas
        ref={canvas}
        role="img"
        aria-label={t('histogramOf', { what, layer: layerName(block), low, high })}
        style={{ aspectRatio: `${width} / ${height}` }}
        onPointerMove={(event) => {
          const found = frame.peek()?.blocks[block];
          showTip(found === undefined ? '' : barText(read(found, kind), event), event);
        }}
        onPointerLeave={hideTip}
      />
      <figcaption class="small">
        <span>{low}</span> <span>{what}</span> <span>{high}</span>
      </figcaption>
    </figure>
  );
}
