/** The last five seconds as a spectrogram: time across, frequency in mels up, as blue as it is loud. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { isDark } from '../../state/theme.ts';
import { prepare, stretch } from '../../views/canvas.tsx';
import { mapImage } from '../../views/colors.ts';
import { say } from '../words.ts';
import { mels } from './protocol.ts';
import { trail, trailLength } from './state.ts';

const [width, height] = [500, 230];
/** Decibels below the loudest that are still seen, and the least that is taken for loud. */
const [range, quiet] = [45, -20];

export function Spectrogram(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const levels = trail.value;
    const dark = isDark.value;
    const context = prepare(canvas.current, width, height);
    if (context === null) return;
    const loudest = levels.reduce((most, level) => Math.max(most, level), quiet);
    const shown = new Float32Array(levels.length);
    for (let t = 0; t < trailLength; t++) {
      for (let mel = 0; mel < mels; mel++) {
        const level = levels[t * mels + mel] as number;
        shown[(mels - 1 - mel) * trailLength + t] = Math.max(0, 1 + (level - loudest) / range);
      }
    }
    stretch(context, mapImage(shown, trailLength, mels, 1, dark), [0, 0, width, height], false);
    if (canvas.current !== null) canvas.current.dataset.loudest = loudest.toFixed(0);
  });
  return (
    <figure class="spectrogram">
      <canvas ref={canvas} role="img" aria-label={say('senses.spectrogram')} />
      <figcaption class="small">
        <span>{say('senses.before', { seconds: 5 })}</span>
        <span>{say('senses.axis')}</span>
        <span>{say('senses.now')}</span>
      </figcaption>
    </figure>
  );
}
