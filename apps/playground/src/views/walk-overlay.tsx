/**
 * The walk inside the diagram: numbers travel along the lines of the chosen unit, from left to right on the way forward and
 * from right to left on the way back; what a unit has come to stands below it. The words for it are walk-tab.tsx.
 */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isDark } from '../state/theme.ts';
import {
  current,
  isPlaying,
  isWalking,
  motion,
  move,
  position,
  type Stage,
  speed,
  speeds,
  stage,
  stages,
  unit,
  unitIn,
  update,
} from '../state/walk.ts';
import type { Update, Walk, WalkLayer } from '../worker/protocol.ts';
import { prepare } from './canvas.tsx';
import { divergingColor } from './colors.ts';
import { short } from './format.ts';
import { type Column, type Curve, curveBetween, type Layout, nodeSize, pointOn } from './geometry.ts';

/** How long a stage stands still before the next one, as a share of its motion. */
const rest = 0.7;

const isStill = matchMedia('(prefers-reduced-motion: reduce)');

export function strokeCurve(context: CanvasRenderingContext2D, { left, right, from, to }: Curve): void {
  const middle = (left + right) / 2;
  context.beginPath();
  context.moveTo(left, from);
  context.bezierCurveTo(middle, from, middle, to, right, to);
  context.stroke();
}

export function WalkOverlay({ layout }: { readonly layout: Layout }): JSX.Element | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(runStage);
  const draw = (): void => {
    const walk = isWalking.value ? current.value : null;
    const dark = isDark.value;
    const paints = [stage.value, motion.value, unit.value, update.value] as const;
    const context = prepare(canvas.current, layout.width, layout.height);
    if (context === null || walk === null || walk.layers.length !== layout.columns.length - 1) return;
    paint({ context, layout, walk, dark, stage: paints[0], motion: paints[1], update: paints[3] });
  };
  useSignalEffect(draw);
  useEffect(draw);
  if (!isWalking.value) return null;
  return (
    <canvas
      ref={canvas}
      class="lines walked"
      data-stage={stage.value.kind}
      style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
    />
  );
}

/** In an effect: the motion of a stage from 0 to 1, and where the walk plays by itself, the next one after it. */
function runStage(): (() => void) | undefined {
  void position.value;
  void current.value;
  if (!isWalking.value) return undefined;
  const plays = isPlaying.value;
  const length = speeds[speed.value];
  const began = performance.now();
  const jumps = isStill.matches;
  let request = 0;
  const tick = (): void => {
    const share = (performance.now() - began) / length;
    motion.value = jumps ? 1 : Math.min(1, share);
    if (share < 1 + (plays ? rest : 0)) {
      request = requestAnimationFrame(tick);
      return;
    }
    if (!plays) return;
    if (position.peek() >= stages.peek().length - 1) isPlaying.value = false;
    else move(1);
  };
  motion.value = jumps ? 1 : 0;
  request = requestAnimationFrame(tick);
  return () => cancelAnimationFrame(request);
}

interface Scene {
  readonly context: CanvasRenderingContext2D;
  readonly layout: Layout;
  readonly walk: Walk;
  readonly stage: Stage;
  readonly motion: number;
  readonly update: Update | null;
  readonly dark: boolean;
}

function paint(scene: Scene): void {
  const { stage: at, walk } = scene;
  scene.context.font = '600 10px system-ui';
  scene.context.textAlign = 'center';
  scene.context.textBaseline = 'middle';
  if (at.kind !== 'input' && at.kind !== 'loss') paintLines(scene, at.block, at.kind);
  paintValues(scene);
  if (at.kind === 'loss') {
    const column = scene.layout.columns.at(-1) as Column;
    const y = column.ys[0] ?? 0;
    pill(scene, `L = ${short(walk.loss, 3)}`, column.x, y - nodeSize / 2 - 2, 0, true);
  }
}

