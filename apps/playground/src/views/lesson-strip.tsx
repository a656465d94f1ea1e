/** The lessons as a strip of cards, each a link; and its place, before they are there. */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { language, languages, t } from '../i18n/language.ts';
import { textIn } from '../lessons/format.ts';
import { type Card, cards, finished, openLesson } from '../state/lessons.ts';
import { Icon } from './icon.tsx';

const key = 'nn.playground.strip';

/** Whether the strip is open: as it was left. */
const isOpen: Signal<boolean> = signal(kept());

function kept(): boolean {
  try {
    return localStorage.getItem(key) !== 'closed';
  } catch {
    return true;
  }
}

function fold(): void {
  isOpen.value = !isOpen.value;
  try {
    localStorage.setItem(key, isOpen.value ? 'open' : 'closed');
  } catch {
    // it is then open as long as the page lasts
  }
}

export function LessonStrip(): JSX.Element {
  return (
    <nav class="lessons" aria-label={t('lessons')}>
      <button type="button" class="quiet fold" aria-expanded={isOpen.value} onClick={fold}>
        <Icon name={isOpen.value ? 'minus' : 'plus'} /> {t('lessons')}
      </button>
      {isOpen.value && (
        <ul class="cards">
          {cards.value.map((card) => (
            <li key={card.address}>
              <CardLink card={card} />
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}

function CardLink({ card }: { readonly card: Card }): JSX.Element {
  const { address, lesson } = card;
  const { tag } = languages[language.value];
  const isDone = finished.value.has(address);
  return (
    <a
      class={isDone ? 'card done' : 'card'}
      href={`?lesson=${encodeURIComponent(address)}`}
      onClick={(event) => {
        // a new tab is the browser's; here the page stays
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        void openLesson(address);
      }}
    >
      <strong>
        {isDone && <Icon name="check" />} {textIn(lesson.title, tag.slice(0, 2))}
        {isDone && <span class="for-readers"> ({t('lessonDone')})</span>}
      </strong>
      <span>{textIn(lesson.about, tag.slice(0, 2))}</span>
    </a>
  );
}
