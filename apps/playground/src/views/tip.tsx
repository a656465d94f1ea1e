/** The number under the cursor, beside it: one tip for all pictures and curves of the page. */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';

interface TipWords {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

const tip: Signal<TipWords | null> = signal(null);

/** Shows words at the place of an event of the pointer; empty ones show nothing. */
export function showTip(
  text: string,
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
): void {
  tip.value = text === '' ? null : { text, x: clientX, y: clientY };
}

export function hideTip(): void {
  tip.value = null;
}

/** Decoration: the same numbers stand in names, legends and formulas. */
export function Tip(): JSX.Element | null {
  const now = tip.value;
  if (now === null) return null;
  const isRight = now.x > innerWidth - 190;
  const style = isRight
    ? { right: `${innerWidth - now.x + 12}px`, top: `${now.y + 14}px` }
    : { left: `${now.x + 14}px`, top: `${now.y + 14}px` };
  return (
    <p class="tip" aria-hidden="true" style={style}>
      {now.text}
    </p>
  );
}

/** The cell of a picture of `width` x `height` numbers that an event of the pointer is over. */
export function cellAt(
  event: { readonly clientX: number; readonly clientY: number; readonly currentTarget: HTMLElement },
  width: number,
  height: number,
): number {
  const box = event.currentTarget.getBoundingClientRect();
  const inside = (share: number, count: number): number => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
  const column = inside((event.clientX - box.left) / box.width, width);
  return inside((event.clientY - box.top) / box.height, height) * width + column;
}
