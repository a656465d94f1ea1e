/** The samples of one cell of the confusion matrix: pictures, or numbers; each can be walked through. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { say } from '../places/words.ts';
import { ask, complain } from '../state/actions.ts';
import { built, frame, isImages, running, threshold } from '../state/store.ts';
import { walkWith } from '../state/walk.ts';
import type { CellSample } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { cell } from './cell.ts';
import { percent, short } from './format.ts';

export function CellSamples(): JSX.Element | null {
  const samples = useSignal<readonly CellSample[]>([]);
  const [truth, guess] = cell.value ?? [-1, -1];
  const step = frame.value?.step;
  const isRunning = running.value;
  const edge = threshold.value;
  useEffect(() => {
    // while it trains, cells empty and fill too often to be looked at
    if (isRunning || truth < 0) return;
    ask({ kind: 'cell', truth, guess, threshold: edge }).then((found) => {
      samples.value = found;
    }, complain);
  }, [truth, guess, step, isRunning, edge]);
  if (truth < 0) return null;
  const names = built.value?.classNames ?? [];
  return (
    <section class="cell" aria-live="polite">
      <h3 data-name="explain.cell">
        {say('explain.cell', { truth: names[truth] ?? truth, guess: names[guess] ?? guess })}
      </h3>
      {isRunning && <p class="small">{say('explain.cellWaits')}</p>}
      <ul class="cell-samples">
        {samples.value.map(({ index, inputs, share }) => (
          <li key={index}>
            <button
              type="button"
              data-name="explain.cell"
              aria-label={say('explain.walk', { index, share: percent(share) })}
              onClick={() => walkWith(index)}
            >
              {isImages.value ? <Picture pixels={inputs} /> : <span class="numbers">{numbersOf(inputs)}</span>}
              <span class="small">{percent(share)}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="small">{say('explain.cellHelp')}</p>
    </section>
  );
}

function Picture({ pixels }: { readonly pixels: Float32Array }): JSX.Element {
  const side = Math.round(Math.sqrt(pixels.length));
  return <MapCanvas size={48} read={() => ({ values: pixels, width: side, height: side, scale: 1 })} />;
}

function numbersOf(inputs: Float32Array): string {
  const names = built.value?.inputNames ?? [];
  return Array.from(inputs.subarray(0, 4), (value, k) => `${names[k] ?? ''} ${short(value, 2)}`).join(', ');
}
