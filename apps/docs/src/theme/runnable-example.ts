/**
 * An example that can be changed and run in the page. The highlighted code is what the build made of it; from the first change
 * on, an editor of our own takes its place. Each run has a worker of its own, which ends with it.
 */

import { useData, withBase } from 'vitepress';
import { type DefineComponent, defineComponent, h, onBeforeUnmount, ref, type VNode } from 'vue';
import type { Report, Request } from '../run/protocol.ts';
import { CodeEditor } from './code-editor.ts';
import { words } from './words.ts';

type State = 'new' | 'running' | 'done' | 'failed' | 'stopped';
/** More lines than one reads. */
const most = 500;

export const RunnableExample: DefineComponent<{ docstring?: boolean }> = defineComponent({
  name: 'RunnableExample',
  props: { docstring: Boolean },
  setup({ docstring }, { slots }) {
    const { lang } = useData();
    const shown = ref<HTMLElement>();
    const code = ref('');
    const isEdited = ref(false);
    const state = ref<State>('new');
    const lines = ref<readonly { readonly kind: Report['kind']; readonly text: string }[]>([]);
    const seconds = ref(0);
    let worker: Worker | undefined;
    let began = 0;
    /** Tells each second how long it has run: some examples take a minute. */
    let clock: ReturnType<typeof setInterval> | undefined;
    const look = (): void => {
      seconds.value = (performance.now() - began) / 1000;
    };

    const original = (): string => shown.value?.querySelector('pre code')?.textContent?.trimEnd() ?? '';

    function end(how: State): void {
      worker?.terminate();
      worker = undefined;
      clearInterval(clock);
      look();
      state.value = how;
    }

    function hear(report: Report): void {
      if (report.kind === 'done') {
        end('done');
        return;
      }
      const where = report.kind === 'failed' && report.line !== undefined ? words(lang.value).line(report.line) : '';
      if (lines.value.length < most) lines.value = [...lines.value, { kind: report.kind, text: where + report.text }];
      if (report.kind === 'failed') end('failed');
    }

    function run(): void {
      end('stopped');
      lines.value = [];
      began = performance.now();
      state.value = 'running';
      look();
      clock = setInterval(look, 1000);
      worker = new Worker(new URL('../run/worker.ts', import.meta.url), { type: 'module' });
      worker.addEventListener('message', ({ data }: MessageEvent<Report>) => hear(data));
      worker.addEventListener('error', ({ message }) =>
        hear({ kind: 'failed', text: message || 'The worker did not start.' }),
      );
      const packages = new URL(withBase('/packages/'), location.href).href;
      const request: Request = {
        code: isEdited.value ? code.value : original(),
        packages,
        docstring: docstring ?? false,
      };
      worker.postMessage(request);
    }

    function edit(): void {
      code.value = original();
      isEdited.value = true;
    }

    onBeforeUnmount(() => end('stopped'));

    const button = (label: string, action: () => void, kind = ''): VNode =>
      h('button', { type: 'button', class: `runnable-button ${kind}`, onClick: action }, label);

    return () => {
      const say = words(lang.value);
      const outcome = {
        new: '',
        running: say.running(seconds.value),
        done: say.took(seconds.value),
        failed: '',
        stopped: say.stopped,
      }[state.value];
      return h('div', { class: 'runnable' }, [
        h('div', { ref: shown, style: isEdited.value ? { display: 'none' } : {} }, slots.default?.()),
        isEdited.value
          ? h(CodeEditor, {
              code: code.value,
              label: say.code,
              onChange: (text: string) => {
                code.value = text;
              },
              onRun: run,
            })
          : undefined,
        h('div', { class: 'runnable-bar' }, [
          state.value === 'running' ? button(say.stop, () => end('stopped')) : button(say.run, run, 'runnable-run'),
          isEdited.value
            ? button(say.original, () => {
                isEdited.value = false;
              })
            : button(say.edit, edit),
          h('span', { class: 'runnable-state', 'aria-live': state.value === 'running' ? 'off' : 'polite' }, outcome),
        ]),
        lines.value.length > 0 || state.value === 'done'
          ? h(
              'pre',
              { class: 'runnable-output', tabindex: 0, 'aria-label': say.output },
              lines.value.length > 0
                ? lines.value.map(({ kind, text }) => h('span', { class: `runnable-${kind}` }, `${text}\n`))
                : say.nothing,
            )
          : undefined,
      ]);
    };
  },
});
