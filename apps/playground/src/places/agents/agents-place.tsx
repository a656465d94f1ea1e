/** Agents that learn by doing: the world that they act in, what they think of it, and their returns. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/language.ts';
import { Choice, Slider } from '../../views/fields.tsx';
import { short } from '../../views/format.ts';
import { SettingsPanel } from '../../views/settings-panel.tsx';
import { number } from '../format.ts';
import { LineChart } from '../line-chart.tsx';
import { settingOf } from '../place.ts';
import { PlaceBar, type PlaceFact } from '../place-bar.tsx';
import { say } from '../words.ts';
import '../board.css';
import { worlds } from './protocol.ts';
import { Stage } from './stage.tsx';
import { agents, begin, chooseWorld, episode, returns, settings } from './state.ts';
import { ValueMap } from './value-map.tsx';

export function AgentsPlace(): JSX.Element {
  useEffect(() => {
    const follow = (): void => {
      const wanted = settingOf('world', worlds);
      if (wanted !== settings.peek().world) chooseWorld(wanted);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const now = agents.frame.value;
  const { steps, totals, means } = returns.value;
  const facts: readonly PlaceFact[] = [
    { id: 'agent-steps', about: 'agents.steps', name: t('steps'), value: String(now?.steps ?? '–') },
    {
      id: 'agent-episodes',
      about: 'agents.episodes',
      name: say('agents.episodes'),
      value: String(now?.episodes ?? '–'),
    },
    {
      id: 'agent-mean',
      about: 'agents.mean',
      name: say('agents.mean'),
      value: number(now?.meanReturn, 1),
      strong: true,
    },
    { id: 'agent-best', about: 'agents.best', name: say('agents.best'), value: number(now?.best, 1) },
    { id: 'agent-entropy', about: 'agents.entropy', name: say('agents.entropy'), value: number(now?.entropy) },
  ];
  const told = {
    agentDiscount: settings.value.discount,
    placeSteps: now?.steps ?? null,
    // there is no mean before the first episode has ended
    agentMean: now === null || Number.isNaN(now.meanReturn) ? null : now.meanReturn,
    agentWatched: episode.value?.total ?? null,
  };
  return (
    <>
      <PlaceBar worker={agents} restart={() => begin()} facts={facts} told={told} apply={apply} />
      <main class="place-board agents">
        <Settings />
        <Stage />
        <div class="place-side">
          <ValueMap />
          <section class="panel" aria-labelledby="returns-title">
            <h2 id="returns-title" data-name="agents.returns">
              {say('agents.returns')}
            </h2>
            <LineChart
              label={`${say('agents.returns')}: ${say('agents.mean')} ${number(now?.meanReturn, 1)}`}
              steps={steps}
              lines={[
                { name: say('agents.each'), color: '--curve-train', values: totals, isDots: true },
                { name: say('agents.mean'), color: '--curve-test', values: means },
              ]}
            />
          </section>
        </div>
      </main>
    </>
  );
}

/** Lessons set how far ahead the agent looks. */
function apply(changes: URLSearchParams): void {
  const discount = Number(changes.get('discount') ?? Number.NaN);
  if (discount >= 0 && discount <= 0.99) begin({ discount });
}

function Settings(): JSX.Element {
  const { world, learningRate, discount, entropyWeight, hidden, seed } = settings.value;
  return (
    <SettingsPanel
      id="agent-settings"
      title={say('agents.title')}
      first={
        <>
          <Choice
            name="agents.world"
            label={say('agents.world')}
            value={world}
            options={worlds}
            text={(name) => say(`agents.world.${name}`)}
            onChange={chooseWorld}
          />
          <p class="small">{say(`agents.about.${world}`)}</p>
        </>
      }
    >
      <div class="fields">
        <Slider
          name="places.learningRate"
          label={t('learningRate')}
          value={Math.log10(learningRate)}
          low={-4}
          high={-1}
          step={0.1}
          show={(value) => short(10 ** value, 4)}
          onChange={(value) => begin({ learningRate: Number((10 ** value).toPrecision(2)) })}
        />
        <Slider
          name="agents.discount"
          label={say('agents.discount')}
          value={discount}
          low={0}
          high={0.99}
          step={0.01}
          onChange={(value) => begin({ discount: value })}
        />
        <Slider
          name="agents.entropyWeight"
          label={say('agents.entropyWeight')}
          value={entropyWeight}
          low={0}
          high={0.1}
          step={0.005}
          onChange={(value) => begin({ entropyWeight: value })}
        />
        <Choice
          name="agents.hidden"
          label={t('units')}
          value={String(hidden)}
          options={['4', '8', '16', '32', '64', '128']}
          text={(units) => `${units} + ${units}`}
          onChange={(units) => begin({ hidden: Number(units) })}
        />
        <button type="button" data-name="places.newSeed" onClick={() => begin({ seed: seed + 1 })}>
          {t('newSeed')}
        </button>
      </div>
      <p class="small after">{say('agents.method')}</p>
    </SettingsPanel>
  );
}
