/** Snake: PPO learns to find apples by what is ahead and where the apple is, then plays on its own. */
import { setSeed } from '@nn/core';
import { linearRamp } from '@nn/optim';
import { evaluatePolicy, PPO, RandomStream, Snake, VectorEnvironment } from '@nn/reinforcement';
import { curve, type Episode, learnShown, linesOf, record, show } from '../acting.ts';
import type { Context } from '../context.ts';
import { count, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';

const usual = 200_000;
const make = (): Snake => new Snake({ size: 8, observation: 'features' });

export async function runSnake(context: Context): Promise<boolean> {
  const { terminal, settings } = context;
  const { seed, steps = usual, learningRate = 1e-3 } = settings;
  setSeed(seed);
  terminal.line(terminal.paint('  Snake', 'bold'));
  terminal.text(
    '  PPO sees what is next to the head, where it goes and where the apple is: eleven numbers. An apple earns 1, death costs 1.',
  );
  terminal.line();
  const started = performance.now();
  const environments = new VectorEnvironment(make, 16, { seed: 1000 * seed });
  const options = {
    rolloutSteps: 64,
    minibatches: 4,
    epochs: 4,
    discount: 0.97,
    lambda: 0.9,
    entropyWeight: 0.01,
    seed,
  };
  const updates = Math.ceil(steps / 1024) * 16;
  const agent = new PPO(environments, {
    ...options,
    learningRate: linearRamp(learningRate, { steps: updates, from: 1, to: 0.1 }),
  });
  const title = 'mean return of the last 100 episodes';
  const { isDone, returns } = await learnShown(agent, { steps, title }, context);
  if (!isDone) return tellStopped(context);
  const taken = performance.now() - started;
  for (const line of curve(returns, title, terminal)) terminal.text(line.trimEnd());

  const games: Episode[] = [];
  for (let i = 0; i < 10; i++) games.push(await record(agent, make(), 500_000 + 1000 * seed + i));
  const { mean } = await evaluatePolicy(agent, new VectorEnvironment(make, 20, { seed: 700_000 + seed }), 100);
  const random = new RandomStream(seed);
  const draws = { act: (rows: Float32Array) => Array.from({ length: rows.length / 11 }, () => random.integer(3)) };
  const baseline = await evaluatePolicy(draws, new VectorEnvironment(make, 20, { seed: 700_000 + seed }), 100);
  const best = games.reduce((one, other) => (other.total > one.total ? other : one));
  terminal.line();
  terminal.text(
    `  A mean return of ${terminal.paint(mean.toFixed(1), 'bold', 'green')} in 100 games that it has not seen; turned at random ${baseline.mean.toFixed(1)}.`,
  );
  terminal.text(`  ${count(steps)} steps in ${seconds(taken)}. The best of 10 games:`);
  terminal.line();
  await show(
    context.watches || !terminal.isInteractive ? best.scenes : best.scenes.slice(-120),
    context.watches ? 60 : 25,
    context,
  );
  if (context.plays) await play(seed, context);
  context.tell({
    task: 'snake',
    data: 'a board of 8 x 8',
    figures: { 'mean return': mean, 'best return': best.total, 'steps a second': steps / (taken / 1000) },
    baselines: { 'random return': baseline.mean },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** Yours: an empty line goes straight on, r turns to the right, l to the left. */
async function play(seed: number, context: Context): Promise<void> {
  const { terminal } = context;
  const keyboard = context.openKeyboard();
  const snake = make();
  snake.reset({ seed });
  terminal.line();
  terminal.text(
    '  Your turn. Enter goes straight on, r turns to the right, l to the left, as seen from the snake; lrr is three moves; q ends.',
  );
  for (let isOver = false; !isOver; ) {
    for (const line of linesOf(snake.render(), context)) terminal.line(line.trimEnd());
    const text = await keyboard.ask('  move: ');
    if (text === null || text.trim() === 'q') break;
    for (const turn of text.trim() || ' ') {
      const { terminated, truncated } = snake.step(turn === 'r' ? 1 : turn === 'l' ? 2 : 0);
      isOver = terminated || truncated;
      if (isOver) break;
    }
  }
  keyboard.close();
  terminal.text(`  You ate ${snake.score} ${snake.score === 1 ? 'apple' : 'apples'}.`);
}
