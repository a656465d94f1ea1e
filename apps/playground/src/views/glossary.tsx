/** The terms of the field with their meanings, in a dialog, with a search. */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { GlossaryWords } from '../i18n/english-glossary.ts';
import { language, languages, t } from '../i18n/language.ts';
import { Icon } from './icon.tsx';

const words: Signal<GlossaryWords | null> = signal(null);
const wanted: Signal<string> = signal('');

export async function openGlossary(): Promise<void> {
  wanted.value = '';
  words.value = await languages[language.value].glossary();
}

const close = (): void => {
  words.value = null;
};

export function Glossary(): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const known = words.value;
  useEffect(() => {
    if (known !== null && dialog.current?.open === false) dialog.current.showModal();
  }, [known]);
  if (known === null) return null;
  const sought = wanted.value.trim().toLowerCase();
  const found = Object.values(known)
    .filter((entry) => entry.some((text) => text.toLowerCase().includes(sought)))
    .sort(([a], [b]) => a.localeCompare(b, languages[language.value].tag));
  return (
    <dialog ref={dialog} class="glossary" aria-label={t('glossary')} onClose={close}>
      <div class="panel-head">
        <h2>{t('glossary')}</h2>
        <button type="button" class="icon" aria-label={t('close')} onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <input
        type="text"
        value={wanted.value}
        placeholder={t('glossarySearch')}
        aria-label={t('glossarySearch')}
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
        }}
      />
      <dl tabIndex={0} aria-label={t('glossary')}>
        {found.map(([term, meaning]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="small" role="status">
        {found.length === 0 ? t('glossaryNone') : ''}
      </p>
    </dialog>
  );
}
