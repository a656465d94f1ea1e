/** A part of the page that is fetched when it is first shown, with the words of the places that it uses. */
import { type Signal, signal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { language, t } from '../i18n/language.ts';
import { fetchWords } from '../places/words.ts';
import { complain } from '../state/actions.ts';

type View = () => JSX.Element | null;

/** The part that `load` brings, and until then that it is on its way. */
export function fetched(load: () => Promise<View>): View {
  const view: Signal<View | null> = signal(null);
  return () => {
    useSignalEffect(() => {
      Promise.all([view.peek() ?? load(), fetchWords(language.value)]).then(([made]) => {
        view.value = made;
      }, complain);
    });
    const Shown = view.value;
    return Shown === null ? <p class="small">{t('loading')}</p> : <Shown />;
  };
}
