/** Starts the page. */
import './state/language-tag.ts';
import { effect } from '@preact/signals';
import { render } from 'preact';
import './style.css';
import { place } from './places/place.ts';
import { begin, complain } from './state/actions.ts';
import { App } from './views/app.tsx';

const root = document.querySelector('#page');
if (root !== null) render(<App />, root);
// the board waits until it is shown
const stop = effect(() => {
  if (place.value !== 'network') return;
  begin().catch(complain);
  queueMicrotask(() => stop());
});
