/**
 * All that Snake sees by its eleven numbers: danger ahead, to the right and to the left; where it is heading; where the apple is.
 * So few states that their values are one table, and a map of the board is read from it.
 */
import type { BoardScene } from '@nn/reinforcement';

/** Up, right, down, left, as the environment counts them. */
const directions = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const;
const turns = [0, 1, 3] as const;

/** 8 * 4 * 9: 8 dangers, 4 directions, 3 x 3 places of the apple: above, below or level; right, left or level. */
export const stateCount = 288;

/** Observations of all states, [stateCount, 11]. */
export function allStates(): Float32Array {
  const all = new Float32Array(stateCount * 11);
  for (let state = 0; state < stateCount; state++) {
    const row = all.subarray(state * 11, (state + 1) * 11);
    const [danger, direction, down, right] = [
      state & 7,
      (state >> 3) & 3,
      (state >> 5) % 3,
      Math.floor((state >> 5) / 3),
    ];
    for (let k = 0; k < 3; k++) row[k] = (danger >> k) & 1;
    row[3 + direction] = 1;
    if (down > 0) row[down === 1 ? 7 : 9] = 1;
    if (right > 0) row[right === 1 ? 8 : 10] = 1;
  }
  return all;
}

/** The state that an observation is. */
export function stateOf(observation: ArrayLike<number>): number {
  const danger = [0, 1, 2].reduce((sum, k) => sum + ((observation[k] as number) << k), 0);
  const direction = [0, 1, 2, 3].findIndex((k) => observation[3 + k] === 1);
  const down = observation[7] === 1 ? 1 : observation[9] === 1 ? 2 : 0;
  const right = observation[8] === 1 ? 1 : observation[10] === 1 ? 2 : 0;
  return danger + (direction << 3) + ((down + 3 * right) << 5);
}

/** What is seen with the head on another square of a board, heading as it does now; null where head or apple are not on it. */
export function seenFrom({ cells }: BoardScene, square: number, direction: number): Float32Array | null {
  const size = cells.length;
  const textAt = (place: number): string => cells[Math.floor(place / size)]?.[place % size]?.text ?? '';
  const apple = cells.flat().findIndex(({ text }) => text === '*');
  if (apple < 0 || textAt(square) === 'o') return null;
  const [row, column] = [Math.floor(square / size), square % size];
  const seen = new Float32Array(11);
  turns.forEach((turn, k) => {
    const [down, right] = directions[(direction + turn) & 3] as (typeof directions)[number];
    const [y, x] = [row + down, column + right];
    const isOut = y < 0 || x < 0 || y >= size || x >= size;
    seen[k] = isOut || cells[y]?.[x]?.text === 'o' ? 1 : 0;
  });
  seen[3 + direction] = 1;
  const [appleRow, appleColumn] = [Math.floor(apple / size), apple % size];
  [appleRow < row, appleColumn > column, appleRow > row, appleColumn < column].forEach((is, k) => {
    seen[7 + k] = is ? 1 : 0;
  });
  return seen;
}
