/** Light or dark: the system's choice, or the person's. Canvases ask here, the style sheet follows `data-theme`. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const key = 'nn.playground.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(system.matches);
system.addEventListener('change', ({ matches }) => {
  systemDark.value = matches;
});

/** Paper is white, whatever the screen is. */
const paper = matchMedia('print');
const isPrinted = signal(paper.matches);
paper.addEventListener('change', ({ matches }) => {
  isPrinted.value = matches;
});

export const theme: Signal<Theme> = signal(kept());
export const isDark: ReadonlySignal<boolean> = computed(
  () => !isPrinted.value && (theme.value === 'auto' ? systemDark.value : theme.value === 'dark'),
);

function kept(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto';
  }
}

effect(() => {
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
});

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // the choice then lasts as long as the page
  }
}
