/** Copies a text, and says so for a moment. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { complain } from '../state/actions.ts';

export function Copy({ text }: { readonly text: string }): JSX.Element {
  const done = useSignal(false);
  return (
    <button
      type="button"
      aria-live="polite"
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          done.value = true;
          setTimeout(() => {
            done.value = false;
          }, 2000);
        }, complain);
      }}
    >
      {done.value ? t('copied') : t('copy')}
    </button>
  );
}
