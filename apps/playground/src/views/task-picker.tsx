/** What to learn, as pictures: a group of radio buttons, so that arrow keys walk through it. */

import { blobs, circles, moons, spirals, xor } from '@nn/data';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { surfaces } from '../model/regression.ts';
import type { Task } from '../model/spec.ts';
import { chooseTask } from '../state/actions.ts';
import { isFixed } from '../state/classroom.ts';
import { spec } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { prepare } from './canvas.tsx';
import { classColor, divergingColor } from './colors.ts';
import { Icon } from './icon.tsx';
import { reveal } from './reveal.ts';

const side = 44;

const groups: readonly { readonly name: 'classes' | 'quantity' | 'images' | 'own'; readonly tasks: readonly Task[] }[] =
  [
    { name: 'classes', tasks: ['moons', 'circles', 'xor', 'spirals', 'blobs'] },
    { name: 'quantity', tasks: ['plane', 'hills', 'ripple'] },
    { name: 'images', tasks: ['digits', 'idx'] },
    { name: 'own', tasks: ['drawn', 'table'] },
  ];

export function TaskPicker(): JSX.Element {
  const row = useRef<HTMLFieldSetElement>(null);
  useEffect(() => reveal(row.current, row.current?.querySelector(':checked')?.parentElement), [spec.value.task]);
  return (
    <fieldset ref={row} class="tasks" data-name="task" disabled={isFixed('task')}>
      <legend class="for-readers">{t('task')}</legend>
      {groups.map(({ name, tasks }) => (
        <div key={name} class="task-group">
          <p class="field-label">{t(`task.group.${name}`)}</p>
          <div class="task-row">
            {tasks.map((task) => (
              <label key={task} class="task" title={t(`task.${task}`)}>
                <input
                  type="radio"
                  name="task"
                  class="for-readers"
                  value={task}
                  checked={spec.value.task === task}
                  onChange={() => chooseTask(task)}
                  aria-label={t(`task.${task}`)}
                />
                <Picture task={task} />
              </label>
            ))}
          </div>
        </div>
      ))}
    </fieldset>
  );
}

function Picture({ task }: { readonly task: Task }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const context = prepare(canvas.current, side, side);
    if (context !== null) sketch(context, task, dark);
  }, [task, dark]);
  if (task === 'digits') return <span class="picture glyph">3</span>;
  if (task === 'idx' || task === 'drawn' || task === 'table') {
    return (
      <span class="picture">
        <Icon name={task === 'idx' ? 'file' : task === 'drawn' ? 'pencil' : 'table'} />
      </span>
    );
  }
  return <canvas ref={canvas} class="picture" />;
}

function sketch(context: CanvasRenderingContext2D, task: Task, dark: boolean): void {
  if (task === 'plane' || task === 'hills' || task === 'ripple') {
    const cells = 11;
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        const height = surfaces[task]((column / (cells - 1)) * 2 - 1, 1 - (row / (cells - 1)) * 2);
        context.fillStyle = divergingColor(height, dark);
        context.fillRect((column * side) / cells, (row * side) / cells, side / cells + 0.5, side / cells + 0.5);
      }
    }
    return;
  }
  const make = { moons, circles, xor, spirals, blobs }[task as 'moons'];
  const quiet = { moons: 0.05, circles: 0.03, xor: 0, spirals: 0.01, blobs: 0.2 }[task as 'moons'];
  const { inputs, targets } = (
    task === 'blobs' ? blobs(60, { classes: 2, noise: quiet }) : make(task === 'spirals' ? 90 : 60, { noise: quiet })
  ).fields;
  const [x0, y0, half] = task === 'moons' ? [0.5, 0.25, 1.75] : [0, 0, task === 'blobs' ? 1.8 : 1.25];
  targets.data.forEach((target, i) => {
    const x = (((inputs.data[2 * i] as number) - x0) / half + 1) / 2;
    const y = (1 - ((inputs.data[2 * i + 1] as number) - y0) / half) / 2;
    context.fillStyle = classColor(target);
    context.beginPath();
    context.arc(x * side, y * side, 1.6, 0, 2 * Math.PI);
    context.fill();
  });
}
