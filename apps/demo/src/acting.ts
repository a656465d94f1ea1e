/**
 * What the tasks of agents and games share: learning with a curve of returns, scenes on the screen, a line from the keyboard. What is
 * learned, and of what, is up to the tasks.
 */

import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import {
  type Actor,
  type Environment,
  type Learner,
  type LearnOptions,
  learn,
  type Scene,
  sceneText,
} from '@nn/reinforcement';
import { Progress, type Style } from '@nn/train';
import type { Context } from './context.ts';
import { drawSeries } from './pictures/series.ts';

/** How a learning went: the mean returns of the last hundred episodes after each iteration. */
export interface Learned {
  readonly isDone: boolean;
  readonly returns: readonly number[];
}

/** Learns with the curve of returns over a bar, until so many steps are made, or Ctrl-C. `facts` says what stands beside the bar. */
export async function learnShown(
  agent: Learner,
  { steps, title }: Pick<LearnOptions, 'steps'> & { readonly title: string },
  { terminal, interrupt }: Context,
): Promise<Learned> {
  const returns: number[] = [];
  const progress = new Progress(terminal, steps);
  const picture = async (): Promise<readonly string[]> => [...curve(returns, title, terminal), ''];
  for await (const report of learn(agent, { steps, signal: interrupt.signal })) {
    if (!Number.isNaN(report.meanReturn)) returns.push(report.meanReturn);
    const facts = `return ${Number.isNaN(report.meanReturn) ? '-' : report.meanReturn.toFixed(2)}`;
    await progress.update(Math.min(steps, report.steps), facts, picture);
  }
  terminal.clear();
  return { isDone: !interrupt.signal.aborted, returns };
}

/** The curve of returns with its range. */
export function curve(returns: readonly number[], title: string, terminal: Context['terminal']): string[] {
  if (returns.length < 2) return [];
  const [low, high] = [Math.min(...returns), Math.max(...returns)];
  const lines = drawSeries(
    [{ values: returns, sign: '*', style: 'cyan' }],
    Math.min(60, terminal.columns - 6),
    6,
    terminal,
  );
  return [
    `  ${terminal.paint(title, 'bold')}`,
    ...lines.map((line) => `  ${line}`),
    `  ${terminal.paint(`${low.toFixed(1)} to ${high.toFixed(1)}`, 'dim')}`,
  ];
}

/** Colours of scenes that a terminal has. */
const styles: Readonly<Record<string, Style>> = { blue: 'cyan', magenta: 'red' };

/** A scene as lines of text. */
export function linesOf(scene: Scene, { terminal }: Pick<Context, 'terminal'>): string[] {
  const paint = (text: string, ink: string): string => terminal.paint(text, styles[ink] ?? (ink as Style));
  return sceneText(scene, { columns: Math.min(56, terminal.columns - 4), rows: 12, paint }).map((line) => `  ${line}`);
}

/** An episode that was played with the best actions. */
export interface Episode {
  readonly scenes: readonly Scene[];
  readonly total: number;
}

/** Plays an episode and keeps what is to be seen of it. */
export async function record(
  actor: Actor,
  environment: Environment & { render(): Scene },
  seed: number,
): Promise<Episode> {
  let { observation } = environment.reset({ seed });
  const scenes = [environment.render()];
  let total = 0;
  for (let isOver = false; !isOver; ) {
    const actions = await actor.act(observation as Float32Array);
    const isOne = environment.actionSpace.kind === 'discrete';
    const step = environment.step(isOne ? actions[0]! : Float32Array.from(actions));
    observation = step.observation;
    scenes.push(environment.render());
    total += step.reward;
    isOver = step.terminated || step.truncated;
  }
  return { scenes, total };
}

/** Shows scenes one after the other in a terminal; without one the first, the middle and the last. Stops with Ctrl-C. */
export async function show(scenes: readonly Scene[], milliseconds: number, context: Context): Promise<void> {
  const { terminal, interrupt } = context;
  if (!terminal.isInteractive) {
    for (const at of new Set([0, Math.floor((scenes.length - 1) / 2), scenes.length - 1])) {
      for (const line of linesOf(scenes[at]!, context)) terminal.line(line.trimEnd());
      terminal.line();
    }
    return;
  }
  for (const scene of scenes) {
    if (interrupt.signal.aborted) break;
    terminal.live(linesOf(scene, context));
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
  terminal.clear();
  for (const line of linesOf(scenes.at(-1)!, context)) terminal.line(line.trimEnd());
}

/** Asks for lines: each is null at the end of the input, or after Ctrl-C. */
export interface Keyboard {
  ask(question: string): Promise<string | null>;
  close(): void;
}

/** The keyboard of the process. Questions are written to its output, and answers stand beside them. */
export function openKeyboard({ signal }: Pick<Context['interrupt'], 'signal'>): Keyboard {
  const { stdin, stdout } = process;
  const reader = createInterface({ input: stdin, output: stdout, terminal: stdin.isTTY === true });
  // readline takes Ctrl-C for itself; the process should still hear of it
  reader.on('SIGINT', () => {
    process.kill(process.pid, 'SIGINT');
    reader.close();
  });
  const lines = reader[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      if (signal.aborted) return null;
      stdout.write(question);
      const { value, done } = await lines.next();
      return done === true || signal.aborted ? null : String(value);
    },
    close: () => reader.close(),
  };
}
