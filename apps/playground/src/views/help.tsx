/**
 * A sentence for each control and number, beside the one that the pointer rests on or the keyboard has reached; on a
 * touch screen a tap on its name shows it. Escape puts it away, and the pointer may go over it (WCAG 1.4.13).
 */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { place } from '../places/place.ts';
import { placeHelp } from '../places/words.ts';
import { isFixed } from '../state/classroom.ts';
import { isBoardControl } from './names.ts';

interface Shown {
  readonly name: string;
  readonly box: DOMRect;
}

const shown: Signal<Shown | null> = signal(null);
const restMilliseconds = 450;
const id = 'help-text';

let timer = 0;
let described: Element | null = null;
/** What was pressed: whoever uses a control needs no words about it until the pointer comes back. */
let pressed: HTMLElement | null = null;

/** The named control around an element, or none: its picture and its line have tips of their own. */
function controlOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>('[data-name]') : null;
}

function later(act: () => void): void {
  clearTimeout(timer);
  timer = window.setTimeout(act, restMilliseconds);
}

function show(control: HTMLElement): void {
  const { name = '' } = control.dataset;
  if (wordsFor(name) !== '') shown.value = { name, box: control.getBoundingClientRect() };
}

/** A place has words of its own for what means something else there. */
function wordsFor(name: string): string {
  const isBoard = place.value === 'network';
  return (isBoard ? '' : placeHelp(name)) || (isBoardControl(name) ? t(`help.${name}`) : placeHelp(name));
}

function put(): void {
  clearTimeout(timer);
  shown.value = null;
  described?.removeAttribute('aria-describedby');
  described = null;
}

/** Large things show theirs only at their title, so that it does not stand in the way. */
const isLarge = (control: HTMLElement): boolean => control.clientHeight > 140;

function listen(): () => void {
  const over = ({ target, pointerType }: PointerEvent): void => {
    if (pointerType === 'touch' || (target instanceof Element && target.closest(`#${id}`))) return;
    const control = controlOf(target);
    if (control !== null && control === pressed) return;
    pressed = null;
    if (control === null || isLarge(control)) later(put);
    else later(() => show(control));
  };
  const focus = ({ target }: FocusEvent): void => {
    const control = controlOf(target);
    if (control === null || control === pressed) return; // a field that was pressed has the focus, too
    if (!(target instanceof Element) || !target.matches(':focus-visible') || isLarge(control)) return;
    show(control);
    described = target;
    target.setAttribute('aria-describedby', id);
  };
  const tap = ({ target, pointerType }: PointerEvent): void => {
    const control = controlOf(target);
    const isWord = target instanceof Element && target.closest('.field-label, dt, th, h2, legend') !== null;
    if (pointerType === 'touch' && control !== null && isWord) show(control);
    else {
      pressed = control;
      put();
    }
  };
  // whatever the keyboard reaches is scrolled into sight: its words go along
  const scroll = (): void => {
    const control = controlOf(described);
    if (control !== null) show(control);
    else if (shown.value !== null) put();
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && shown.value !== null) put();
  };
  document.addEventListener('pointerover', over);
  document.addEventListener('focusin', focus);
  document.addEventListener('focusout', put);
  document.addEventListener('pointerdown', tap);
  document.addEventListener('input', put); // who writes has read it, and wants what stands below
  document.addEventListener('keydown', key);
  document.addEventListener('scroll', scroll, { passive: true });
  return () => {
    document.removeEventListener('pointerover', over);
    document.removeEventListener('focusin', focus);
    document.removeEventListener('focusout', put);
    document.removeEventListener('pointerdown', tap);
    document.removeEventListener('input', put);
    document.removeEventListener('keydown', key);
    document.removeEventListener('scroll', scroll);
  };
}

export function Help(): JSX.Element {
  useEffect(listen, []);
  const now = shown.value;
  if (now === null) return <div id={id} role="tooltip" class="help" hidden />;
  const { name, box } = now;
  const width = 270;
  const left = Math.max(8, Math.min(box.left, innerWidth - width - 8));
  const isBelow = box.bottom + 110 < innerHeight;
  const place = isBelow ? { top: `${box.bottom + 6}px` } : { bottom: `${innerHeight - box.top + 6}px` };
  return (
    <div id={id} role="tooltip" class="help" style={{ left: `${left}px`, maxWidth: `${width}px`, ...place }}>
      {wordsFor(name)} {isFixed(name) && t('fixedSetting')}
    </div>
  );
}
