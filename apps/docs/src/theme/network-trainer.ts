/** The picture of the landing page: a network that learns, in a worker, with our packages. It starts when it is seen. */

import { useData } from 'vitepress';
import { type DefineComponent, defineComponent, h, onBeforeUnmount, onMounted, ref, watch } from 'vue';
import type { Command, Frame, Message } from '../trainer/protocol.ts';
import { draw, type Points } from './plane.ts';
import { type Problem, words } from './words.ts';

const problems: readonly Problem[] = ['spirals', 'moons', 'circles', 'xor'];

export const NetworkTrainer: DefineComponent = defineComponent({
  name: 'NetworkTrainer',
  setup() {
    const { lang, isDark } = useData();
    const canvas = ref<HTMLCanvasElement>();
    const problem = ref<Problem>('spirals');
    const runs = ref(false);
    const complaint = ref('');
    const numbers = ref<Pick<Frame, 'step' | 'loss' | 'correct' | 'isOver'>>();
    let worker: Worker | undefined;
    let frame: Frame | undefined;
    let points: Points | undefined;
    let watcher: IntersectionObserver | undefined;

    const send = (command: Command): void => worker?.postMessage(command);
    const paint = (): void => {
      if (canvas.value !== undefined && points !== undefined) draw(canvas.value, points, frame?.answers);
    };

    function hear(message: Message): void {
      if (message.kind === 'failed') {
        complaint.value = message.text;
        runs.value = false;
      } else if (message.kind === 'points') {
        points = message;
        paint(); // before the first step is computed
      } else {
        frame = message;
        const { step, loss, correct, isOver } = message;
        numbers.value = { step, loss, correct, isOver };
        if (isOver) runs.value = false;
        requestAnimationFrame(() => {
          paint();
          send({ kind: 'drawn' });
        });
      }
    }

    function choose(name: Problem): void {
      problem.value = name;
      frame = undefined;
      send({ kind: 'begin', problem: name });
      toggle(true);
    }

    function toggle(on: boolean): void {
      runs.value = on;
      send({ kind: on ? 'run' : 'pause' });
    }

    onMounted(() => {
      worker = new Worker(new URL('../trainer/worker.ts', import.meta.url), { type: 'module' });
      worker.addEventListener('message', ({ data }: MessageEvent<Message>) => hear(data));
      worker.addEventListener('error', ({ message }) => hear({ kind: 'failed', text: message }));
      send({ kind: 'begin', problem: problem.value });
      const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      watcher = new IntersectionObserver(([entry]) => {
        if (!entry?.isIntersecting || isCalm) return;
        watcher?.disconnect();
        toggle(true);
      });
      if (canvas.value !== undefined) watcher.observe(canvas.value);
      addEventListener('resize', paint);
    });
    // The colours are those of the page, once it has them.
    watch(isDark, () => requestAnimationFrame(paint));
    onBeforeUnmount(() => {
      worker?.terminate();
      watcher?.disconnect();
      removeEventListener('resize', paint);
    });

    return () => {
      const say = words(lang.value).trainer;
      const { step, loss, correct, isOver } = numbers.value ?? {
        step: 0,
        loss: Number.NaN,
        correct: Number.NaN,
        isOver: false,
      };
      const number = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));
      const fact = (name: string, value: string): ReturnType<typeof h> =>
        h('span', { class: 'trainer-fact' }, [h('span', name), h('b', { 'data-fact': name }, value)]);
      return h('section', { class: 'trainer', 'aria-label': say.label }, [
        h('canvas', { ref: canvas, role: 'img', 'aria-label': say.picture }),
        h('div', { class: 'trainer-facts' }, [
          fact(say.step, String(step)),
          fact(say.loss, number(loss, 3)),
          fact(say.correct, Number.isNaN(correct) ? '–' : `${(100 * correct).toFixed(0)} %`),
        ]),
        h('div', { class: 'trainer-bar' }, [
          isOver
            ? h('button', { type: 'button', class: 'trainer-main', onClick: () => choose(problem.value) }, say.again)
            : h(
                'button',
                { type: 'button', class: 'trainer-main', onClick: () => toggle(!runs.value) },
                runs.value ? say.pause : say.start,
              ),
          ...problems.map((name) =>
            h(
              'button',
              { type: 'button', 'aria-pressed': problem.value === name, onClick: () => choose(name) },
              say.problems[name],
            ),
          ),
        ]),
        h('p', { class: 'trainer-note' }, complaint.value === '' ? say.note : say.failed + complaint.value),
      ]);
    };
  },
});
