/** The camera of the page, and square pictures of what it, or a file, shows. */
import { type Opened, openDevice, type Trouble } from './device.ts';
import { pictureSide } from './protocol.ts';

export async function watch(onLost: (why: Trouble) => void): Promise<Opened | Trouble> {
  const stream = await openDevice({ video: { width: 320, height: 240, facingMode: 'user' } }, onLost);
  if (typeof stream === 'string') return stream;
  return {
    stream,
    close: () => {
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

const canvas = document.createElement('canvas');
canvas.width = pictureSide;
canvas.height = pictureSide;

export interface Shot {
  readonly pixels: Uint8ClampedArray;
  /** The same as an address for an `<img>`. */
  readonly address: string;
}

/** The largest square in the middle, at the network's size; null before there is a picture. */
export function shotOf(source: HTMLVideoElement | ImageBitmap, isShown: boolean): Shot | null {
  const [width, height] =
    source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight] : [source.width, source.height];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (width === 0 || height === 0 || context === null) return null;
  const side = Math.min(width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, pictureSide, pictureSide);
  const { data } = context.getImageData(0, 0, pictureSide, pictureSide);
  return { pixels: data, address: isShown ? canvas.toDataURL() : '' };
}
