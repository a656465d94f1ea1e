/** Starts the page. */
import './state/language-tag.ts';
import { effect } from '@preact/signals';
import { render } from 'preact';
import './style.css';
import { place } from './places/place.ts';
import { begin, complain } from './state/actions.ts';
import { isShown } from './state/classroom.ts';
import { beginLessons, fetchCards, open } from './state/lessons.ts';
import { keepOffline } from './state/offline.ts';
import { App } from './views/app.tsx';

const root = document.querySelector('#page');
if (root !== null) render(<App />, root);

const lessonsBegun = beginLessons();

/** The board waits until it is shown. */
async function startBoard(): Promise<void> {
  const refused = await lessonsBegun;
  if (isStarted || place.peek() !== 'network') return;
  isStarted = true;
  const cards = isShown('lessons') ? fetchCards() : null;
  await begin();
  if (refused !== null) complain(refused);
  await cards;
}

/** A lesson in another place needs no board. */
async function startElsewhere(): Promise<void> {
  const refused = await lessonsBegun;
  if (place.peek() === 'network') return;
  if (refused !== null) complain(refused);
  if (open.peek() !== null) await fetchCards();
}

let isStarted = false;

effect(() => {
  if (place.value === 'network' && !isStarted) void startBoard().catch(complain).then(keepOffline);
});
startElsewhere().catch(complain);
if (place.peek() !== 'network') void keepOffline();
