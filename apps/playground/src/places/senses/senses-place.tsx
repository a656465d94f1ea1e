/** Hear and see: spoken digits, and classes of one's own by camera or microphone, learned and tried on the spot. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/language.ts';
import { Choice } from '../../views/fields.tsx';
import { percent } from '../../views/format.ts';
import { SettingsPanel } from '../../views/settings-panel.tsx';
import '../board.css';
import { number } from '../format.ts';
import { LineChart } from '../line-chart.tsx';
import { settingOf } from '../place.ts';
import { PlaceBar, type PlaceFact } from '../place-bar.tsx';
import { say } from '../words.ts';
import { ClassCards } from './class-cards.tsx';
import { Live } from './live.tsx';
import { kinds } from './protocol.ts';
import './senses.css';
import { chooseKind, closeDevice, isReady, kind, losses, restart, senses, take, training } from './state.ts';

export function SensesPlace(): JSX.Element {
  useEffect(() => {
    const follow = (): void => {
      const wanted = settingOf('kind', kinds);
      if (wanted !== kind.peek()) chooseKind(wanted);
    };
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('hashchange', follow);
      // whoever goes elsewhere is neither seen nor heard
      closeDevice();
    };
  }, []);
  const now = senses.frame.value;
  const own = (now?.counts ?? []).reduce((sum, { train, test }) => sum + train + test, 0);
  const { count, right } = now?.firstHeard ?? { count: 0, right: 0 };
  const accuracy = now?.testAccuracy ?? null;
  const first: PlaceFact = {
    id: 'first-heard',
    about: 'senses.firstHeard',
    name: say('senses.firstHeard'),
    value: count === 0 ? '–' : `${right} / ${count}`,
  };
  const facts: PlaceFact[] = [
    { id: 'sense-steps', about: 'steps', name: t('steps'), value: String(now?.step ?? '–') },
    { id: 'sense-loss', about: 'trainLoss', name: t('trainLoss'), value: number(now?.trainLoss) },
    {
      id: 'sense-accuracy',
      about: 'testAccuracy',
      name: t('testAccuracy'),
      value: accuracy === null ? '–' : percent(accuracy),
      strong: true,
    },
    {
      id: 'sense-samples',
      about: 'senses.samples',
      name: say(kind.value === 'digits' ? 'senses.own' : 'senses.samples'),
      value: String(own),
    },
    ...(kind.value === 'digits' ? [first] : []),
  ];
  return (
    <>
      <PlaceBar worker={training} restart={restart} facts={facts} />
      <main class="place-board senses">
        <Settings />
        <div class="place-middle">
          <Live />
          <ClassCards />
        </div>
        <div class="place-side">
          <Losses />
          <TakeAlong />
        </div>
      </main>
    </>
  );
}

function Settings(): JSX.Element {
  return (
    <SettingsPanel
      id="sense-settings"
      title={say('senses.title')}
      first={
        <>
          <Choice
            label={say('senses.kind')}
            name="senses.kind"
            value={kind.value}
            options={kinds}
            text={(name) => say(`senses.kind.${name}`)}
            onChange={chooseKind}
          />
          <p class="small">{say(`senses.about.${kind.value}`)}</p>
          <p class="small">{say('senses.private')}</p>
        </>
      }
    />
  );
}

function Losses(): JSX.Element {
  const { steps, values } = losses.value;
  const now = senses.frame.value;
  return (
    <section class="panel" aria-labelledby="sense-losses">
      <h2 id="sense-losses">{t('curves')}</h2>
      <LineChart
        label={`${t('trainLoss')}: ${number(now?.trainLoss)}`}
        steps={steps}
        lines={[{ name: t('trainLoss'), color: '--curve-train', values }]}
      />
      <p class="small">{say(`senses.test.${kind.value}`, { count: now?.testCount ?? 0 })}</p>
    </section>
  );
}

function TakeAlong(): JSX.Element {
  const isEmpty = (senses.frame.value?.step ?? 0) === 0 || !isReady();
  return (
    <section class="panel" aria-labelledby="sense-take">
      <h2 id="sense-take">{say('senses.take')}</h2>
      <p class="small">{say('senses.takeHelp')}</p>
      <div class="sense-buttons">
        <button type="button" data-name="senses.zip" disabled={isEmpty} onClick={() => void take('zip')}>
          {t('take.zip')}
        </button>
        <button type="button" data-name="exportOnnx" disabled={isEmpty} onClick={() => void take('onnx')}>
          {t('take.onnx')}
        </button>
      </div>
    </section>
  );
}
