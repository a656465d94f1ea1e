/** Networks that make something: points of the plane against a discriminator, and digits from two numbers. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/language.ts';
import { Choice, Slider } from '../../views/fields.tsx';
import { percent, short } from '../../views/format.ts';
import { SettingsPanel } from '../../views/settings-panel.tsx';
import '../board.css';
import { number } from '../format.ts';
import { LineChart } from '../line-chart.tsx';
import { settingOf } from '../place.ts';
import { PlaceBar, type PlaceFact } from '../place-bar.tsx';
import { say } from '../words.ts';
import { GanPlane } from './gan-plane.tsx';
import './generators.css';
import { Decoded, LatentPlane } from './latent-plane.tsx';
import { type GeneratorFrame, kinds, shapes } from './protocol.ts';
import { begin, chooseKind, curves, generators, settings } from './state.ts';

export function GeneratorsPlace(): JSX.Element {
  useEffect(() => {
    const follow = (): void => {
      const wanted = settingOf('kind', kinds);
      if (wanted !== settings.peek().kind) chooseKind(wanted);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const { kind } = settings.value;
  const now = generators.frame.value;
  const { steps, one, other } = curves.value;
  const names =
    kind === 'gan' ? [say('generators.discriminator'), say('generators.generator')] : [t('trainPart'), t('testPart')];
  return (
    <>
      <PlaceBar worker={generators} restart={() => begin()} facts={factsOf(now)} />
      <main class="place-board generators">
        <Settings />
        <section class="panel" aria-labelledby="generator-title">
          <h2 id="generator-title">{say(`generators.title.${kind}`)}</h2>
          {kind === 'gan' ? <GanPlane /> : <LatentPlane />}
          <p class="small gap">{say(`generators.help.${kind}`)}</p>
        </section>
        <div class="place-side">
          {kind === 'autoencoder' && <Decoded />}
          <section class="panel" aria-labelledby="generator-losses">
            <h2 id="generator-losses" data-name="generators.losses">
              {t('loss')}
            </h2>
            <LineChart
              label={`${t('loss')}: ${names[0]} ${number(one.at(-1))}, ${names[1]} ${number(other.at(-1))}`}
              steps={steps}
              lines={[
                { name: names[0] ?? '', color: '--curve-train', values: one },
                { name: names[1] ?? '', color: '--curve-test', values: other },
              ]}
            />
          </section>
        </div>
      </main>
    </>
  );
}

function factsOf(now: GeneratorFrame | null): PlaceFact[] {
  const step: PlaceFact = { id: 'generator-steps', about: 'steps', name: t('steps'), value: String(now?.step ?? '–') };
  if (now?.kind === 'autoencoder') {
    return [
      step,
      { id: 'auto-train-loss', about: 'trainLoss', name: t('trainLoss'), value: number(now.trainLoss) },
      { id: 'auto-test-loss', about: 'testLoss', name: t('testLoss'), value: number(now.testLoss), strong: true },
    ];
  }
  return [
    step,
    {
      id: 'discriminator-loss',
      about: 'generators.discriminatorLoss',
      name: say('generators.discriminator'),
      value: number(now?.discriminatorLoss),
    },
    {
      id: 'generator-loss',
      about: 'generators.generatorLoss',
      name: say('generators.generator'),
      value: number(now?.generatorLoss),
    },
    {
      id: 'coverage',
      about: 'generators.coverage',
      name: say('generators.coverage'),
      value: now === null ? '–' : percent(now.coverage),
      strong: true,
    },
  ];
}

function Settings(): JSX.Element {
  const { kind, shape, generatorRate, discriminatorRate, divergenceWeight, seed } = settings.value;
  const rate = (value: number): string => short(10 ** value, 4);
  const round = (value: number): number => Number((10 ** value).toPrecision(2));
  return (
    <SettingsPanel
      id="generator-settings"
      title={say('generators.settings')}
      first={
        <>
          <Choice
            name="generators.kind"
            label={say('generators.kind')}
            value={kind}
            options={kinds}
            text={(one) => say(`generators.kind.${one}`)}
            onChange={chooseKind}
          />
          <p class="small">{say(`generators.about.${kind}`)}</p>
        </>
      }
    >
      <div class="fields">
        {kind === 'gan' && (
          <Choice
            name="generators.shape"
            label={say('generators.shape')}
            value={shape}
            options={shapes}
            text={(one) => say(`generators.shape.${one}`)}
            onChange={(one) => begin({ shape: one })}
          />
        )}
        <Slider
          name={kind === 'gan' ? 'generators.rate' : 'places.learningRate'}
          label={kind === 'gan' ? say('generators.generatorRate') : t('learningRate')}
          value={Math.log10(generatorRate)}
          low={-4}
          high={-1.5}
          step={0.1}
          show={rate}
          onChange={(value) => begin({ generatorRate: round(value) })}
        />
        {kind === 'gan' ? (
          <Slider
            name="generators.rate"
            label={say('generators.discriminatorRate')}
            value={Math.log10(discriminatorRate)}
            low={-4}
            high={-1.5}
            step={0.1}
            show={rate}
            onChange={(value) => begin({ discriminatorRate: round(value) })}
          />
        ) : (
          <Slider
            name="generators.divergence"
            label={say('generators.divergence')}
            value={divergenceWeight}
            low={0}
            high={4}
            step={0.25}
            onChange={(value) => begin({ divergenceWeight: value })}
          />
        )}
        <button type="button" data-name="places.newSeed" onClick={() => begin({ seed: seed + 1 })}>
          {t('newSeed')}
        </button>
      </div>
    </SettingsPanel>
  );
}
