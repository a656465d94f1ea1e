/** The board: squares or columns as buttons, with what the network thinks of each move. */
import type { JSX } from 'preact';
import { isDark } from '../../state/theme.ts';
import { divergingColor } from '../../views/colors.ts';
import { say } from '../words.ts';
import { boards, type MoveThought, type Thoughts } from './protocol.ts';
import { isPersons, name, playPerson, showsThoughts, thoughts } from './state.ts';

/** A value as it is written: -1 lost, +1 won, for who is to move. */
export const signed = (value: number): string =>
  `${value < -0.005 ? '−' : value > 0.005 ? '+' : ''}${Math.abs(value).toFixed(2)}`;

/** The search's value where there was one, else the network's. */
export const worthOf = ({ found, value }: MoveThought): number => found ?? value;

export function Board(): JSX.Element {
  const known = thoughts.value;
  const [rows, columns] = boards[name.value];
  const squares = Array.from({ length: rows * columns }, (_, square) => square);
  const isOpen = isPersons.value && known?.winner === null;
  const falls = name.value === 'connect4';
  return (
    <div class={`game-board ${name.value}`} style={{ '--columns': columns }}>
      {falls && (
        <div class="columns-row">
          {Array.from({ length: columns }, (_, column) => (
            <Column key={column} column={column} known={known} isOpen={isOpen} />
          ))}
        </div>
      )}
      <div class="squares">
        {squares.map((square) => {
          const thought = known?.moves.find((one) => one.square === square);
          const stone = known?.board[square] ?? 0;
          const move = falls ? square % columns : square;
          return (
            <button
              key={square}
              type="button"
              class={classOf(square, stone, known)}
              data-name="games.board"
              // of Connect Four a column is one button for the keyboard, the one above it
              tabIndex={falls ? -1 : 0}
              aria-hidden={falls}
              disabled={!isOpen || !known?.moves.some((one) => one.move === move)}
              aria-label={labelOf(square, stone, thought)}
              onClick={() => playPerson(move)}
            >
              {stone === 0 && thought !== undefined && showsThoughts.value && !falls && <Worth thought={thought} />}
            </button>
          );
        })}
      </div>
    </div>
  );
}

function classOf(square: number, stone: number, known: Thoughts | null): string {
  const kind = stone === 1 ? ' first' : stone === -1 ? ' second' : '';
  const isLast = known?.last === square ? ' last' : '';
  return `square${kind}${isLast}${known?.line.includes(square) ? ' won' : ''}`;
}

function labelOf(square: number, stone: number, thought: MoveThought | undefined): string {
  const what = stone === 1 ? say('games.stone.first') : stone === -1 ? say('games.stone.second') : say('games.free');
  const worth =
    thought === undefined || !showsThoughts.value ? '' : `, ${say('games.value')} ${signed(worthOf(thought))}`;
  return `${say('games.square', { square: square + 1 })}: ${what}${worth}`;
}

interface ColumnProps {
  readonly column: number;
  readonly known: Thoughts | null;
  readonly isOpen: boolean;
}

function Column({ column, known, isOpen }: ColumnProps): JSX.Element {
  const thought = known?.moves.find(({ move }) => move === column);
  const worth = thought === undefined ? '' : `, ${say('games.value')} ${signed(worthOf(thought))}`;
  return (
    <button
      type="button"
      class="column"
      data-name="games.board"
      disabled={!isOpen || thought === undefined}
      aria-label={`${say('games.column', { column: column + 1 })}${showsThoughts.value ? worth : ''}`}
      onClick={() => playPerson(column)}
    >
      {thought !== undefined && showsThoughts.value ? <Worth thought={thought} /> : <span class="worth">↓</span>}
    </button>
  );
}

function Worth({ thought }: { readonly thought: MoveThought }): JSX.Element {
  const worth = worthOf(thought);
  return (
    <span class="worth" style={{ background: divergingColor(0.8 * worth, isDark.value) }}>
      {signed(worth)}
    </span>
  );
}
