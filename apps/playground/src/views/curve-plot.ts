/**
 * A network with one input as a chart: the input from left to right, the answer from bottom to top, both in the units of
 * the data. The numbers of its axes have margins of their own, where no sample comes.
 */
import { type Built, grid, type View } from '../worker/protocol.ts';
import { type Answer, type Curves, curvesOf, inputIn, targetIn } from './answer.ts';
import { classColor, divergingColor } from './colors.ts';
import { paintMark } from './mark.ts';
import { roundTicks } from './round-ticks.ts';

const mostMarks = 800;
const markRadius = 3;

/** The chart inside its margins, and what its two axes show. */
interface Chart {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Places and texts of the numbers at the axes. */
  readonly across: readonly (readonly [place: number, text: string])[];
  readonly up: readonly (readonly [place: number, text: string])[];
  xOf(input: number): number;
  yOf(answer: number): number;
}

function chartOf(
  context: CanvasRenderingContext2D,
  side: number,
  known: Built,
  { kind }: Answer,
  { range: [low, high] }: Curves,
  { bounds: [first, last] }: View,
): Chart {
  const x = inputIn(known, 0);
  const y = kind === 'quantity' ? targetIn(known) : (value: number): number => value;
  const isShare = kind === 'binary' || kind === 'classes';
  const ups = isShare ? [0, 0.5, 1].map((value) => ({ value, text: String(value) })) : roundTicks(y(low), y(high), 5);
  const [left, right] = [Math.max(0, ...ups.map(({ text }) => context.measureText(text).width)) + 14, side - 6];
  const [top, bottom] = [6, side - 24];
  const xOf = (input: number): number => left + ((input - first) / (last - first)) * (right - left);
  const yOf = (answer: number): number => bottom - ((answer - low) / (high - low)) * (bottom - top);
  return {
    ...{ left, right, top, bottom, xOf, yOf },
    across: roundTicks(x(first), x(last), 5)
      .map(({ value, text }) => {
        const share = (value - x(first)) / (x(last) - x(first));
        return [xOf(first + share * (last - first)), text] as const;
      })
      // whole on the canvas
      .filter(([place, text]) => place + context.measureText(text).width / 2 <= side),
    up: ups.map(({ value, text }) => {
      const answer = isShare ? value : low + ((value - y(low)) / (y(high) - y(low))) * (high - low);
      return [yOf(answer), text] as const;
    }),
  };
}

export function paintCurves(
  context: CanvasRenderingContext2D,
  side: number,
  dark: boolean,
  known: Built,
  answer: Answer,
  view: View,
  showsTest: boolean,
): void {
  const curves = curvesOf(known, answer);
  context.font = '11px system-ui';
  const chart = chartOf(context, side, known, answer, curves, view);
  paintAxes(context, dark, chart);
  if (answer.kind !== 'unit') paintSamples(context, dark, known, answer, chart, showsTest);
  const { left, right, yOf } = chart;
  curves.lines.forEach((values, k) => {
    context.beginPath();
    values.forEach((value, i) => {
      context.lineTo(left + ((i + 0.5) / grid) * (right - left), yOf(value));
    });
    context.lineWidth = 2.2;
    context.strokeStyle = answer.kind === 'classes' ? classColor(k) : divergingColor(1, dark);
    context.stroke();
  });
}

function paintAxes(context: CanvasRenderingContext2D, dark: boolean, chart: Chart): void {
  const { left, right, bottom, across, up } = chart;
  context.fillStyle = dark ? '#9aa0aa' : '#686e77';
  context.strokeStyle = dark ? '#3a3f49' : '#dcd7ce';
  context.lineWidth = 1;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const [place, text] of up) {
    context.beginPath();
    context.moveTo(left, place);
    context.lineTo(right, place);
    context.stroke();
    context.fillText(text, left - 7, place);
  }
  context.textAlign = 'center';
  for (const [place, text] of across) context.fillText(text, place, bottom + 13);
}

function paintSamples(
  context: CanvasRenderingContext2D,
  dark: boolean,
  known: Built,
  { kind }: Answer,
  { xOf, yOf }: Chart,
  showsTest: boolean,
): void {
  for (const [points, isRing] of [[known.test, true] as const, [known.train, false] as const]) {
    if (isRing && !showsTest) continue;
    points.targets.subarray(0, mostMarks).forEach((target, i) => {
      // of two classes at 0 and 1; of more, each at the top of its own share
      const y = kind === 'classes' ? 1 : target;
      const color = known.goal === 'quantity' ? divergingColor(-0.9, dark) : classColor(target);
      paintMark(context, xOf(points.inputs[i] as number), yOf(y), markRadius, color, dark, isRing);
    });
  }
}
