/** A pole on a cart: PPO learns to keep it upright, in eight environments at once. `--watch` shows an episode, `--play` lets you try it. */
import { setSeed } from '@nn/core';
import { linearRamp } from '@nn/optim';
import { CartPole, evaluatePolicy, PPO, RandomStream, VectorEnvironment } from '@nn/reinforcement';
import { curve, learnShown, linesOf, record, show } from '../acting.ts';
import type { Context } from '../context.ts';
import { count, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';

const usual = 100_000;

export async function runCartpole(context: Context): Promise<boolean> {
  const { terminal, settings } = context;
  const { seed, steps = usual, learningRate = 1e-3 } = settings;
  setSeed(seed);
  terminal.line(terminal.paint('  A pole on a cart', 'bold'));
  terminal.text(
    '  PPO pushes the cart to the left or to the right; each step that the pole stays up earns 1, 500 at most.',
  );
  terminal.line();
  const started = performance.now();
  const environments = new VectorEnvironment(() => new CartPole(), 8, { seed: 1000 * seed });
  const options = { rolloutSteps: 32, minibatches: 1, epochs: 20, discount: 0.98, lambda: 0.8, seed };
  const updates = Math.ceil(steps / 256) * 20;
  const agent = new PPO(environments, {
    ...options,
    learningRate: linearRamp(learningRate, { steps: updates, from: 1, to: 0 }),
  });
  const title = 'mean return of the last 100 episodes';
  const { isDone, returns } = await learnShown(agent, { steps, title }, context);
  if (!isDone) return tellStopped(context);
  const taken = performance.now() - started;
  for (const line of curve(returns, title, terminal)) terminal.text(line.trimEnd());

  const { mean, returns: all } = await evaluatePolicy(agent, poles(20, seed), 100);
  const random = new RandomStream(seed);
  const draws = { act: (rows: Float32Array) => Array.from({ length: rows.length / 4 }, () => random.integer(2)) };
  const baseline = await evaluatePolicy(draws, poles(20, seed), 100);
  terminal.line();
  terminal.text(
    `  100 episodes that it has not seen: ${terminal.paint(mean.toFixed(1), 'bold', 'green')} steps on average, ${Math.min(...all)} at least.`,
  );
  terminal.text(`  Pushed at random: ${baseline.mean.toFixed(1)}. ${count(steps)} steps in ${seconds(taken)}.`);
  if (context.watches) {
    terminal.line();
    await show((await record(agent, new CartPole(), seed)).scenes, 20, context);
  }
  if (context.plays) await play(seed, context);
  context.tell({
    task: 'cartpole',
    data: 'its equations',
    figures: { 'mean return': mean, 'worst return': Math.min(...all), 'steps a second': steps / (taken / 1000) },
    baselines: { 'random return': baseline.mean },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** Environments with seeds that no training has. */
function poles(number: number, seed: number): VectorEnvironment {
  return new VectorEnvironment(() => new CartPole(), number, { seed: 500_000 + 1000 * seed });
}

/** Yours: a line with some of l and r is as many pushes; an empty one repeats the last. */
async function play(seed: number, context: Context): Promise<void> {
  const { terminal } = context;
  const keyboard = context.openKeyboard();
  const pole = new CartPole();
  pole.reset({ seed });
  terminal.line();
  terminal.text('  Your turn. Write l and r for pushes, as in llr, and press Enter; q ends.');
  let last = 'r';
  for (let isOver = false; !isOver; ) {
    for (const line of linesOf(pole.render(), context)) terminal.line(line.trimEnd());
    const text = await keyboard.ask('  pushes: ');
    if (text === null || text.trim() === 'q') break;
    last = text.trim() || last;
    for (const push of last) {
      if (push !== 'l' && push !== 'r') {
        terminal.text(`  '${push}' is neither l nor r.`);
        break;
      }
      const { terminated, truncated } = pole.step(push === 'r' ? 1 : 0);
      isOver = terminated || truncated;
      if (isOver) break;
    }
  }
  keyboard.close();
  terminal.text(`  You kept it up for ${pole.steps} steps.`);
}
