/** The world that is watched: an episode of the present policy, played at the world's own pace, then the next one. */
import { type Signal, signal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isDark } from '../../state/theme.ts';
import { prepare } from '../../views/canvas.tsx';
import { percent, short } from '../../views/format.ts';
import { say } from '../words.ts';
import { paintCart, paintSnake, paletteOf } from './paint.ts';
import type { Moment, World } from './protocol.ts';
import { stateCount } from './snake-states.ts';
import { agents, episode, settings, watch } from './state.ts';

/** Moments a second: CartPole's step is 0.02 seconds. */
const paces: Readonly<Record<World, number>> = { cartpole: 50, snake: 10 };
const pauseAfter = 700;
/** An episode may be left for one of a policy that has learned much more, but not sooner. */
const shortest = 2500;

const sizes: Readonly<Record<World, readonly [number, number]>> = { cartpole: [600, 270], snake: [400, 400] };
const actions = {
  cartpole: ['agents.left', 'agents.right'],
  snake: ['agents.ahead', 'agents.turnRight', 'agents.turnLeft'],
} as const;

export const moment: Signal<Moment | null> = signal(null);

const isOutgrown = (steps: number): boolean => (agents.frame.peek()?.steps ?? 0) > 2 * steps + 2000;

/** Plays the episode; asks for the next one a moment after its end. */
function usePlayback(): void {
  useEffect(() => {
    let [playing, began, isAsked, handle] = [episode.peek(), performance.now(), false, 0];
    const tick = (now: number): void => {
      handle = requestAnimationFrame(tick);
      if (episode.peek() !== playing) [playing, began, isAsked] = [episode.peek(), now, false];
      if (playing === null) {
        moment.value = null;
        return;
      }
      const { moments } = playing;
      const at = Math.floor(((now - began) / 1000) * paces[settings.peek().world]);
      moment.value = moments[Math.min(at, moments.length - 1)] ?? null;
      const over = began + (1000 * moments.length) / paces[settings.peek().world] + pauseAfter;
      if ((now > over || (now > began + shortest && isOutgrown(playing.steps))) && !isAsked) {
        isAsked = true;
        watch();
      }
    };
    handle = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(handle);
  }, []);
}

export function Stage(): JSX.Element {
  usePlayback();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { world } = settings.value;
  const [width, height] = sizes[world];
  useSignalEffect(() => {
    const now = moment.value;
    const dark = isDark.value;
    const size = sizes[settings.value.world];
    const context = prepare(canvas.current, ...size);
    if (context === null || now === null || canvas.current === null) return;
    const palette = paletteOf(canvas.current);
    const { scene } = now;
    if (scene.kind === 'drawing') paintCart(context, scene, size, palette);
    else {
      const values = agents.frame.value?.values;
      const direction = [0, 1, 2, 3].findIndex((k) => now.observation[3 + k] === 1);
      paintSnake(context, scene, size[0], palette, dark, values?.length === stateCount ? { values, direction } : null);
    }
  });
  const played = episode.value;
  return (
    <section class="panel stage" aria-labelledby="stage-title">
      <div class="panel-head">
        <h2 id="stage-title">{say(`agents.world.${world}`)}</h2>
        {played !== null && (
          <p class="small" data-fact="watched-return" data-value={played.total}>
            {say('agents.watched', { steps: played.steps, total: short(played.total, 0) })}
          </p>
        )}
      </div>
      <canvas
        ref={canvas}
        class={`world ${world}`}
        style={{ aspectRatio: `${width} / ${height}` }}
        role="img"
        aria-label={say(`agents.picture.${world}`)}
      />
      {world === 'snake' && <p class="small">{say('agents.boardMap')}</p>}
      <Thoughts world={world} />
    </section>
  );
}

/** How probable the policy makes each action, and what it expects. */
function Thoughts({ world }: { readonly world: World }): JSX.Element {
  const now = moment.value;
  return (
    <dl class="bars thoughts">
      {actions[world].map((name, k) => {
        const share = now?.probabilities[k] ?? 0;
        return (
          <div key={name} data-name="agents.thoughts">
            <dt>{say(name)}</dt>
            <dd>
              <span class="bar" style={{ width: `${100 * share}%` }} />
              <span>{now === null ? '–' : percent(share)}</span>
            </dd>
          </div>
        );
      })}
      <div data-name="agents.value">
        <dt>{say('agents.value')}</dt>
        <dd data-fact="agent-value">{now === null ? '–' : short(now.value, 2)}</dd>
      </div>
    </dl>
  );
}
