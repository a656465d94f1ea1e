/** Canvases that follow signals: drawn at the device's resolution whenever what they read changes. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isDark } from '../state/theme.ts';
import { mapImage } from './colors.ts';
import { short } from './format.ts';
import { cellAt, hideTip, showTip } from './tip.tsx';

/** A context whose units are the page's pixels, cleared; null before the canvas is on the page. */
export function prepare(
  canvas: HTMLCanvasElement | null,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const context = canvas?.getContext('2d') ?? null;
  if (canvas === null || context === null) return null;
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const [pixelsWide, pixelsHigh] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixelsWide || canvas.height !== pixelsHigh) {
    canvas.width = pixelsWide;
    canvas.height = pixelsHigh;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** A place for images on their way, which is read as often as it is written: it stays in memory, not on a GPU. */
const scratch = document.createElement('canvas');
const scratchContext = scratch.getContext('2d', { willReadFrequently: true });

/** An image stretched over a rectangle, smooth or in squares. */
export function stretch(
  context: CanvasRenderingContext2D,
  image: ImageData,
  [x, y, width, height]: readonly [number, number, number, number],
  smooth = true,
): void {
  putImage(scratch, scratchContext, image);
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = 'high';
  context.drawImage(scratch, x, y, width, height);
}

/** An image as the whole of a canvas. A canvas that is given its size anew is made anew, so it is given only another one. */
function putImage(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D | null, image: ImageData): void {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  context?.putImageData(image, 0, 0);
}

interface MapProps {
  /** Read inside an effect: signals that it reads redraw the map. */
  readonly read: () => { values: Float32Array; width: number; height: number; scale: number } | null;
  readonly size: number;
  readonly label?: string;
  readonly smooth?: boolean;
  /** The words for a number under the pointer. */
  readonly tell?: (value: number) => string;
}

/**
 * A small picture of numbers, a pixel for each; the browser stretches it. With a label it is an image for screen readers,
 * otherwise decoration. There may be dozens, drawn at every frame.
 */
export function MapCanvas({ read, size, label, smooth = true, tell = short }: MapProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(read);
  latest.current = read;
  const draw = (): void => {
    const map = latest.current();
    const dark = isDark.value;
    const element = canvas.current;
    const context = element?.getContext('2d', { willReadFrequently: true }) ?? null;
    if (element === null || context === null) return;
    if (map === null) context.clearRect(0, 0, element.width, element.height);
    else putImage(element, context, mapImage(map.values, map.width, map.height, map.scale, dark));
  };
  useSignalEffect(draw);
  useEffect(draw);
  const names = label === undefined ? {} : { role: 'img' as const, 'aria-label': label };
  return (
    <canvas
      ref={canvas}
      class={smooth ? 'map' : 'map squares-of-pixels'}
      style={{ width: `${size}px`, height: `${size}px` }}
      onPointerMove={(event) => {
        const map = latest.current();
        if (map !== null) showTip(tell(map.values[cellAt(event, map.width, map.height)] ?? 0), event);
      }}
      onPointerLeave={hideTip}
      {...names}
    />
  );
}
