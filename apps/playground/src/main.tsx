/** Starts the page. */
import './state/language-tag.ts';
import { render } from 'preact';
import './style.css';
import { begin, complain } from './state/actions.ts';
import { App } from './views/app.tsx';

const place = document.querySelector('#page');
if (place !== null) render(<App />, place);
begin().catch(complain);
