/** Starts the page. */
import './state/language-tag.ts';
import { effect } from '@preact/signals';
import { render } from 'preact';
import './style.css';
import { place } from './places/place.ts';
import { begin, complain } from './state/actions.ts';
import { isShown } from './state/classroom.ts';
import { beginLessons, fetchCards } from './state/lessons.ts';
import { keepOffline } from './state/offline.ts';
import { App } from './views/app.tsx';

const root = document.querySelector('#page');
if (root !== null) render(<App />, root);

async function start(): Promise<void> {
  const refused = await beginLessons();
  const cards = isShown('lessons') ? fetchCards() : null;
  await begin();
  if (refused !== null) complain(refused);
  await cards;
}

// the board waits until it is shown; what is not seen waits for what is
const stop = effect(() => {
  if (place.value !== 'network') return;
  void start().catch(complain).then(keepOffline);
  queueMicrotask(() => stop());
});
if (place.peek() !== 'network') void keepOffline();
