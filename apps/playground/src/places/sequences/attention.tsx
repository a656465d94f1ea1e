/** What looks at what: a map for each head, and the characters that one of them looks back at. */
import { computed, type ReadonlySignal, type Signal, signal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { isDark } from '../../state/theme.ts';
import { prepare, stretch } from '../../views/canvas.tsx';
import { mapImage } from '../../views/colors.ts';
import { percent } from '../../views/format.ts';
import { say } from '../words.ts';
import { visible } from './next-characters.tsx';
import type { Inspection } from './protocol.ts';
import { inspection } from './state.ts';

/** Which of the maps is looked at closer: layer by layer, head by head. */
const chosen: Signal<number> = signal(0);
/** The character whose look is shown; null for the last. */
const looker: Signal<number | null> = signal(null);

interface LookFacts {
  /** The character that looks, and the one that it looks at most. */
  readonly from: number;
  readonly most: number;
  /** How much of its look that is. */
  readonly share: number;
  readonly row: Float32Array;
}

function lookOf({ characters: { length }, attention }: Inspection, map: number, looking: number | null): LookFacts {
  const from = Math.min(looking ?? length - 1, length - 1);
  const row = attention.subarray((map * length + from) * length, (map * length + from + 1) * length);
  const most = row.indexOf(Math.max(...row));
  return { from, most, row, share: row[most] ?? 0 };
}

const shownMap = (found: Inspection): number => Math.min(chosen.value, found.layers * found.heads - 1);

/** Where the map that is looked at looks from the character that is pointed at. */
export const look: ReadonlySignal<LookFacts | null> = computed(() => {
  const found = inspection.value;
  return found === null || found.characters.length === 0 ? null : lookOf(found, shownMap(found), looker.value);
});

/** Chooses the map whose last character looks most sharply at one that is not itself or its neighbour. */
export function chooseSharpest(): void {
  const found = inspection.peek();
  if (found === null) return;
  const shares = Array.from({ length: found.layers * found.heads }, (_, map) => {
    const { from, most, share } = lookOf(found, map, null);
    return from - most > 1 ? share : 0;
  });
  chosen.value = shares.indexOf(Math.max(...shares));
}

export function Attention(): JSX.Element {
  const found = inspection.value;
  const count = found === null ? 0 : found.layers * found.heads;
  const map = Math.min(chosen.value, Math.max(0, count - 1));
  return (
    <section class="panel" aria-labelledby="attention-title">
      <h2 id="attention-title" data-name="sequences.attention">
        {say('sequences.attention')}
      </h2>
      <fieldset class="heads" data-name="sequences.heads">
        <legend class="for-readers">{say('sequences.heads')}</legend>
        {Array.from({ length: count }, (_, k) => (
          <button
            key={k}
            type="button"
            class="head"
            aria-pressed={k === map}
            aria-label={nameOf(found, k)}
            onClick={() => {
              chosen.value = k;
            }}
          >
            <AttentionMap map={k} size={56} />
          </button>
        ))}
      </fieldset>
      <p class="small">{nameOf(found, map)}</p>
      <AttentionMap map={map} size={280} label={`${say('sequences.attention')}: ${nameOf(found, map)}`} />
      {found !== null && <Look found={found} map={map} />}
      <p class="small">{say('sequences.attentionHelp')}</p>
    </section>
  );
}

const nameOf = (found: Inspection | null, map: number): string =>
  found === null
    ? ''
    : say('sequences.head', { layer: Math.floor(map / found.heads) + 1, head: (map % found.heads) + 1 });

interface MapProps {
  readonly map: number;
  readonly size: number;
  readonly label?: string;
}

/** Rows look, columns are looked at. */
function AttentionMap({ map, size, label }: MapProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const at = useRef(map);
  at.current = map;
  useSignalEffect(() => {
    const found = inspection.value;
    void chosen.value;
    const dark = isDark.value;
    const context = prepare(canvas.current, size, size);
    if (context === null || found === null) return;
    const { length } = found.characters;
    const values = found.attention.subarray(at.current * length * length, (at.current + 1) * length * length);
    stretch(context, mapImage(values, length, length, 1, dark), [0, 0, size, size], false);
  });
  const names = label === undefined ? { 'aria-hidden': true } : { role: 'img' as const, 'aria-label': label };
  return <canvas ref={canvas} class="attention-map" style={{ maxWidth: `${size}px` }} {...names} />;
}

/** The text, each character as dark as it is looked at from the one that is pointed at. */
function Look({ found, map }: { readonly found: Inspection; readonly map: number }): JSX.Element {
  const { characters } = found;
  const { from, most, row } = lookOf(found, map, looker.value);
  return (
    <>
      <p class="looked-at" data-name="sequences.attention" data-most={most}>
        {characters.map((character, k) => (
          <button
            key={k}
            type="button"
            class={k === from ? 'looker' : ''}
            style={{ background: `color-mix(in srgb, var(--blue) ${Math.round(75 * (row[k] ?? 0))}%, transparent)` }}
            aria-label={`${visible(character)}: ${percent(row[k] ?? 0)}`}
            onPointerEnter={() => {
              looker.value = k;
            }}
            onFocus={() => {
              looker.value = k;
            }}
            onPointerLeave={() => {
              looker.value = null;
            }}
            onBlur={() => {
              looker.value = null;
            }}
          >
            {visible(character)}
          </button>
        ))}
      </p>
      <p class="small" aria-live="off" data-fact="looks-at">
        {say('sequences.looks', {
          from: visible(characters[from] ?? ''),
          to: visible(characters[most] ?? ''),
          place: from - most,
          share: percent(row[most] ?? 0),
        })}
      </p>
    </>
  );
}
