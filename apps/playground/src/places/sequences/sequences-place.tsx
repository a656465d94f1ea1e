/** A small model of characters: it learns a text, goes on with it, and shows what it looks at. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { language, t } from '../../i18n/language.ts';
import { Choice, Slider } from '../../views/fields.tsx';
import { short } from '../../views/format.ts';
import { SettingsPanel } from '../../views/settings-panel.tsx';
import '../board.css';
import { number } from '../format.ts';
import { LineChart } from '../line-chart.tsx';
import { settingOf } from '../place.ts';
import { PlaceBar, type PlaceFact } from '../place-bar.tsx';
import { say } from '../words.ts';
import { Attention, chooseSharpest, look } from './attention.tsx';
import { NextCharacters } from './next-characters.tsx';
import './sequences.css';
import {
  begin,
  chooseText,
  facts,
  inspect,
  losses,
  ownText,
  shape,
  textName,
  trainingText,
  write,
  writer,
  written,
} from './state.ts';
import { textNames } from './texts.ts';

/** Milliseconds between texts of its own while it learns. */
const writeEvery = 1500;

export function SequencesPlace(): JSX.Element {
  useEffect(() => {
    const follow = (): void => {
      const wanted = settingOf('text', textNames);
      if (wanted !== textName.peek()) chooseText(wanted);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  // made texts are in the language of the page
  const spoken = useRef(language.value);
  useSignalEffect(() => {
    if (language.value === spoken.current) return;
    spoken.current = language.value;
    if (textName.peek() === 'sentences') begin();
  });
  const isRunning = writer.running.value;
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(write, writeEvery);
    return () => {
      clearInterval(timer);
      write();
    };
  }, [isRunning]);
  const now = writer.frame.value;
  useEffect(inspect, [now?.step]);
  const { steps, train, test } = losses.value;
  const bits = now === null ? null : now.testLoss / Math.LN2;
  const bar: readonly PlaceFact[] = [
    { id: 'text-steps', about: 'steps', name: t('steps'), value: String(now?.step ?? '–') },
    { id: 'text-train-loss', about: 'trainLoss', name: t('trainLoss'), value: number(now?.trainLoss) },
    { id: 'text-test-loss', about: 'testLoss', name: t('testLoss'), value: number(now?.testLoss), strong: true },
    { id: 'text-bits', about: 'sequences.bits', name: say('sequences.bits'), value: number(bits) },
    {
      id: 'text-parameters',
      about: 'parameters',
      name: t('parameters'),
      value: String(facts.value?.parameterCount ?? '–'),
    },
  ];
  const looked = look.value;
  const told = {
    textLayers: shape.value.layers,
    placeSteps: now?.step ?? null,
    textTestLoss: now?.testLoss ?? null,
    attentionBack: looked === null ? null : looked.from - looked.most,
    attentionShare: looked?.share ?? null,
  };
  return (
    <>
      <PlaceBar worker={writer} restart={() => begin()} facts={bar} told={told} apply={apply} />
      <main class="place-board sequences">
        <Settings />
        <div class="place-middle">
          <NextCharacters />
          <Written />
        </div>
        <div class="place-side">
          <Attention />
          <section class="panel" aria-labelledby="text-losses">
            <h2 id="text-losses">{t('curves')}</h2>
            <LineChart
              label={`${t('loss')}: ${t('trainPart')} ${number(now?.trainLoss)}, ${t('testPart')} ${number(now?.testLoss)}`}
              steps={steps}
              lines={[
                { name: t('trainPart'), color: '--curve-train', values: train },
                { name: t('testPart'), color: '--curve-test', values: test },
              ]}
            />
          </section>
        </div>
      </main>
    </>
  );
}

/** Lessons set layers, and let the map be chosen in which most is to be seen. */
function apply(settings: URLSearchParams): void {
  const layers = Number(settings.get('layers'));
  if (layers >= 1 && layers <= 4) begin({ layers: Math.floor(layers) });
  if (settings.get('head') === 'sharpest') chooseSharpest();
}

function Settings(): JSX.Element {
  const { width, layers, heads, learningRate } = shape.value;
  const isOwn = textName.value === 'own';
  return (
    <SettingsPanel
      id="sequence-settings"
      title={say('sequences.title')}
      first={
        <>
          <Choice
            name="sequences.text"
            label={say('sequences.text')}
            value={textName.value}
            options={textNames}
            text={(name) => say(`sequences.text.${name}`)}
            onChange={chooseText}
          />
          <p class="small">{say(`sequences.about.${textName.value}`)}</p>
          {isOwn && <OwnText />}
        </>
      }
    >
      {!isOwn && <p class="excerpt">{trainingText().slice(0, 160)} …</p>}
      {facts.value !== null && (
        <p class="small" data-fact="text-facts">
          {say('sequences.facts', { characters: facts.value.characters, kinds: facts.value.vocabulary.length })}
        </p>
      )}
      <div class="fields">
        <Choice
          name="sequences.width"
          label={say('sequences.width')}
          value={String(width)}
          options={['16', '32', '48', '64', '96']}
          text={String}
          onChange={(value) => begin({ width: Number(value) })}
        />
        <Choice
          name="sequences.layers"
          label={say('sequences.layers')}
          value={String(layers)}
          options={['1', '2', '3', '4']}
          text={String}
          onChange={(value) => begin({ layers: Number(value) })}
        />
        <Choice
          name="sequences.heads"
          label={say('sequences.heads')}
          value={String(heads)}
          options={['1', '2', '4']}
          text={String}
          onChange={(value) => begin({ heads: Number(value) })}
        />
        <Slider
          name="places.learningRate"
          label={t('learningRate')}
          value={Math.log10(learningRate)}
          low={-4}
          high={-1.5}
          step={0.1}
          show={(value) => short(10 ** value, 4)}
          onChange={(value) => begin({ learningRate: Number((10 ** value).toPrecision(2)) })}
        />
      </div>
    </SettingsPanel>
  );
}

/** What the rest waits for. */
function OwnText(): JSX.Element {
  return (
    <div>
      <textarea
        class="own-text"
        data-name="sequences.text"
        rows={7}
        aria-label={say('sequences.ownText')}
        value={ownText.value}
        onInput={(event) => {
          ownText.value = event.currentTarget.value;
        }}
      />
      <button type="button" data-name="sequences.take" onClick={() => begin()} disabled={ownText.value.trim() === ''}>
        {say('sequences.take')}
      </button>
    </div>
  );
}

/** Texts of its own: the last on top, so that it can be seen how noise becomes words. */
function Written(): JSX.Element {
  return (
    <section class="panel" aria-labelledby="written-title">
      <div class="panel-head">
        <h2 id="written-title">{say('sequences.written')}</h2>
        <button type="button" class="quiet" data-name="sequences.write" onClick={write} disabled={facts.value === null}>
          {say('sequences.write')}
        </button>
      </div>
      <ol class="written">
        {written.value.map(({ step, text }, k) => (
          <li key={k} data-step={step}>
            <span class="small">{say('sequences.after', { step })}</span>
            <p>{text}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}
