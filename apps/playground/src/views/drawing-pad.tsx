/** Points drawn by hand, over the plane: with a pointer, or with the arrow keys and Enter. */
import { useSignal } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { type DrawnPoint, mostPoints } from '../model/spec.ts';
import { roundPoint } from '../model/url.ts';
import { change } from '../state/actions.ts';
import { pen, spec, wish } from '../state/store.ts';
import { classColor } from './colors.ts';

export function DrawingPad(): JSX.Element {
  const cursor = useSignal<readonly [number, number] | null>(null);
  const pad = useRef<HTMLDivElement>(null);
  // on some screens the plane is below the fold, and an empty network tells nobody where to draw
  useEffect(() => {
    if (spec.peek().points.length === 0) pad.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const { points } = spec.value;
  const add = (x: number, y: number, target = pen.value): void => {
    if (points.length >= mostPoints || Math.abs(x) > 1 || Math.abs(y) > 1) return;
    change({ points: [...spec.value.points, roundPoint({ x, y, target })] }, { soon: true });
  };
  const placeOf = (event: TargetedPointerEvent<HTMLDivElement>): [number, number] => {
    const box = event.currentTarget.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2];
  };
  const press = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const [x, y] = cursor.value ?? [0, 0];
    const step = event.shiftKey ? 0.2 : 0.05;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const move = moves[event.key];
    const inside = (value: number): number => Math.min(1, Math.max(-1, value));
    if (move !== undefined) cursor.value = [inside(x + move[0]), inside(y + move[1])];
    else if (event.key === 'Enter' || event.key === ' ') add(x, y);
    else if (event.key === 'Delete' || event.key === 'Backspace') change({ points: withoutNearest(points, x, y) });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const at = cursor.value;
  return (
    <>
      <div
        ref={pad}
        class="pad"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
        tabIndex={0}
        aria-label={`${t('padLabel')}. ${points.length}`}
        onPointerDown={(event) => {
          add(...placeOf(event), event.button === 2 ? ((1 - pen.value) as 0 | 1) : pen.value);
        }}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={press}
        onFocus={() => {
          cursor.value ??= [0, 0];
        }}
      >
        {points.map(({ x, y, target }, i) => (
          <span
            key={i}
            class="drawn"
            style={{ left: `${50 * (x + 1)}%`, top: `${50 * (1 - y)}%`, background: classColor(target) }}
          />
        ))}
        {wish.value === 'fewPoints' && (
          <p class="wish" role="status">
            {t('fewPoints')}
          </p>
        )}
        {at !== null && <span class="cursor" style={{ left: `${50 * (at[0] + 1)}%`, top: `${50 * (1 - at[1])}%` }} />}
      </div>
      {points.length > 0 && (
        <button type="button" class="quiet clear" data-name="clear" onClick={() => change({ points: [] })}>
          {t('clear')}
        </button>
      )}
    </>
  );
}

function withoutNearest(points: readonly DrawnPoint[], x: number, y: number): readonly DrawnPoint[] {
  const distance = (point: DrawnPoint): number => (point.x - x) ** 2 + (point.y - y) ** 2;
  const nearest = points.reduce(
    (best, point) => (distance(point) < distance(best) ? point : best),
    points[0] as DrawnPoint,
  );
  return points.filter((point) => point !== nearest);
}
