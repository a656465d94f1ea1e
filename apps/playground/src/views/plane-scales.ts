/** Numbers at the edges of the plane, in the units of the data, and the words for what is answered at a place of it. */
import { type Built, grid, type View } from '../worker/protocol.ts';
import { type Answer, inputIn, targetIn } from './answer.ts';
import { percent, short } from './format.ts';
import { roundTicks } from './round-ticks.ts';
import { softmaxOf } from './softmax.ts';

/** The names of the two directions. */
export function axisNames(
  { shownNames }: Pick<Built, 'shownNames'>,
  { axes, components }: View,
): readonly [string, string] {
  return components === null ? [shownNames[axes[0]] ?? '', shownNames[axes[1]] ?? ''] : ['PC 1', 'PC 2'];
}

/** From the numbers of the plane to those of the data: of components there are no others. */
function scalesOf(
  known: Pick<Built, 'inputScale'>,
  { axes, components }: View,
): readonly ((value: number) => number)[] {
  return components === null ? axes.map((axis) => inputIn(known, axis)) : [(u) => u, (v) => v];
}

/** Pixels at an end of an axis in which a number would be cut, or hide another one. */
const margin = 18;

/** Round numbers along an axis, each at its share of the way from one end to the other; but for those near the ends. */
function ticksAlong(from: number, to: number, side: number): readonly (readonly [share: number, text: string])[] {
  return roundTicks(Math.min(from, to), Math.max(from, to), 5)
    .map(({ value, text }) => [(value - from) / (to - from), text] as const)
    .filter(([share]) => share * side >= margin && (1 - share) * side >= margin);
}

export function paintScales(
  context: CanvasRenderingContext2D,
  side: number,
  dark: boolean,
  known: Built,
  view: View,
): void {
  const [left, right, bottom, top] = view.bounds;
  const [realX = Number, realY = Number] = scalesOf(known, view);
  const [nameX, nameY] = axisNames(known, view);
  const write = (text: string, x: number, y: number, align: CanvasTextAlign): void => {
    context.textAlign = align;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  context.font = '10px system-ui';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = 3;
  context.strokeStyle = dark ? 'rgba(20, 22, 26, 0.7)' : 'rgba(255, 255, 255, 0.75)';
  context.fillStyle = dark ? '#d5d7db' : '#3c424a';
  for (const [share, text] of ticksAlong(realX(left), realX(right), side))
    write(text, share * side, side - 8, 'center');
  for (const [share, text] of ticksAlong(realY(bottom), realY(top), side)) write(text, 4, (1 - share) * side, 'left');
  write(`${clipped(nameX)} →`, side - 4, side - 20, 'right');
  write(`↑ ${clipped(nameY)}`, 4, 9, 'left');
}

const clipped = (name: string): string => (name.length > 18 ? `${name.slice(0, 17)}…` : name);

/** `x 0.3, y −0.5: 1 (97.2 %)`, in the units of the data. */
export function placeText(known: Built, view: View, answer: Answer, cell: number): string {
  const [left, right, bottom, top] = view.bounds;
  const u = left + (((cell % grid) + 0.5) / grid) * (right - left);
  const v = top - ((Math.floor(cell / grid) + 0.5) / grid) * (top - bottom);
  const [realX = Number, realY = Number] = scalesOf(known, view);
  const [nameX, nameY] = axisNames(known, view);
  const isCurve = known.shownNames.length === 1;
  const place = `${nameX} ${short(realX(u), 2)}${isCurve ? '' : `, ${nameY} ${short(realY(v), 2)}`}`;
  return `${place}: ${answerAt(known, answer, isCurve ? cell % grid : cell)}`;
}

function answerAt(known: Built, { kind, values }: Answer, cell: number): string {
  const value = values[cell] ?? 0;
  if (kind === 'quantity') return short(targetIn(known)(value));
  if (kind === 'unit') return short(value);
  if (kind === 'binary') {
    const share = 1 / (1 + Math.exp(-value));
    const isOne = share >= 0.5;
    return `${known.classNames[isOne ? 1 : 0] ?? ''} (${percent(isOne ? share : 1 - share)})`;
  }
  const { shares } = softmaxOf(known.classNames.map((_, k) => values[k * grid * grid + cell] ?? 0));
  const best = shares.indexOf(Math.max(...shares));
  return `${known.classNames[best] ?? ''} (${percent(shares[best] ?? 0)})`;
}
