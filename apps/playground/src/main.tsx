/** Starts the page. */
import { render } from 'preact';
import './style.css';
import { begin, complain } from './state/actions.ts';
import { App } from './views/app.tsx';

const place = document.querySelector('#page');
if (place !== null) render(<App />, place);
begin().catch(complain);
