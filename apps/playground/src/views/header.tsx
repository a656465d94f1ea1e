/** The title of the page, the ways to its places, and what helps: tour, glossary, presentation, language, colours. */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { type Language, language, languageNames, languages, setLanguage, t } from '../i18n/language.ts';
import { place } from '../places/place.ts';
import { PlaceLinks } from '../places/place-view.tsx';
import { complain } from '../state/actions.ts';
import { present } from '../state/classroom.ts';
import { setTheme, type Theme, theme } from '../state/theme.ts';
import { Choice } from './fields.tsx';

/** What was asked for and fetched: nobody waits for it who does not ask. */
const helper: Signal<(() => JSX.Element | null) | null> = signal(null);

async function showGlossary(): Promise<void> {
  const { Glossary, openGlossary } = await import('./glossary.tsx');
  helper.value = Glossary;
  await openGlossary();
}

async function startTour(): Promise<void> {
  const { Tour, beginTour } = await import('./tour.tsx');
  helper.value = Tour;
  beginTour();
}

export function Header(): JSX.Element {
  const isBoard = place.value === 'network';
  const Helper = helper.value;
  return (
    <header class="header">
      <h1>
        <span class="mark" aria-hidden="true" /> {t('title')} <small>{t('tagline')}</small>
      </h1>
      <PlaceLinks />
      <div class="choices">
        {isBoard && (
          <button type="button" class="quiet" data-name="tour" onClick={() => startTour().catch(complain)}>
            {t('tour')}
          </button>
        )}
        <button type="button" class="quiet" data-name="glossary" onClick={() => showGlossary().catch(complain)}>
          {t('glossary')}
        </button>
        {isBoard && (
          <button type="button" class="quiet on-large" data-name="present" onClick={() => present(true)}>
            {t('present')}
          </button>
        )}
        <Choice<Language>
          name="language"
          label={t('language')}
          hidden
          value={language.value}
          options={languageNames}
          text={(name) => languages[name].name}
          onChange={setLanguage}
        />
        <Choice<Theme>
          name="theme"
          label={t('theme')}
          hidden
          value={theme.value}
          options={['auto', 'light', 'dark']}
          text={(name) => t(`theme.${name}`)}
          onChange={setTheme}
        />
      </div>
      {Helper !== null && <Helper />}
    </header>
  );
}
