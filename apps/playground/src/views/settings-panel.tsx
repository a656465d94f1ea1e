/** A panel of settings: what is chosen first is always in sight; on a narrow screen the rest waits behind a button (settings.css). */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
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
  /** Unfolds the rest when it becomes true; it can be folded again. */
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
  const isUnfolded = useSignal(false);
  useEffect(() => {
    if (unfolds) isUnfolded.value = true;
  }, [unfolds, isUnfolded]);
  const isOpen = isUnfolded.value || isNeeded;
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
            isUnfolded.value = !isUnfolded.value;
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
