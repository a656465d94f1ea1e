/** A panel of settings: what is chosen first is always in sight; on a narrow screen the rest waits behind a button (settings.css). */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { Icon } from './icon.tsx';

interface SettingsPanelProps {
  /** Beside `panel` and `settings`. */
  readonly class?: string;
  readonly id: string;
  readonly title: string;
  /** What all the rest depends on, with a sentence or two about it. */
  readonly first: ComponentChildren;
  /** Whether something is waited for that is in the rest: then it is in sight, too. */
  readonly isNeeded?: boolean;
  /** Whether the rest is unfolded as long as no hand has said otherwise. */
  readonly unfolds?: boolean;
  readonly children?: ComponentChildren;
}

export function SettingsPanel({
  class: more = '',
  id,
  title,
  first,
  isNeeded = false,
  unfolds = false,
  children,
}: SettingsPanelProps): JSX.Element {
  /** What a hand has said against `unfolds`, if it has. */
  const chosen = useSignal<boolean | null>(null);
  const isOpen = (chosen.value ?? unfolds) || isNeeded;
  return (
    <section class={`panel settings ${more}`} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children !== undefined && (
        <button
          type="button"
          class="quiet fold"
          aria-expanded={isOpen}
          disabled={isNeeded}
          onClick={() => {
            chosen.value = isOpen === unfolds ? !isOpen : null;
          }}
        >
          <Icon name={isOpen ? 'minus' : 'plus'} /> {t('moreSettings')}
        </button>
      )}
      <div class="first">{first}</div>
      {children !== undefined && <div class={isOpen ? 'rest open' : 'rest'}>{children}</div>}
    </section>
  );
}
