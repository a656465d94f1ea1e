/** A text to go on with, and the characters that may come next, with the steering that cuts and bends their probabilities. */
import type { JSX } from 'preact';
import { t } from '../../i18n/language.ts';
import { Slider } from '../../views/fields.tsx';
import { percent } from '../../views/format.ts';
import { say } from '../words.ts';
import { facts, inspection, prompt, setPrompt, steering } from './state.ts';
import { chancesOf } from './steering.ts';

const shown = 10;

/** A character as it can be seen. */
export const visible = (character: string): string =>
  character === ' ' ? '␣' : character === '\n' ? '↵' : character === '\t' ? '⇥' : character;

export function NextCharacters(): JSX.Element {
  const { temperature, topK } = steering.value;
  return (
    <section class="panel" aria-labelledby="next-title">
      <h2 id="next-title" data-name="sequences.next">
        {say('sequences.next')}
      </h2>
      <label class="field" data-name="sequences.prompt">
        <span class="field-label">{say('sequences.prompt')}</span>
        <input type="text" value={prompt.value} onInput={(event) => setPrompt(event.currentTarget.value)} />
      </label>
      <div class="next-steering">
        <Slider
          name="sequences.temperature"
          label={say('sequences.temperature')}
          value={temperature}
          low={0}
          high={2}
          step={0.05}
          show={(value) => value.toFixed(2)}
          onChange={(value) => {
            steering.value = { ...steering.value, temperature: value };
          }}
        />
        <Slider
          name="sequences.topK"
          label={say('sequences.topK')}
          value={topK}
          low={0}
          high={20}
          step={1}
          show={(value) => (value === 0 ? say('sequences.all') : String(value))}
          onChange={(value) => {
            steering.value = { ...steering.value, topK: value };
          }}
        />
      </div>
      <Bars />
      <p class="small">{say('sequences.nextHelp')}</p>
    </section>
  );
}

/** The most probable characters: the bar is the steered probability, the frame the network's own. */
function Bars(): JSX.Element {
  const found = inspection.value;
  const vocabulary = facts.value?.vocabulary;
  if (found === null || vocabulary === undefined) return <p class="small">{t('loading')}</p>;
  const plain = chancesOf(found.logits, { temperature: 1, topK: 0 }).slice(0, shown);
  const steered = new Map(chancesOf(found.logits, steering.value).map(({ id, probability }) => [id, probability]));
  return (
    <ol class="next" data-next={vocabulary[plain[0]?.id ?? 0]}>
      {plain.map(({ id, probability: own }) => {
        const character = vocabulary[id] ?? '';
        const share = steered.get(id) ?? 0;
        return (
          <li key={id}>
            <button
              type="button"
              data-name="sequences.next"
              aria-label={say('sequences.take1', { character: visible(character), share: percent(share) })}
              onClick={() => setPrompt(prompt.peek() + character)}
            >
              <span class="character">{visible(character)}</span>
              <span class="track">
                <span class="bar" style={{ width: `${100 * share}%` }} />
                <span class="own" style={{ width: `${100 * own}%` }} />
              </span>
              <span class="share">{percent(share)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
