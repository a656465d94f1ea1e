/**
 * Tic-tac-toe and Connect Four: a network learns by playing against itself, with nothing but the rules. Then it is held against an exact
 * player, and you can play against it (`--play`) or watch it play (`--watch`).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setSeed } from '@nn/core';
import {
  AlphaBeta,
  AlphaZero,
  type AlphaZeroOptions,
  ConnectFour,
  type Game,
  GameNetwork,
  type GameNetworkOptions,
  type GamePlayer,
  judgePlayer,
  playMatch,
  RandomStream,
  type RowPosition,
  type Scene,
  SearchTree,
  searchTrees,
  TicTacToe,
} from '@nn/reinforcement';
import { saveModel } from '@nn/serialize';
import { curve, learnShown, linesOf, show } from '../acting.ts';
import { type Context, shownPath } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';

/** A game, and how it is learned. */
export interface BoardTask {
  readonly task: 'tictactoe' | 'connect4';
  readonly title: string;
  readonly game: Game<RowPosition>;
  readonly network: GameNetworkOptions;
  readonly settings: AlphaZeroOptions<RowPosition>;
  /** Positions that are played. */
  readonly steps: number;
  /** Simulations for a move, once it has learned. */
  readonly simulations: number;
}

export const runTictactoe = (context: Context): Promise<boolean> =>
  runBoardGame(
    {
      ...{
        task: 'tictactoe',
        title: 'Tic-tac-toe',
        game: new TicTacToe(),
        network: { channels: 16, blocks: 1, hidden: 64 },
      },
      settings: { simulations: 50, games: 64, openingMoves: 9, noise: 0.5, learningRate: 3e-3, capacity: 60_000 },
      ...{ steps: 15_000, simulations: 400 },
    },
    context,
  );

export const runConnect4 = (context: Context): Promise<boolean> =>
  runBoardGame(
    {
      ...{
        task: 'connect4',
        title: 'Connect Four',
        game: new ConnectFour(),
        network: { channels: 24, blocks: 1, hidden: 64 },
      },
      settings: { simulations: 50, games: 64, openingMoves: 12, learningRate: 3e-3, capacity: 40_000 },
      ...{ steps: 25_000, simulations: 200 },
    },
    context,
  );

/** Learns a game, tells how well, and plays. */
export async function runBoardGame(
  { task, title, game, network, settings, steps: usual, simulations }: BoardTask,
  context: Context,
): Promise<boolean> {
  const { terminal, output } = context;
  const { seed, steps = usual, learningRate = settings.learningRate as number } = context.settings;
  setSeed(seed);
  terminal.line(terminal.paint(`  ${title}`, 'bold'));
  terminal.text(
    `  A network plays against itself, ${settings.games} games side by side, ${settings.simulations} simulations a move, and learns what its search found.`,
  );
  terminal.line();
  const started = performance.now();
  const model = new GameNetwork(game, network);
  const agent = new AlphaZero(game, { ...settings, model, learningRate, seed });
  const curveTitle = 'mean result of who begins, last 100 games';
  const { isDone, returns } = await learnShown(agent, { steps, title: curveTitle }, context);
  if (!isDone) return tellStopped(context);
  const taken = performance.now() - started;
  for (const line of curve(returns, curveTitle, terminal)) terminal.text(line.trimEnd());
  terminal.line();

  const player: GamePlayer<RowPosition> = (positions) => agent.moves(positions, simulations);
  const random = new RandomStream(seed);
  const anything: GamePlayer<RowPosition> = (positions) =>
    positions.map((position) => {
      const legal = game.legalMoves(position);
      return legal[random.integer(legal.length)] ?? 0;
    });
  const figures =
    task === 'tictactoe'
      ? await proven(game, player, anything, context)
      : await matched(game, player, anything, context);
  terminal.text(`  ${count(agent.progress.steps)} positions of its own in ${seconds(taken)}.`);
  await mkdir(output, { recursive: true });
  const path = join(output, `${task}.safetensors`);
  await saveModel(path, model);
  terminal.text(`  Saved ${shownPath(path, context)}.`);
  if (context.watches) {
    terminal.line();
    await show(await ownGame(game, player), 700, context);
  }
  if (context.plays) await play(game, agent, simulations, context);
  context.tell({ task, data: 'the rules', ...figures, seconds: (performance.now() - started) / 1000 });
  return true;
}

type Figures = Pick<Parameters<Context['tell']>[0], 'figures' | 'baselines'>;