/** The numbers on their way along the lines of the chosen unit. */
function paintLines(scene: Scene, block: number, kind: Exclude<Stage['kind'], 'input' | 'loss'>): void {
  const { context, layout, walk, motion: t, dark } = scene;
  const layer = walk.layers[block] as WalkLayer;
  const [before, here, after] = [block, block + 1, block + 2].map((k) => layout.columns[k]);
  if (before === undefined || here === undefined || kind === 'activation' || kind === 'backSum') return;
  const chosen = Math.min(unitIn(layer), here.shown - 1);
  const row = layer.weights.length / layer.biases.length;
  const isImage = layer.inputShape.length > 1 || row !== before.units;
  const draw = (curve: Curve, value: number, place: number, most: number): void => {
    const share = most === 0 ? 0 : value / most;
    context.strokeStyle = divergingColor(Math.sign(share) * (0.4 + 0.6 * Math.abs(share)), dark);
    context.lineWidth = 1 + 2.5 * Math.abs(share);
    strokeCurve(context, curve);
    const [x, y] = pointOn(curve, place);
    if (isImage) dot(scene, x, y, share);
    else pill(scene, short(value, 2), x, y, share);
  };
  if (kind === 'backOutput') {
    const next = walk.layers[block + 1];
    if (next === undefined || after === undefined) return;
    const width = next.weights.length / next.biases.length;
    const values = after.ys.map((_, k) => (next.sumGradients[k] ?? 0) * (next.weights[k * width + chosen] ?? 0));
    const most = largest(values);
    for (const [k, value] of values.entries()) draw(curveBetween(here, after, chosen, k), value, 1 - t, most);
    return;
  }
  const at = (i: number): number => chosen * row + i;
  const values = before.ys.map((_, i) => {
    if (isImage) return 1;
    if (kind === 'sum') return (layer.weights[at(i)] ?? 0) * (layer.inputs[i] ?? 0);
    if (kind === 'backWeight') return layer.weightGradients[at(i)] ?? 0;
    const moved = scene.update?.layers[block]?.weights[at(i)];
    return moved === undefined ? 0 : moved - (layer.weights[at(i)] ?? 0);
  });
  const most = largest(values);
  // products travel to the unit, gradients back from it, and what the optimizer changes stays where it is changed
  const place = kind === 'sum' ? t : kind === 'backWeight' ? 1 - t / 2 : 0.5;
  for (const [i, value] of values.entries()) draw(curveBetween(before, here, i, chosen), value, place, most);
}

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs), 1e-12);

/** What each unit has come to: its output on the way forward, on the way back its gradient. */
function paintValues(scene: Scene): void {
  const { layout, walk, stage: at, motion: t } = scene;
  const block = at.kind === 'input' ? -1 : at.kind === 'loss' ? walk.layers.length : at.block;
  const isBack = at.kind.startsWith('back');
  for (const column of layout.columns) {
    const layer = walk.layers[column.block];
    const values = isBack && layer !== undefined ? backValues(layer, column.block, at, block) : null;
    const ahead = layer === undefined ? walk.inputs : forwardValues(layer, column.block, at, block);
    const shown = values ?? (isBack || at.kind === 'update' ? null : ahead);
    if (shown === null || shown.length !== column.units) continue;
    const isHere = column.block === block;
    const most = Math.max(...Array.from(shown, Math.abs), 1e-12);
    column.ys.forEach((y, k) => {
      const isLate = isHere && at.kind === 'sum' && t < 0.85 && (layer === undefined ? false : k === unitIn(layer));
      if (isLate) return; // its terms are still on their way
      const value = shown[k] ?? 0;
      const from = isHere && at.kind === 'activation' ? (layer?.sums[k] ?? value) : value;
      pill(scene, short(from + (value - from) * t, 2), column.x, y + nodeSize / 2 + 1, value / most, isHere);
    });
  }
}

function forwardValues(layer: WalkLayer, column: number, at: Stage, block: number): Float32Array | null {
  if (column > block) return null;
  return column === block && at.kind === 'sum' ? layer.sums : layer.outputs;
}

/** The gradients that have arrived: at the layer of the stage the one it is about, and those of all layers behind. */
function backValues(layer: WalkLayer, column: number, at: Stage, block: number): Float32Array | null {
  if (column < block) return null;
  return column === block && at.kind === 'backOutput' ? layer.outputGradients : layer.sumGradients;
}

/** A number on paper of its own, so that it can be read over lines; its edge is blue or orange. */
function pill({ context, dark }: Scene, text: string, x: number, y: number, share: number, isStrong = false): void {
  const width = context.measureText(text).width + 8;
  context.fillStyle = dark ? '#1c1f25' : '#ffffff';
  context.strokeStyle = share === 0 ? (dark ? '#9aa0aa' : '#686e77') : divergingColor(Math.sign(share), dark);
  context.lineWidth = isStrong ? 1.6 : 1;
  context.beginPath();
  context.roundRect(x - width / 2, y - 7, width, 14, 5);
  context.fill();
  context.stroke();
  context.fillStyle = dark ? '#e8e8e5' : '#22262c';
  context.fillText(text, x, y + 0.5);
}

/** A map on its way, which is no single number. */
function dot({ context, dark }: Scene, x: number, y: number, share: number): void {
  context.fillStyle = divergingColor(share < 0 ? -1 : 1, dark);
  context.beginPath();
  context.arc(x, y, 4, 0, 2 * Math.PI);
  context.fill();
}
