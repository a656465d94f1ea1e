/** The game that a person plays: its moves, whose turn it is, and what the network thinks of them. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { complain } from '../../state/actions.ts';
import { PlaceWorker } from '../connect.ts';
import { keepSetting, settingOf } from '../place.ts';
import { type GameCalls, type GameFrame, type GameName, games, type Thoughts } from './protocol.ts';

/** Which side the person plays; both, to try out; none, to watch the network against itself. */
export const sides = ['first', 'second', 'both', 'none'] as const;
export type Side = (typeof sides)[number];

/** Simulations of the network before its moves. */
export const depths = ['0', '25', '100', '400'] as const;
export type Depth = (typeof depths)[number];

export const name: Signal<GameName> = signal(settingOf('game', games));
export const side: Signal<Side> = signal('first');
export const depth: Signal<Depth> = signal('100');
export const showsThoughts: Signal<boolean> = signal(true);
export const moves: Signal<readonly number[]> = signal([]);
/** Of the position after `moves`; null until it is known. */
export const thoughts: Signal<Thoughts | null> = signal(null);
/** Wins, draws and losses of the person. */
export const score: Signal<readonly [number, number, number]> = signal([0, 0, 0]);

export const isPersons: ReadonlySignal<boolean> = computed(() => {
  const turn = moves.value.length % 2 === 0 ? 'first' : 'second';
  return side.value === 'both' || side.value === turn;
});

let seed = 1;
let asked = 0;
let timer = 0;
/** Long enough to be followed. */
const answerAfter = 450;

export const learner: PlaceWorker<GameCalls, GameFrame> = new PlaceWorker(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'games' }),
);

/** A new network, which knows the rules and nothing else. */
export function beginLearning(): void {
  learner.ask('leave').catch(complain);
  learner.ask('begin', name.value, seed++).then(newGame, complain);
}

export function chooseGame(next: GameName): void {
  keepSetting('game', next);
  batch(() => {
    name.value = next;
    thoughts.value = null;
    moves.value = [];
    score.value = [0, 0, 0];
  });
  beginLearning();
}

export function newGame(): void {
  moves.value = [];
  think();
}

export function chooseSide(next: Side): void {
  side.value = next;
  newGame();
}

/** What the network thinks of the position; it moves where it is its turn. Asked again as it learns. */
export function think(): void {
  const turn = ++asked;
  clearTimeout(timer);
  const isNetworks = !isPersons.peek();
  // an evaluation that is shown while a person thinks needs no search
  learner.ask('think', moves.peek(), Number(depth.peek())).then((found) => {
    if (turn !== asked) return;
    thoughts.value = found;
    if (found.winner !== null) count(found.winner);
    else if (isNetworks) timer = window.setTimeout(() => play(found.best), answerAfter);
  }, complain);
}

function count(winner: 1 | -1 | 0): void {
  if (side.peek() === 'both' || side.peek() === 'none') return;
  const [wins, draws, losses] = score.peek();
  const isWin = winner === (side.peek() === 'first' ? 1 : -1);
  score.value =
    winner === 0 ? [wins, draws + 1, losses] : isWin ? [wins + 1, draws, losses] : [wins, draws, losses + 1];
}

export function play(move: number): void {
  moves.value = [...moves.peek(), move];
  think();
}

/** A person's move, where it is theirs and allowed. */
export function playPerson(move: number): void {
  const known = thoughts.peek();
  if (!isPersons.peek() || known === null || known.winner !== null) return;
  if (known.moves.some((thought) => thought.move === move)) play(move);
}

/** The person's last move, and the answer to it. */
export function takeBack(): void {
  const back = side.peek() === 'both' ? 1 : isPersons.peek() ? 2 : 1;
  moves.value = moves.peek().slice(0, -back);
  think();
}

/** While it learns, what it thinks of the position that a person looks at changes. */
export function thinkAgain(): void {
  if (isPersons.peek() && thoughts.peek()?.winner === null) think();
}

beginLearning();
