/** What states are worth to the agent: for CartPole a map over two of its four quantities; for Snake a list of the extremes. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { t } from '../../i18n/language.ts';
import { isDark } from '../../state/theme.ts';
import { prepare, stretch } from '../../views/canvas.tsx';
import { mapImage } from '../../views/colors.ts';
import { Choice } from '../../views/fields.tsx';
import { short } from '../../views/format.ts';
import { say } from '../words.ts';
import { paletteOf, rangeOf } from './paint.ts';
import { mapSide, quantities } from './protocol.ts';
import { moment } from './stage.tsx';
import { agents, chooseAxes, settings } from './state.ts';

const side = 260;
const names = ['0', '1', '2', '3'] as const;

export function ValueMap(): JSX.Element {
  const { world, axes } = settings.value;
  const values = agents.frame.value?.values;
  const { low, high } = rangeOf(values ?? []);
  return (
    <section class="panel" aria-labelledby="value-title">
      <h2 id="value-title">{say('agents.valueTitle')}</h2>
      {world === 'cartpole' && <Plane />}
      <p class="small scale">
        <span>{values === undefined ? '' : short(low, 1)}</span>
        <span class="bar" />
        <span data-fact="value-high">{values === undefined ? '' : short(high, 1)}</span>
      </p>
      <p class="small">{say(`agents.valueHelp.${world}`)}</p>
      {world === 'cartpole' && (
        <div class="axes">
          {([0, 1] as const).map((which) => (
            <Choice
              key={which}
              name="agents.axis"
              label={t(which === 0 ? 'across' : 'up')}
              value={names[axes[which]] ?? '0'}
              options={names}
              text={(k) => say(`agents.${quantities[Number(k)]?.name ?? 'angle'}`)}
              disabled={(k) => Number(k) === axes[1 - which]}
              onChange={(k) => chooseAxes(which === 0 ? [Number(k), axes[1]] : [axes[0], Number(k)])}
            />
          ))}
        </div>
      )}
    </section>
  );
}

/** The map, and where the episode that is watched is on it. */
function Plane(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const values = agents.frame.value?.values;
    const now = moment.value;
    const dark = isDark.value;
    const { axes } = settings.value;
    const context = prepare(canvas.current, side, side);
    if (context === null || canvas.current === null || values?.length !== mapSide * mapSide) return;
    const { low, high } = rangeOf(values);
    const relative = values.map((value) => (2 * (value - low)) / (high - low || 1) - 1);
    stretch(context, mapImage(relative, mapSide, mapSide, 1, dark), [0, 0, side, side]);
    if (now === null || now.observation.length !== 4) return;
    const at = (which: 0 | 1): number => {
      const share = (now.observation[axes[which]] as number) / (quantities[axes[which]]?.reach ?? 1);
      return side * Math.min(1, Math.max(0, (share + 1) / 2));
    };
    context.beginPath();
    context.arc(at(0), side - at(1), 6, 0, 2 * Math.PI);
    context.fillStyle = paletteOf(canvas.current).ink;
    context.strokeStyle = dark ? '#14161a' : '#ffffff';
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  });
  return <canvas ref={canvas} class="surface" role="img" aria-label={say('agents.valueTitle')} />;
}
