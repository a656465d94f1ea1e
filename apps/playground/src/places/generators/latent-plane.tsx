/** The latent plane of the autoencoder: what its places decode to, the test digits on it, and the place that is looked at. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { isDark } from '../../state/theme.ts';
import { MapCanvas, prepare, stretch } from '../../views/canvas.tsx';
import { classColor, mapImage } from '../../views/colors.ts';
import { say } from '../words.ts';
import { digitSide, tileSide } from './protocol.ts';
import { decode, decoded, generators, latent, lookAt, pass, passed } from './state.ts';

const side = 440;

export function LatentPlane(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const frame = generators.frame.value;
    const dark = isDark.value;
    const context = prepare(canvas.current, side, side);
    if (context === null || frame?.kind !== 'autoencoder') return;
    const wide = tileSide * digitSide;
    context.globalAlpha = 0.55;
    stretch(context, mapImage(frame.tiles, wide, wide, 1, dark), [0, 0, side, side]);
    context.globalAlpha = 1;
    const [left, right, bottom, top] = frame.bounds;
    frame.labels.forEach((label, i) => {
      context.beginPath();
      const x = ((frame.codes[2 * i] as number) - left) / (right - left);
      const y = ((frame.codes[2 * i + 1] as number) - bottom) / (top - bottom);
      context.arc(x * side, (1 - y) * side, 3.4, 0, 2 * Math.PI);
      context.fillStyle = classColor(label);
      context.fill();
    });
  });
  // while it learns, the same place becomes another digit
  useSignalEffect(() => {
    void generators.frame.value;
    decode();
  });
  const place = ({
    currentTarget,
    clientX,
    clientY,
  }: {
    currentTarget: Element;
    clientX: number;
    clientY: number;
  }): void => {
    const box = currentTarget.getBoundingClientRect();
    lookAt((clientX - box.left) / box.width, 1 - (clientY - box.top) / box.height);
  };
  const press = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 0.1 : 0.02;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const move = moves[event.key];
    if (move === undefined) return;
    const [across, up] = latent.peek();
    lookAt(across + move[0], up + move[1]);
    event.preventDefault();
    event.stopPropagation();
  };
  const [across, up] = latent.value;
  return (
    <div
      class="plane latent"
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
      tabIndex={0}
      aria-label={say('generators.latentPad')}
      onKeyDown={press}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        place(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons > 0) place(event);
      }}
    >
      <canvas ref={canvas} class="surface generator-plane" />
      <span class="cursor here" style={{ left: `${100 * across}%`, top: `${100 * (1 - up)}%` }} />
    </div>
  );
}

/** The digit of the place, and test digits that go through. */
export function Decoded(): JSX.Element {
  const labels = generators.frame.value?.kind === 'autoencoder' ? generators.frame.value.labels : new Int32Array();
  return (
    <section class="panel" aria-labelledby="decoded-title">
      <h2 id="decoded-title">{say('generators.decoded')}</h2>
      <div class="decoded" data-ink={decoded.value?.reduce((sum, pixel) => sum + pixel, 0).toFixed(2)}>
        <Digit label={say('generators.decodedDigit')} read={() => passed.value?.output ?? decoded.value} />
        {passed.value !== null && <Digit label={say('generators.went')} read={() => passed.value?.input ?? null} />}
      </div>
      <p class="small">{say(passed.value === null ? 'generators.decodedHelp' : 'generators.passedHelp')}</p>
      <p class="field-label gap">{say('generators.through')}</p>
      <div class="gallery" data-name="generators.gallery">
        {Array.from(labels.subarray(0, 10), (label, k) => (
          <button key={k} type="button" aria-label={say('generators.pass', { digit: label })} onClick={() => pass(k)}>
            <span class="glyph">{label}</span>
          </button>
        ))}
      </div>
    </section>
  );
}

function Digit({ label, read }: { readonly label: string; readonly read: () => Float32Array | null }): JSX.Element {
  return (
    <MapCanvas
      size={130}
      label={label}
      read={() => {
        const values = read();
        return values === null ? null : { values, width: digitSide, height: digitSide, scale: 1 };
      }}
    />
  );
}
