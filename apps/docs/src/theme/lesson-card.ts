/** A lesson of the playground, as a link to it. */
import { withBase } from 'vitepress';
import { type DefineComponent, defineComponent, h } from 'vue';

export const LessonCard: DefineComponent<{ name: string; title: string; about: string }> = defineComponent({
  name: 'LessonCard',
  props: {
    name: { type: String, required: true },
    title: { type: String, required: true },
    about: { type: String, required: true },
  },
  setup: ({ name, title, about }) => {
    const href = withBase(`/playground/index.html?lesson=${encodeURIComponent(name)}`);
    return () => h('a', { class: 'lesson-card', href, target: '_self' }, [h('strong', title), h('span', about)]);
  },
});
