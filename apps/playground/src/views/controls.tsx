/** The bar that is always in sight: start, pause, step, start over, where training stands, and on what it computes. */
import type { JSX } from 'preact';
import { t, told } from '../i18n/language.ts';
import type { Told } from '../i18n/words.ts';
import { paceNames, paces } from '../model/pace.ts';
import { type BackendName, backends } from '../model/spec.ts';
import { change, rebuild, setPace, stepOnce, toggle, trainEpoch } from '../state/actions.ts';
import { availability, built, frame, goal, pace, running, spec, waiting } from '../state/store.ts';
import type { BackendFacts } from '../worker/protocol.ts';
import { Choice } from './fields.tsx';
import { bytes, percent, short } from './format.ts';
import { Icon } from './icon.tsx';
import type { ControlName } from './names.ts';

export function Controls(): JSX.Element {
  const label = running.value ? t('pause') : t('run');
  return (
    <section class="controls" aria-label={t('training')}>
      <div class="buttons">
        <button type="button" class="icon" onClick={() => void rebuild()} data-name="reset" aria-label={t('reset')}>
          <Icon name="reset" />
        </button>
        <button
          type="button"
          class="play"
          onClick={toggle}
          aria-pressed={running.value}
          data-name="train"
          aria-label={label}
          disabled={built.value === null}
        >
          <Icon name={running.value ? 'pause' : 'play'} />
        </button>
        <button
          type="button"
          class="icon"
          onClick={stepOnce}
          data-name="step"
          aria-label={t('step')}
          disabled={built.value === null}
        >
          <Icon name="step" />
        </button>
        <button
          type="button"
          class="icon"
          onClick={trainEpoch}
          data-name="oneEpoch"
          aria-label={t('oneEpoch')}
          disabled={built.value === null}
        >
          <Icon name="epoch" />
        </button>
      </div>
      <Choice
        name="pace"
        label={t('pace')}
        value={pace.value}
        options={paceNames}
        text={(name) => (paces[name] === null ? t('pace.full') : t('stepsASecond', { count: paces[name] }))}
        onChange={setPace}
      />
      <Standing />
      <Backend />
    </section>
  );
}

/** The numbers of the last frame. */
function Standing(): JSX.Element {
  const now = frame.value;
  const isQuantity = goal.value === 'quantity';
  const share = now === null ? 0 : Math.min(1, now.progress);
  return (
    <dl class="standing" aria-live="off">
      <Fact about="epoch" name={t('epoch')} value={now === null ? '–' : String(now.epoch)}>
        <progress value={share} max={1} aria-label={t('progress')} />
      </Fact>
      <Fact about="steps" name={t('steps')} value={now === null ? '–' : String(now.step)} id="steps" />
      <Fact about="trainLoss" name={t('trainLoss')} value={now === null ? '–' : short(now.trainLoss)} id="train-loss" />
      <Fact about="testLoss" name={t('testLoss')} value={now === null ? '–' : short(now.testLoss)} id="test-loss" />
      {!isQuantity && (
        <Fact
          about="testAccuracy"
          name={t('testAccuracy')}
          value={now === null || now.testAccuracy === null ? '–' : percent(now.testAccuracy)}
          id="test-accuracy"
          strong
        />
      )}
      <Fact
        about="stepTime"
        name={t('stepTime')}
        value={!now?.stepMilliseconds ? '–' : `${short(now.stepMilliseconds, 2)} ms`}
        id="step-time"
      />
      <Fact about="parameters" name={t('parameters')} value={String(built.value?.parameterCount ?? '–')} />
      <Fact
        name={t('memory')}
        value={now === null ? '–' : bytes(now.memory.used + now.memory.pooled + now.memory.scratch)}
        id="memory"
        about="memory"
      />
    </dl>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly id?: string;
  readonly about: ControlName;
  readonly strong?: boolean;
  readonly children?: JSX.Element;
}

function Fact({ name, value, id, about, strong, children }: FactProps): JSX.Element {
  return (
    <div class={strong ? 'fact strong' : 'fact'} data-name={about}>
      <dt>{name}</dt>
      <dd data-fact={id}>
        {value}
        {children}
      </dd>
    </div>
  );
}

function Backend(): JSX.Element {
  const known = availability.value;
  const reasonOf = (name: BackendName): Told | null => known.find((item) => item.name === name)?.missing ?? null;
  const reasons = backends.flatMap((name) => {
    const reason = reasonOf(name);
    return reason === null ? [] : [{ name, reason }];
  });
  const facts = frame.value?.backend ?? built.value?.backend;
  const detail = facts === undefined ? '' : describe(facts);
  return (
    <div class="backend">
      <Choice
        name="backend"
        label={t('backend')}
        value={spec.value.backend}
        options={backends}
        text={(name) => `${t(`backend.${name}`)}${reasonOf(name) === null ? '' : ` – ${t('unavailable')}`}`}
        disabled={(name) => reasonOf(name) !== null}
        onChange={(backend) => change({ backend })}
      />
      <p class="small" data-fact="device" title={detail}>
        {waiting.value ? t('loading') : detail}
      </p>
      {/* its place is kept before it is known: the bar must not grow */}
      <details class={reasons.length > 0 ? 'small reasons' : 'small reasons none'}>
        <summary>{t('whyUnavailable')}</summary>
        <div>
          {reasons.map(({ name, reason }) => (
            <p key={name}>
              <strong>{t(`backend.${name}`)}</strong> {told(reason)}
            </p>
          ))}
        </div>
      </details>
    </div>
  );
}

/** `engine: wasm, 2 threads`, or the name of the GPU. */
function describe({ name, detail, threads }: BackendFacts): string {
  if (name !== 'cpu') return detail;
  const engine = t('engine', { name: detail });
  return threads > 1 ? `${engine}, ${t('threads', { count: threads })}` : engine;
}
