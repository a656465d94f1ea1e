/** A race of optimizers on a loss of two weights: where each one goes from the same start, and who is lowest. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/language.ts';
import { optimizers } from '../../model/spec.ts';
import { classColor } from '../../views/colors.ts';
import { Choice, NumberField } from '../../views/fields.tsx';
import { short } from '../../views/format.ts';
import { NumberTable } from '../../views/number-table.tsx';
import { SettingsPanel } from '../../views/settings-panel.tsx';
import { settingOf } from '../place.ts';
import { PlaceBar, type PlaceFact } from '../place-bar.tsx';
import { say } from '../words.ts';
import '../board.css';
import './race.css';
import { RaceMap } from './race-map.tsx';
import { begin, chooseSurface, clock, paths, raceSteps, running, settings, shownStep } from './state.ts';
import { surfaceNames, surfaces } from './surfaces.ts';

/** Of the race, while it plays. */
const stepsASecond = 30;

export function RacePlace(): JSX.Element {
  useEffect(() => {
    const follow = (): void => chooseSurface(settingOf('surface', surfaceNames));
    const onHash = (): void => {
      if (settingOf('surface', surfaceNames) !== settings.peek().surface) follow();
    };
    follow();
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);
  useSignalEffect(play);
  const ranks = standings();
  const facts: readonly PlaceFact[] = [
    { id: 'race-step', about: 'race.steps', name: t('steps'), value: `${shownStep.value}` },
    {
      id: 'race-leader',
      about: 'race.leader',
      name: say('race.leader'),
      value: ranks[0] === undefined ? '–' : t(`optimizer.${ranks[0].optimizer}`),
      strong: true,
    },
    {
      id: 'race-loss',
      about: 'race.loss',
      name: t('lossValue'),
      value: ranks[0] === undefined ? '–' : short(ranks[0].loss),
    },
  ];
  return (
    <>
      <PlaceBar worker={clock} restart={() => begin()} facts={facts} />
      <main class="place-board race">
        <Settings />
        <section class="panel" aria-labelledby="race-title">
          <h2 id="race-title">{say('race.title')}</h2>
          <RaceMap />
          <label class="field slider" data-name="race.steps">
            <span class="field-label">
              {t('steps')} <b>{shownStep.value}</b>
            </span>
            <input
              type="range"
              min={0}
              max={raceSteps}
              step={1}
              value={shownStep.value}
              onInput={(event) => {
                running.value = false;
                shownStep.value = Number(event.currentTarget.value);
              }}
            />
          </label>
        </section>
        <div class="place-side">
          <Standings ranks={ranks} />
        </div>
      </main>
    </>
  );
}

/** In an effect: goes on with the steps while the race runs. */
function play(): (() => void) | undefined {
  if (!running.value || paths.value.length === 0) return undefined;
  const began = performance.now() - (1000 * shownStep.peek()) / stepsASecond;
  let request = requestAnimationFrame(function tick(now) {
    const step = Math.min(raceSteps, Math.floor(((now - began) / 1000) * stepsASecond));
    shownStep.value = Math.max(0, step);
    if (step >= raceSteps) running.value = false;
    else request = requestAnimationFrame(tick);
  });
  return () => cancelAnimationFrame(request);
}

interface Rank {
  readonly optimizer: (typeof optimizers)[number];
  readonly loss: number;
  /** Whether its numbers ended before the step that is shown. */
  readonly isOut: boolean;
}

/** At the step that is shown, the lowest first. */
function standings(): readonly Rank[] {
  return paths.value
    .map(({ optimizer, places }): Rank => {
      const count = places.length / 3;
      const at = Math.min(shownStep.value, count - 1);
      return { optimizer, loss: places[3 * at + 2] ?? Number.NaN, isOut: shownStep.value >= count };
    })
    .sort((a, b) => Number(a.isOut) - Number(b.isOut) || a.loss - b.loss);
}

function Standings({ ranks }: { readonly ranks: readonly Rank[] }): JSX.Element {
  const { rates } = settings.value;
  const rateOf = (name: Rank['optimizer']): number => rates[name];
  return (
    <section class="panel" aria-labelledby="standings-title">
      <h2 id="standings-title">{say('race.standings')}</h2>
      <NumberTable
        class="standings"
        columns={[{ text: t('optimizer') }, { text: t('lossValue') }]}
        rows={ranks.map(({ optimizer, loss, isOut }) => ({
          key: optimizer,
          text: (
            <>
              <span class="dot" style={{ background: classColor(optimizers.indexOf(optimizer)) }} />{' '}
              {t(`optimizer.${optimizer}`)}
            </>
          ),
          numbers: [isOut ? say('race.out') : short(loss, 4)],
        }))}
      />
      <div class="fields">
        {optimizers.map((name) => (
          <NumberField
            key={name}
            name="race.rate"
            label={say('race.rate', { optimizer: t(`optimizer.${name}`) })}
            value={rateOf(name)}
            low={1e-5}
            high={10}
            onChange={(rate) => begin({ rates: { ...rates, [name]: rate } })}
          />
        ))}
      </div>
    </section>
  );
}

function Settings(): JSX.Element {
  const { surface, start } = settings.value;
  const [left, right, bottom, top] = surfaces[surface].bounds;
  return (
    <SettingsPanel
      id="race-settings"
      title={say('race.surface')}
      first={
        <>
          <Choice
            name="race.surface"
            label={say('race.surface')}
            value={surface}
            options={surfaceNames}
            text={(name) => say(`race.surface.${name}`)}
            onChange={chooseSurface}
          />
          <p class="small">{say(`race.about.${surface}`)}</p>
        </>
      }
    >
      <div class="fields">
        <NumberField
          name="race.start"
          label={say('race.startX')}
          value={Number(start[0].toFixed(3))}
          low={left}
          high={right}
          onChange={(x) => begin({ start: [x, start[1]] })}
        />
        <NumberField
          name="race.start"
          label={say('race.startY')}
          value={Number(start[1].toFixed(3))}
          low={bottom}
          high={top}
          onChange={(y) => begin({ start: [start[0], y] })}
        />
      </div>
      <p class="small after">{say('race.hint')}</p>
    </SettingsPanel>
  );
}
