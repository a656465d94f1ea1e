/**
 * The walk-through: one sample goes forward layer by layer, the gradient of its loss comes back, and the optimizer takes its
 * step. Here are its keys and what is said of each stage; the numbers that travel are in the diagram (walk-overlay.tsx).
 */
import { useSignalEffect } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { complain, tell } from '../state/actions.ts';
import { built, running, wish } from '../state/store.ts';
import * as walking from '../state/walk.ts';
import type { Built } from '../worker/protocol.ts';
import { targetIn } from './answer.ts';
import { layerName } from './distributions-tab.tsx';
import { Choice } from './fields.tsx';
import { short } from './format.ts';
import { Icon } from './icon.tsx';
import { StageView } from './walk-stage.tsx';

export function WalkThrough(): JSX.Element | null {
  useSignalEffect(walking.follow);
  useSignalEffect(walking.followUpdate);
  useEffect(() => walking.leave, []); // another tab shows the network as it is
  const now = walking.current.value;
  const all = built.value;
  if (now === null || all === null) {
    return <p class="small">{running.value || wish.value !== null ? t('walkHint') : t('loading')}</p>;
  }
  const { stages, stage } = walking;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would ask for a legend and break the row of its buttons
    <div class="walk" role="group" aria-label={t('walkKeys')} onKeyDown={press}>
      <p class="small">
        {t('walkHint')} {t('walkKeys')}
      </p>
      <Bar known={all} target={now.target} />
      <Chain />
      <div class="stage" aria-live={walking.isPlaying.value ? 'off' : 'polite'} data-stage={stage.value.kind}>
        <StageView walk={now} stage={stage.value} />
      </div>
      <progress
        class="for-readers"
        value={walking.position.value + 1}
        max={stages.value.length}
        aria-label={t('stepOf', { step: walking.position.value + 1, all: stages.value.length })}
      />
    </div>
  );
}

/** Arrows step, Page Up and Page Down change the sample, P plays, Escape leaves; fields keep their own keys. */
function press(event: TargetedKeyboardEvent<HTMLElement>): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && event.target.closest('input, select')) return;
  const actions: Readonly<Record<string, () => void>> = {
    ArrowRight: () => walking.move(1),
    ArrowLeft: () => walking.move(-1),
    Home: () => walking.moveTo(0),
    End: () => walking.moveTo(walking.stages.value.length - 1),
    PageDown: () => walking.turn(1),
    PageUp: () => walking.turn(-1),
    p: walking.togglePlaying,
    Escape: walking.leave,
  };
  const action = actions[event.key];
  if (action === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}

/** Which sample, and where on its way. Buttons that lead nowhere keep the focus, so that the keys go on working. */
function Bar({ known, target }: { readonly known: Built; readonly target: number }): JSX.Element {
  const { stages, stage, position, sample } = walking;
  const at = Math.min(position.value, stages.value.length - 1);
  const isLast = at === stages.value.length - 1;
  const truth = known.goal === 'quantity' ? quantity(known, target) : (known.classNames[target] ?? String(target));
  const nextMistake = (): void => {
    walking.walkMistake().then((found) => {
      if (!found) tell(() => t('noMistakes'));
    }, complain);
  };
  return (
    <div class="row">
      <span class="row sample" data-name="walkSample">
        <button type="button" class="icon" aria-label={t('previous')} onClick={() => walking.turn(-1)}>
          <Icon name="minus" />
        </button>
        <span>
          {t('sample')} {sample.value + 1} · {t('target')} {truth}
        </span>
        <button type="button" class="icon" aria-label={t('next')} onClick={() => walking.turn(1)}>
          <Icon name="plus" />
        </button>
      </span>
      <button type="button" data-name="nextMistake" onClick={nextMistake}>
        {t('nextMistake')}
      </button>
      <span class="row">
        <button
          type="button"
          class="icon"
          aria-label={t(walking.isPlaying.value ? 'walkPause' : 'walkPlay')}
          data-name="walkPlay"
          aria-pressed={walking.isPlaying.value}
          onClick={walking.togglePlaying}
        >
          <Icon name={walking.isPlaying.value ? 'pause' : 'play'} />
        </button>
        <button type="button" data-name="walkStep" onClick={() => walking.move(-1)} aria-disabled={at === 0}>
          {t('back')}
        </button>
        <button
          type="button"
          class="primary"
          data-name="walkStep"
          onClick={() => walking.move(1)}
          aria-disabled={isLast}
        >
          {stage.value.kind === 'update'
            ? t('walkUpdateNext')
            : walking.isBackward(stage.value) || stage.value.kind === 'loss'
              ? t('backward')
              : t('forward')}
        </button>
        <span class="small">{t('stepOf', { step: at + 1, all: stages.value.length })}</span>
      </span>
      <Choice
        name="walkSpeed"
        label={t('walkSpeed')}
        hidden
        value={walking.speed.value}
        options={['normal', 'slow'] as const}
        text={(name) => t(`walkSpeed.${name}`)}
        onChange={(name) => {
          walking.speed.value = name;
        }}
      />
      {walking.isWalking.value && (
        <button type="button" class="quiet" data-name="walkLeave" onClick={walking.leave}>
          {t('walkLeave')}
        </button>
      )}
    </div>
  );
}

/** In the units of the data, and behind it as the network is taught it, where that is another number. */
function quantity(all: Built, target: number): string {
  const real = short(targetIn(all)(target));
  return all.targetScale === null ? real : `${real} (${short(target)})`;
}

/** The layers in a row; the one where we are is marked, blue on the way forward and orange on the way back. */
function Chain(): JSX.Element {
  const blocks = (built.value?.spec.layers.length ?? 0) + 1;
  const here = walking.placeOf(walking.stage.value, blocks);
  const names = [t('inputs'), ...Array.from({ length: blocks }, (_, block) => layerName(block)), t('loss')];
  return (
    <ol class={walking.isBackward(walking.stage.value) ? 'chain backward' : 'chain'}>
      {names.map((name, k) => (
        <li key={name} aria-current={k - 1 === here ? 'step' : undefined}>
          {name}
        </li>
      ))}
    </ol>
  );
}
