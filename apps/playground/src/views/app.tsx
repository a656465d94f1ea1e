/** The page: header, bar, three panels, and below them the closer look. Files may be dropped anywhere. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { language, languages, t } from '../i18n/language.ts';
import { place, placeKeys } from '../places/place.ts';
import { PlaceView } from '../places/place-view.tsx';
import { rebuild, stepOnce, takeFiles, toggle, trainEpoch } from '../state/actions.ts';
import { hasKeys, isPresenting, isShown, present, setKeys } from '../state/classroom.ts';
import { open } from '../state/lessons.ts';
import { experiment, isImages, notice } from '../state/store.ts';
import { Controls } from './controls.tsx';
import { Curves } from './curves.tsx';
import { DataPanel } from './data-panel.tsx';
import { DigitPanel } from './digit-panel.tsx';
import { Header } from './header.tsx';
import { Help } from './help.tsx';
import { Icon } from './icon.tsx';
import { LessonBar } from './lesson-bar.tsx';
import { LessonStrip } from './lesson-strip.tsx';
import { NetworkPanel } from './network-panel.tsx';
import { PlanePanel } from './plane-panel.tsx';
import { Tabs } from './tabs.tsx';
import { Tip } from './tip.tsx';
import { TrainingPanel } from './training-panel.tsx';

export function App(): JSX.Element {
  const isOver = useSignal(false);
  const isBoard = place.value === 'network';
  useEffect(() => {
    document.documentElement.lang = languages[language.value].tag;
    document.title = t('title');
  });
  useEffect(() => {
    window.addEventListener('keydown', shortcut);
    return () => window.removeEventListener('keydown', shortcut);
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a place to drop files on; the same files can be chosen by a button
    <div
      class={`page${isOver.value ? ' over' : ''}${isPresenting.value ? ' presenting' : ''}`}
      data-experiment={experiment.value}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => {
        isOver.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        void takeFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {isShown('header') && <Header />}
      {isShown('lessons') && isBoard && open.value === null && <LessonStrip />}
      {isBoard ? isShown('controls') && <Controls /> : <PlaceView />}
      <Message />
      <Tip />
      <Help />
      {isPresenting.value && (
        <button type="button" class="quiet end-presenting" onClick={() => present(false)}>
          {t('presentEnd')}
        </button>
      )}
      {isBoard && <Board />}
      <LessonBar />
      {isShown('footer') && <Footer />}
    </div>
  );
}

function Board(): JSX.Element {
  return (
    <main class="board">
      {(isShown('data') || isShown('training')) && (
        <div class="side">
          {isShown('data') && <DataPanel />}
          {isShown('training') && <TrainingPanel />}
        </div>
      )}
      {(isShown('network') || isShown('closer')) && (
        <div class="middle">
          {isShown('network') && <NetworkPanel />}
          {isShown('closer') && <Tabs />}
        </div>
      )}
      {(isShown('output') || isShown('curves')) && (
        <div class="results">
          {isShown('output') && (isImages.value ? <DigitPanel /> : <PlanePanel />)}
          {isShown('curves') && <Curves />}
        </div>
      )}
    </main>
  );
}

function Footer(): JSX.Element {
  return (
    <footer class="small">
      <p>
        <label class="check" data-name="keys">
          <input type="checkbox" checked={hasKeys.value} onChange={(event) => setKeys(event.currentTarget.checked)} />
          {t('keysOn')}
        </label>{' '}
        {hasKeys.value && place.value === 'network' && t('shortcuts')}
      </p>
      {!crossOriginIsolated && <p>{t('oneThread')}</p>}
    </footer>
  );
}

/** Read out at once, and stays until it is closed or the next thing is done. */
function Message(): JSX.Element {
  const now = notice.value;
  return (
    <div
      class="messages"
      role={now?.kind === 'error' ? 'alert' : 'status'}
      aria-live={now?.kind === 'error' ? 'assertive' : 'polite'}
    >
      {now !== null && (
        <p class={`message ${now.kind}`}>
          <span>{now.say()}</span>
          <button
            type="button"
            class="icon"
            aria-label={t('close')}
            onClick={() => {
              notice.value = null;
            }}
          >
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}

/** Keys for the whole page, except where they mean something else, or where they are turned off. */
function shortcut(event: KeyboardEvent): void {
  if (!hasKeys.value) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target } = event;
  if (
    target instanceof HTMLElement &&
    target.closest('input, select, textarea, button, summary, [role=application], [role=tab]')
  )
    return;
  const isBoard = place.peek() === 'network';
  const keys = isBoard ? { toggle, restart: () => void rebuild() } : placeKeys.peek();
  if (event.key === ' ') keys?.toggle();
  else if (event.key === 'e') trainEpoch();
  else if (event.key === 'r') keys?.restart();
  else if (event.key === 's' && isBoard) stepOnce();
  else return;
  event.preventDefault();
}
