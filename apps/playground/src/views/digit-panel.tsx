/** Draw a digit and see what the network takes it for, as you draw; or take one of the test set. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { forgetDigit, recognise, recogniseAgain } from '../state/recognise.ts';
import { built, frame, recognised, sample } from '../state/store.ts';
import type { Recognised } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { percent } from './format.ts';
import { centre, Ink, inkImage } from './ink.ts';

export function DigitPanel(): JSX.Element {
  const ink = useRef(new Ink(28));
  /** What was drawn last; whatever else is shown takes the place of the drawing. */
  const drawn = useRef<Float32Array | null>(null);
  useSignalEffect(() => {
    if (sample.value !== null && sample.value !== drawn.current) ink.current.clear();
  });
  const step = frame.value?.step;
  useEffect(() => {
    if (step !== undefined) recogniseAgain();
  }, [step]);
  const clear = (): void => {
    ink.current.clear();
    forgetDigit();
  };
  const best = recognised.value;
  return (
    <section class="panel" aria-labelledby="digit-title">
      <div class="panel-head">
        <h2 id="digit-title">{t('drawDigit')}</h2>
        <button type="button" class="quiet" data-name="clear" onClick={clear}>
          {t('clear')}
        </button>
      </div>
      <div class="digit" data-name="digitPad">
        <Pad
          ink={ink.current}
          onDraw={() => {
            drawn.current = centre(ink.current);
            recognise(drawn.current);
          }}
          onClear={clear}
        />
        <Shares found={best} />
      </div>
      <p class="verdict" aria-live="polite" data-fact="recognised">
        {best === null
          ? t('notYet')
          : t('recognised', {
              digit: built.value?.classNames[best.best] ?? best.best,
              share: percent(best.shares[best.best] ?? 0),
            })}
      </p>
      <Gallery onChoose={recognise} />
    </section>
  );
}

function Shares({ found }: { readonly found: Recognised | null }): JSX.Element {
  const names = built.value?.classNames ?? [];
  return (
    <ol class="shares" aria-hidden="true">
      {names.map((name, k) => (
        <li key={name} class={found?.best === k ? 'best' : ''}>
          <span>{name}</span>
          <span class="bar" style={{ width: `${100 * (found?.shares[k] ?? 0)}%` }} />
        </li>
      ))}
    </ol>
  );
}

interface PadProps {
  readonly ink: Ink;
  readonly onDraw: () => void;
  readonly onClear: () => void;
}

/** Pixels that a pen darkens: a pointer, or the arrow keys. */
function Pad({ ink, onDraw, onClear }: PadProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<readonly [number, number] | null>(null);
  const cursor = useSignal({ x: 14, y: 6, down: false });
  const paint = (): void => {
    const context = canvas.current?.getContext('2d');
    context?.putImageData(
      ink.isEmpty ? inkImage(sample.peek() ?? ink.pixels, 28, 0.5) : inkImage(ink.pixels, 28),
      0,
      0,
    );
  };
  useEffect(paint);
  useSignalEffect(() => {
    void sample.value;
    paint();
  });
  const placeOf = (event: { clientX: number; clientY: number }): readonly [number, number] => {
    const box = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * ink.side, ((event.clientY - box.top) / box.height) * ink.side];
  };
  const draw = (to: readonly [number, number]): void => {
    ink.line(last.current ?? to, to);
    last.current = to;
    paint();
    onDraw();
  };
  const press = (event: KeyboardEvent): void => {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    const { x, y, down } = cursor.value;
    if (move !== undefined) {
      const next: readonly [number, number] = [
        Math.min(27, Math.max(0, x + move[0])),
        Math.min(27, Math.max(0, y + move[1])),
      ];
      cursor.value = { x: next[0], y: next[1], down };
      if (down) draw([next[0] + 0.5, next[1] + 0.5]);
    } else if (event.key === ' ') {
      cursor.value = { x, y, down: !down };
      last.current = null;
      if (!down) draw([x + 0.5, y + 0.5]);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      onClear();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { x, y, down } = cursor.value;
  return (
    <div
      class="digit-pad"
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
      tabIndex={0}
      aria-label={t('drawPad')}
      onKeyDown={press}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        last.current = null;
        draw(placeOf(event));
      }}
      onPointerMove={(event) => {
        if (event.buttons > 0 && last.current !== null) draw(placeOf(event));
      }}
      onPointerUp={() => {
        last.current = null;
      }}
    >
      <canvas ref={canvas} width={ink.side} height={ink.side} />
      <span
        class={down ? 'cursor down' : 'cursor'}
        style={{ left: `${((x + 0.5) / ink.side) * 100}%`, top: `${((y + 0.5) / ink.side) * 100}%` }}
      />
    </div>
  );
}

function Gallery({ onChoose }: { readonly onChoose: (pixels: Float32Array) => void }): JSX.Element | null {
  const gallery = built.value?.gallery;
  if (!gallery) return null;
  const { pixels, labels, side } = gallery;
  const size = side * side;
  return (
    <>
      <p class="field-label">{t('examples')}</p>
      <div class="gallery" data-name="gallery">
        {labels.slice(0, 20).map((label, k) => {
          const image = pixels.subarray(k * size, (k + 1) * size);
          return (
            <button
              key={k}
              type="button"
              aria-label={t('example', { digit: label })}
              onClick={() => onChoose(image.slice())}
            >
              <MapCanvas size={30} read={() => ({ values: image, width: side, height: side, scale: 1 })} />
            </button>
          );
        })}
      </div>
    </>
  );
}
