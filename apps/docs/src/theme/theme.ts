/** The default theme without its fonts (the page uses those of the system), and what our pages add to it. */
import type { Theme } from 'vitepress';
import base from 'vitepress/theme-without-fonts';
import { h } from 'vue';
import { LessonCard } from './lesson-card.ts';
import { NetworkTrainer } from './network-trainer.ts';
import { keepOffline } from './offline.ts';
import { PlaygroundLink } from './playground-link.ts';
import { RunnableExample } from './runnable-example.ts';
import './style.css';

export const theme: Theme = {
  extends: base,
  Layout: () => h(base.Layout, null, { 'home-hero-image': () => h(NetworkTrainer) }),
  enhanceApp({ app }) {
    app.component('RunnableExample', RunnableExample);
    app.component('PlaygroundLink', PlaygroundLink);
    app.component('LessonCard', LessonCard);
    // the pages are also made where there is no browser
    if (typeof document !== 'undefined') keepOffline();
  },
};
