/** What the page knows of its agents, and what a person can do with them. */
import { batch, type Signal, signal } from '@preact/signals';
import { complain } from '../../state/actions.ts';
import { PlaceWorker } from '../connect.ts';
import { keepSetting, settingOf } from '../place.ts';
import type { AgentCalls, AgentFrame, AgentSettings, Axes, Episode, World } from './protocol.ts';
import { worlds } from './protocol.ts';

const starts: Readonly<Record<World, Omit<AgentSettings, 'seed' | 'axes'>>> = {
  cartpole: { world: 'cartpole', learningRate: 1e-3, discount: 0.98, entropyWeight: 0, hidden: 64 },
  snake: { world: 'snake', learningRate: 2e-3, discount: 0.95, entropyWeight: 0.01, hidden: 32 },
};

export interface Returns {
  readonly steps: readonly number[];
  readonly totals: readonly number[];
  readonly means: readonly number[];
}

const none: Returns = { steps: [], totals: [], means: [] };

export const settings: Signal<AgentSettings> = signal({ ...starts[settingOf('world', worlds)], seed: 1, axes: [2, 3] });
export const returns: Signal<Returns> = signal(none);
export const episode: Signal<Episode | null> = signal(null);

let run = 0;

export const agents: PlaceWorker<AgentCalls, AgentFrame> = new PlaceWorker(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'agents' }),
  (frame) => {
    if (frame.run !== run) {
      run = frame.run;
      returns.value = none;
    }
    if (frame.ended.length > 0) returns.value = thin(returns.value, frame.ended);
  },
);

/** Keeps at most 600 episodes: every second of the older ones goes. */
function thin({ steps, totals, means }: Returns, ended: AgentFrame['ended']): Returns {
  const all: Returns = {
    steps: [...steps, ...ended.map(([step]) => step)],
    totals: [...totals, ...ended.map(([, total]) => total)],
    means: [...means, ...ended.map(([, , mean]) => mean)],
  };
  const isKept = (_: unknown, i: number): boolean => i % 2 === 0 || i > 500;
  return all.steps.length <= 600
    ? all
    : { steps: all.steps.filter(isKept), totals: all.totals.filter(isKept), means: all.means.filter(isKept) };
}

/** Begins anew, with other settings if they are given. Whether it trains stays as it is. */
export function begin(changes: Partial<AgentSettings> = {}): void {
  batch(() => {
    settings.value = { ...settings.value, ...changes };
    episode.value = null;
  });
  agents.ask('begin', settings.value).then(watch, complain);
}

export function chooseWorld(world: World): void {
  keepSetting('world', world);
  begin(starts[world]);
}

export function chooseAxes(axes: Axes): void {
  settings.value = { ...settings.value, axes };
  agents.ask('axes', axes).catch(complain);
}

/** Asks for an episode to watch, by the policy as it is now. */
export function watch(): void {
  const { world, seed } = settings.peek();
  agents.ask('watch').then((played) => {
    const now = settings.peek();
    if (now.world === world && now.seed === seed) episode.value = played;
  }, complain);
}

begin();
