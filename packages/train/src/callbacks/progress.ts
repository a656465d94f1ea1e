/**
 * How far the training is, for people: a bar in a terminal, a line for each tenth elsewhere, and a line for each epoch.
 * Owns what is said; how it is drawn is `../progress.ts` and `../terminal.ts`.
 */
import { checkOptions } from '@nn/core';
import type { Callback, TrainingEvent } from '../events.ts';
import { figure } from '../format.ts';
import { Progress } from '../progress.ts';
import { type Output, Terminal } from '../terminal.ts';

export interface ProgressOptions {
  /** Where to draw; the process's standard output, or the console of a page. Given, it is used in CI, too. */
  readonly terminal?: Terminal;
  /** Lines over the bar; asked for only when a frame is due. */
  readonly above?: () => Promise<readonly string[]>;
  /** A line for each epoch that stays. Default true. */
  readonly epochs?: boolean;
}

/**
 * Shows the progress of a training. Says nothing where the variable CI is set, unless a terminal is given.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { progress, Terminal, Training } from '@nn/train';
 * import { tensor } from '@nn/core';
 * const model = new Linear(1, 1);
 * const lines: string[] = [];
 * const terminal = new Terminal({ write: (text) => lines.push(text) }, {});
 * const training = new Training({
 *   model,
 *   optimizer: new SGD(model, { learningRate: 0.1 }),
 *   data: [tensor([[1]])],
 *   step: (x) => model.forward(x).square().mean(),
 *   epochs: 2,
 *   callbacks: [progress({ terminal })],
 * });
 * await training.run();
 * console.log(lines.join('').includes('epoch 2/2')); // => true
 */
export function progress(options: ProgressOptions = {}): Callback {
  checkOptions('progress', options, ['terminal', 'above', 'epochs']);
  const terminal = options.terminal ?? ownTerminal();
  if (terminal === null) return { hears: [], handle: () => undefined };
  let bar: Progress | null = null;
  let read: object = {};
  let [epoch, epochAt] = [1, 0];
  let line: string | null = null;
  let all = '';
  const facts = (): string =>
    `epoch ${epoch}${all}${textOf(Object.entries(read).map(([name, { epoch: value }]) => [name, value]))}`;
  const handle = (event: TrainingEvent<object>): Promise<void> | undefined => {
    switch (event.type) {
      case 'start':
        all = event.epochs === null ? '' : `/${event.epochs}`;
        epochAt = performance.now();
        bar = new Progress(terminal, event.steps ?? Number.POSITIVE_INFINITY, event.step);
        read = {};
        break;
      case 'step':
        epoch = event.epoch;
        return bar?.update(event.step, facts, options.above);
      case 'read':
        read = event.values;
        break;
      case 'epoch':
        line = `  epoch ${event.epoch}${all}${textOf(Object.entries(event.values))}`;
        break;
      case 'validated':
        if (line !== null) line += textOf(Object.entries(event.values));
        break;
      case 'rest':
        if (line !== null && options.epochs !== false) {
          const seconds = (performance.now() - epochAt) / 1000;
          terminal.text(`${line}  ${terminal.paint(`${seconds.toFixed(1)} s`, 'dim')}`);
        }
        if (line !== null) epochAt = performance.now();
        line = null;
        break;
      case 'warning':
        terminal.text(`  ${terminal.paint(event.message, 'yellow')}`);
        break;
      case 'stopped':
        terminal.clear();
    }
    return undefined;
  };
  const hears = ['start', 'some steps', 'read', 'epoch', 'validated', 'rest', 'warning', 'stopped'] as const;
  return { isOutput: true, hears, handle };
}

/** `  loss 0.25  accuracy 0.9`: the loss first, and nothing that is no number: NaN is a metric that counted nothing. */
function textOf(values: readonly (readonly [string, unknown])[]): string {
  return values
    .filter((entry): entry is readonly [string, number] => typeof entry[1] === 'number' && !Number.isNaN(entry[1]))
    .sort(([a], [b]) => Number(b.endsWith('loss')) - Number(a.endsWith('loss')))
    .map(([name, value]) => `  ${name} ${figure(value)}`)
    .join('');
}

/** Standard output, or the console where there is none; null in CI. */
export function ownTerminal(): Terminal | null {
  if (typeof process === 'undefined' || process.stdout === undefined) {
    // biome-ignore lint/suspicious/noConsole: the console is where a page without a terminal shows progress
    const output: Output = { write: (text) => console.log(text.replace(/\n$/, '')) };
    return new Terminal(output, {});
  }
  return (process.env.CI ?? '') === '' ? new Terminal(process.stdout, process.env) : null;
}
