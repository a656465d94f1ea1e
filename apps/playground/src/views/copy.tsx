/** Copies a text, and says so for a moment; and an address in a field, with such a button. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { complain } from '../state/actions.ts';
import type { BoardControl } from './names.ts';

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

interface AddressProps {
  readonly name: BoardControl;
  readonly label: string;
  readonly address: string;
}

/** An address to read, to select as a whole, and to copy. */
export function Address({ name, label, address }: AddressProps): JSX.Element {
  return (
    <div class="row" data-name={name}>
      <input
        type="text"
        readOnly
        value={address}
        aria-label={label}
        onFocus={(event) => event.currentTarget.select()}
      />
      <Copy text={address} />
    </div>
  );
}
