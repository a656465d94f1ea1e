/** The lesson that is open: what to do, whether its goals hold, and the way to the next step. It stays in sight. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Key } from '../i18n/english.ts';
import { language, languages, t } from '../i18n/language.ts';
import { type Goal, type Text, textIn } from '../lessons/format.ts';
import { holds, type Value, values } from '../lessons/values.ts';
import {
  backToCards,
  type Card,
  closeLesson,
  finish,
  following,
  goTo,
  hostOf,
  moment,
  open,
  openLesson,
  position,
  reached,
  showHow,
  step,
} from '../state/lessons.ts';
import { short } from './format.ts';
import { Icon } from './icon.tsx';
import type { ControlName } from './names.ts';

const said = (text: Text): string => textIn(text, languages[language.value].tag.slice(0, 2));

export function LessonBar(): JSX.Element | null {
  const card = open.value;
  const isFolded = useSignal(false);
  if (card === null) return null;
  const { title, steps } = card.lesson;
  const at = position.value;
  const host = hostOf(card);
  return (
    <section class="lesson" aria-label={t('lesson')}>
      <div class="lesson-head">
        <h2>
          {said(title)} {host !== null && <small>{t('lessonFrom', { host })}</small>}
        </h2>
        <ol class="dots" aria-label={t('lessonStep', { step: at + 1, all: steps.length })}>
          {steps.map((_, k) => (
            <li key={k} class={reached.value.has(k) ? 'reached' : ''} aria-current={k === at ? 'step' : undefined} />
          ))}
        </ol>
        <span class="small">{t('lessonStep', { step: at + 1, all: steps.length })}</span>
        <button
          type="button"
          class="icon"
          aria-expanded={!isFolded.value}
          aria-label={t(isFolded.value ? 'lessonUnfold' : 'lessonFold')}
          onClick={() => {
            isFolded.value = !isFolded.value;
          }}
        >
          <Icon name={isFolded.value ? 'plus' : 'minus'} />
        </button>
        <button type="button" class="icon" aria-label={t('closeLesson')} onClick={closeLesson}>
          <Icon name="close" />
        </button>
      </div>
      {!isFolded.value && <LessonStep card={card} />}
      <Pointer names={step.value?.show ?? []} />
    </section>
  );
}

function LessonStep({ card }: { readonly card: Card }): JSX.Element | null {
  const now = step.value;
  const at = position.value;
  if (now === null) return null;
  const isReached = reached.value.has(at);
  const isLast = at === card.lesson.steps.length - 1;
  return (
    <div class="lesson-step">
      <p class="lesson-text">{said(now.text)}</p>
      <ul class="goals" aria-label={t('lessonGoals')}>
        {now.goals.map((goal, k) => (
          <GoalLine key={k} goal={goal} isReached={isReached} />
        ))}
      </ul>
      <p class="verdict" role="status" data-fact="lesson-reached">
        {isReached ? t('goalReached') : ''}
        {isReached && isLast && <span class="learned"> {said(card.lesson.learned)}</span>}
      </p>
      <div class="lesson-buttons">
        {at > 0 && (
          <button type="button" onClick={() => void goTo(at - 1)}>
            {t('previousStep')}
          </button>
        )}
        {now.solution !== null && !isReached && (
          <button type="button" data-name="showMe" onClick={() => now.solution && void showHow(now.solution)}>
            {t('showMe')}
          </button>
        )}
        {isLast ? (
          <End isReached={isReached} />
        ) : (
          <button type="button" class={isReached ? 'primary' : ''} onClick={() => void goTo(at + 1)}>
            {t('nextStep')}
          </button>
        )}
      </div>
    </div>
  );
}

/** The way out of the last step: on to the next lesson, or back to all. */
function End({ isReached }: { readonly isReached: boolean }): JSX.Element {
  const next = following.value;
  const leave = (act: () => void): void => {
    if (isReached) finish();
    act();
  };
  return (
    <>
      <button type="button" class={isReached && next === null ? 'primary' : ''} onClick={() => leave(backToCards)}>
        {t('finishLesson')}
      </button>
      {next !== null && (
        <button
          type="button"
          class={isReached ? 'primary' : ''}
          onClick={() => leave(() => void openLesson(next.address))}
        >
          {t('nextLesson')}
        </button>
      )}
    </>
  );
}

function GoalLine({ goal, isReached }: { readonly goal: Goal; readonly isReached: boolean }): JSX.Element {
  const value = values[goal.value];
  const now = moment.value;
  const isMet = isReached || (now !== null && holds(goal, now));
  const found = now === null ? null : value.read(now);
  return (
    <li class={isMet ? 'met' : ''}>
      <Icon name={isMet ? 'check' : 'circle'} />
      <span class="for-readers">{t(isMet ? 'goalHolds' : 'goalOpen')}: </span>
      <span>
        {t(value.label)} {wanted(goal, value)}
      </span>
      {!isMet && found !== null && <span class="small">{t('goalNow', { value: written(value, found) })}</span>}
    </li>
  );
}

/** `≥ 95 %`, `= tanh` */
function wanted({ atLeast, atMost, is }: Goal, value: Value): string {
  if (is !== null) return `= ${is.map((name) => written(value, name)).join(' / ')}`;
  const isNone = atLeast === null && atMost === 0 && value.kind === 'number' && value.as === 'count';
  if (isNone) return `= 0`;
  if (atLeast !== null && atLeast === atMost) return `= ${written(value, atLeast)}`;
  const bounds = [
    ...(atLeast === null ? [] : [`≥ ${written(value, atLeast)}`]),
    ...(atMost === null ? [] : [`≤ ${written(value, atMost)}`]),
  ];
  return bounds.join(', ');
}

function written(value: Value, found: number | string): string {
  if (value.kind === 'word') return t(`${value.prefix}${found}` as Key); // the one cast: a test looks each of them up
  const number = Number(found);
  if (value.as === 'count') return String(number);
  return value.as === 'share'
    ? `${Number((100 * number).toFixed(1))} %`
    : String(Number(short(number).replaceAll('−', '-')));
}

/** Rings around the controls that the step is about. */
function Pointer({ names }: { readonly names: readonly ControlName[] }): JSX.Element | null {
  if (names.length === 0) return null;
  return (
    <style>{`${names.map((name) => `[data-name="${name}"]`).join(', ')} { outline: 2px solid var(--ring); outline-offset: 4px; border-radius: 8px; }`}</style>
  );
}