/** A small game: every move, in all positions, is held against an exact search. */
async function proven(
  game: Game<RowPosition>,
  player: GamePlayer<RowPosition>,
  anything: GamePlayer<RowPosition>,
  { terminal }: Context,
): Promise<Figures> {
  const [own, chance] = [await judgePlayer(game, player), await judgePlayer(game, anything)];
  const word = own.losing === 0 ? terminal.paint('none', 'bold', 'green') : String(own.losing);
  terminal.text(
    `  Of its moves in all ${count(own.positions)} positions in which there is one, those that lose what was not lost: ${word}; at random ${count(chance.losing)}.`,
  );
  if (own.losing === 0) terminal.text('  So it never loses, whoever plays against it.');
  return {
    figures: { 'losing moves': own.losing, 'wins given away': own.missed },
    baselines: { 'losing moves at random': chance.losing },
  };
}

/** A large one: games against searches of growing depth. */
async function matched(
  game: Game<RowPosition>,
  player: GamePlayer<RowPosition>,
  anything: GamePlayer<RowPosition>,
  { terminal, settings }: Context,
): Promise<Figures> {
  const options = { games: 20, openingMoves: 2, seed: settings.seed };
  const figures: Record<string, number> = {};
  const tell = (name: string, score: number): void => {
    figures[name] = score;
    terminal.text(`  ${name.padEnd(34)} ${percent(score).padStart(8)}`);
  };
  terminal.text('  Games against others: wins, and half of the draws');
  tell('score against random moves', (await playMatch(game, player, anything, options)).score);
  for (const depth of [2, 4]) {
    const search = new AlphaBeta(game, { depth });
    const random = new RandomStream(depth);
    const opponent: GamePlayer<RowPosition> = (positions) => positions.map((position) => search.move(position, random));
    tell(`score against ${depth} moves looked ahead`, (await playMatch(game, player, opponent, options)).score);
  }
  return { figures, baselines: { even: 0.5 } };
}

/** A game against itself, from the beginning. */
async function ownGame(game: Game<RowPosition>, player: GamePlayer<RowPosition>): Promise<Scene[]> {
  let position = game.start();
  const scenes = [game.scene(position)];
  while (game.winner(position) === null) {
    const [move = 0] = await player([position]);
    position = game.play(position, move);
    scenes.push(game.scene(position, move));
  }
  return scenes;
}

/** You begin. It says what it thinks of the position. */
async function play(
  game: Game<RowPosition>,
  agent: AlphaZero<RowPosition>,
  simulations: number,
  context: Context,
): Promise<void> {
  const { terminal } = context;
  const keyboard = context.openKeyboard();
  const names = new Map(Array.from({ length: game.moves }, (_, move) => [game.nameOf(move), move]));
  terminal.line();
  terminal.text(
    `  Your turn: you are X. Moves are the numbers 1 to ${game.moves}${game.rows === 3 ? ', row by row' : ', the columns from the left'}; q ends.`,
  );
  let position = game.start();
  let last: number | undefined;
  while (game.winner(position) === null) {
    for (const line of linesOf(game.scene(position, last), context)) terminal.line(line);
    if (position.player === 1) {
      const text = await keyboard.ask('  your move: ');
      if (text === null || text.trim() === 'q') break;
      const move = names.get(text.trim());
      if (move === undefined || !game.legalMoves(position).includes(move)) {
        terminal.text(
          `  '${text.trim()}' is not possible here. Possible: ${game
            .legalMoves(position)
            .map((each) => game.nameOf(each))
            .join(', ')}.`,
        );
        continue;
      }
      last = move;
    } else {
      const tree = new SearchTree(game, position);
      await searchTrees([tree], agent.guesser, simulations);
      const { visits, value } = tree.result();
      last = visits.indexOf(Math.max(...visits));
      terminal.text(`  It plays ${game.nameOf(last)}, and thinks that it wins with ${percent((value + 1) / 2)}.`);
    }
    position = game.play(position, last);
  }
  keyboard.close();
  const winner = game.winner(position);
  if (winner === null) {
    terminal.text('  You left.');
    return;
  }
  for (const line of linesOf(game.scene(position, last), context)) terminal.line(line);
  terminal.text(
    winner === null
      ? '  You left.'
      : winner === 0
        ? '  A draw.'
        : winner === 1
          ? '  You have won.'
          : '  You have lost.',
  );
}
