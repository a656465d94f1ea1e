/**
 * A small editor: a text field whose letters are clear, above the same text in colours. It keeps what a text field is good at
 * (keyboards, screen readers, undo) and adds indentation with Tab and running with Ctrl+Enter. Escape leaves Tab to the page.
 */
import { type DefineComponent, defineComponent, h, ref } from 'vue';
import { tokens } from './tokens.ts';

export const CodeEditor: DefineComponent<{
  code: string;
  label: string;
  onChange: (text: string) => void;
  onRun: () => void;
}> = defineComponent({
  name: 'CodeEditor',
  props: { code: { type: String, required: true }, label: { type: String, required: true } },
  emits: ['change', 'run'],
  setup(props, { emit }) {
    const takesTab = ref(true);

    function key(event: KeyboardEvent): void {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        emit('run');
      } else if (event.key === 'Escape') {
        takesTab.value = false;
      } else if (event.key === 'Tab' && !event.shiftKey && takesTab.value) {
        event.preventDefault();
        const field = event.currentTarget;
        if (field instanceof HTMLTextAreaElement) {
          field.setRangeText('  ', field.selectionStart, field.selectionEnd, 'end');
          emit('change', field.value);
        }
      }
    }

    return () =>
      h(
        'div',
        { class: 'code-editor' },
        h('div', { class: 'code-editor-page' }, [
          h('pre', { 'aria-hidden': 'true' }, [
            ...tokens(props.code).map(({ kind, text }) =>
              kind === 'text' ? text : h('span', { class: `code-${kind}` }, text),
            ),
            // A last empty line has height only with something on it.
            ' ',
          ]),
          h('textarea', {
            value: props.code,
            'aria-label': props.label,
            spellcheck: false,
            autocapitalize: 'off',
            autocomplete: 'off',
            wrap: 'off',
            onInput: ({ currentTarget }: Event) => {
              if (currentTarget instanceof HTMLTextAreaElement) emit('change', currentTarget.value);
            },
            onKeydown: key,
            onFocus: () => {
              takesTab.value = true;
            },
          }),
        ]),
      );
  },
});
