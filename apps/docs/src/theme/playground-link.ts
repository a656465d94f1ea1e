/** A link to the playground, which lies beside these pages and is not one of them. */

import { withBase } from 'vitepress';
import { type DefineComponent, defineComponent, h } from 'vue';

export const PlaygroundLink: DefineComponent<{ query?: string; text?: string }> = defineComponent({
  name: 'PlaygroundLink',
  props: { query: { type: String, default: '' }, text: { type: String, default: 'Open the playground' } },
  setup: ({ query, text }) => {
    return () =>
      h('a', { class: 'playground-link', href: withBase(`/playground/index.html${query}`), target: '_self' }, text);
  },
});
