/** The page: header, bar, three panels, and below them the closer look. Files may be dropped anywhere. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { type Language, language, languageNames, languages, setLanguage, t } from '../i18n/language.ts';
import { place, placeKeys } from '../places/place.ts';
import { PlaceLinks, PlaceView } from '../places/place-view.tsx';
import { rebuild, stepOnce, takeFiles, toggle, trainEpoch } from '../state/actions.ts';
import { experiment, isImages, notice } from '../state/store.ts';
import { setTheme, type Theme, theme } from '../state/theme.ts';
import { Controls } from './controls.tsx';
import { Curves } from './curves.tsx';
import { DataPanel } from './data-panel.tsx';
import { DigitPanel } from './digit-panel.tsx';
import { Choice } from './fields.tsx';
import { Icon } from './icon.tsx';
import { NetworkPanel } from './network-panel.tsx';
import { PlanePanel } from './plane-panel.tsx';
import { Tabs } from './tabs.tsx';
import { Tip } from './tip.tsx';
import { TrainingPanel } from './training-panel.tsx';

export function App(): JSX.Element {
  const isOver = useSignal(false);
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
      class={isOver.value ? 'page over' : 'page'}
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
      <Header />
      {place.value === 'network' ? <Controls /> : <PlaceView />}
      <Message />
      <Tip />
      {place.value === 'network' && <Board />}
      <footer class="small">
        {place.value === 'network' && <p>{t('shortcuts')}</p>}
        {!crossOriginIsolated && <p>{t('oneThread')}</p>}
      </footer>
    </div>
  );
}

function Board(): JSX.Element {
  return (
    <main class="board">
      <div class="side">
        <DataPanel />
        <TrainingPanel />
      </div>
      <div class="middle">
        <NetworkPanel />
        <Tabs />
      </div>
      <div class="results">
        {isImages.value ? <DigitPanel /> : <PlanePanel />}
        <Curves />
      </div>
    </main>
  );
}

function Header(): JSX.Element {
  return (
    <header class="header">
      <h1>
        <span class="mark" aria-hidden="true" /> {t('title')} <small>{t('tagline')}</small>
      </h1>
      <PlaceLinks />
      <div class="choices">
        <Choice<Language>
          label={t('language')}
          hidden
          value={language.value}
          options={languageNames}
          text={(name) => languages[name].name}
          onChange={setLanguage}
        />
        <Choice<Theme>
          label={t('theme')}
          hidden
          value={theme.value}
          options={['auto', 'light', 'dark']}
          text={(name) => t(`theme.${name}`)}
          onChange={setTheme}
        />
      </div>
    </header>
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

/** Keys for the whole page, except where they mean something else. */
function shortcut(event: KeyboardEvent): void {
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
