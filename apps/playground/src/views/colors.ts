/**
 * The colours of numbers: orange for negative, blue for positive, the paper's own colour for 0, in light and in dark; and
 * a palette for more than two classes.
 */
type Rgb = readonly [number, number, number];

interface Scale {
  readonly negative: Rgb;
  readonly zero: Rgb;
  readonly positive: Rgb;
}

const light: Scale = { negative: [222, 112, 28], zero: [246, 244, 240], positive: [44, 108, 180] };
const dark: Scale = { negative: [236, 140, 62], zero: [36, 39, 46], positive: [92, 158, 232] };

const tables = new Map<boolean, Uint8ClampedArray>();

/** 256 colours from -1 to 1, four bytes each, as an image has them. */
function table(isDark: boolean): Uint8ClampedArray {
  const known = tables.get(isDark);
  if (known) return known;
  const made = new Uint8ClampedArray(256 * 4).fill(255);
  const { negative, zero, positive } = isDark ? dark : light;
  for (let i = 0; i < 256; i++) {
    const value = (i / 255) * 2 - 1;
    const end = value < 0 ? negative : positive;
    // a root lifts small values from the paper
    const share = Math.abs(value) ** 0.85;
    for (let k = 0; k < 3; k++) {
      made[4 * i + k] = (zero[k] as number) + ((end[k] as number) - (zero[k] as number)) * share;
    }
  }
  tables.set(isDark, made);
  return made;
}

export function divergingColor(value: number, isDark: boolean): string {
  const colors = table(isDark);
  const at = 4 * index(value);
  return `rgb(${colors[at]}, ${colors[at + 1]}, ${colors[at + 2]})`;
}

const index = (value: number): number => Math.max(0, Math.min(255, Math.round((value + 1) * 127.5))) || 0;

/** Each stands out from the paper, light and dark, at least 3 to 1 (WCAG 1.4.11). */
const palette: readonly Rgb[] = [
  [208, 100, 20],
  [54, 116, 190],
  [58, 150, 104],
  [180, 78, 140],
  [132, 106, 192],
  [150, 124, 28],
  [48, 134, 154],
  [190, 78, 74],
  [122, 138, 58],
  [138, 108, 90],
];

export function classColor(index: number): string {
  const [r, g, b] = palette[index % palette.length] as Rgb;
  return `rgb(${r}, ${g}, ${b})`;
}

const images = new Map<string, ImageData>();

/** One image for each size, for whoever puts it somewhere at once: dozens are made at every frame. */
function imageOf(width: number, height: number): ImageData {
  const known = images.get(`${width} ${height}`);
  if (known !== undefined) return known;
  const made = new ImageData(width, height);
  images.set(`${width} ${height}`, made);
  return made;
}

/** Values of a map as an image, divided by `scale`; it is another one when the next is made. */
export function mapImage(
  values: Float32Array,
  width: number,
  height: number,
  scale: number,
  isDark: boolean,
): ImageData {
  const image = imageOf(width, height);
  // a colour at a time, not a byte
  const colors = new Uint32Array(table(isDark).buffer);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colors[index((values[i] ?? 0) / scale)] as number;
  return image;
}

/** Logits [classes, places] as an image (another one when the next is made): the likeliest class, paler where the network is unsure unless they are to be flat. */
export function classImage(
  maps: Float32Array,
  classes: number,
  width: number,
  height: number,
  isDark: boolean,
  isFlat = false,
): ImageData {
  const image = imageOf(width, height);
  const places = width * height;
  const { zero } = isDark ? dark : light;
  for (let i = 0; i < places; i++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if ((maps[k * places + i] as number) > (maps[best * places + i] as number)) best = k;
    }
    let sum = 0;
    for (let k = 0; k < classes; k++)
      sum += Math.exp((maps[k * places + i] as number) - (maps[best * places + i] as number));
    const share = isFlat ? 0.65 : 0.1 + 0.55 * ((1 / sum - 1 / classes) / (1 - 1 / classes));
    const color = palette[best % palette.length] as Rgb;
    for (let k = 0; k < 3; k++) {
      image.data[4 * i + k] = (zero[k] as number) + ((color[k] as number) - (zero[k] as number)) * share;
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** The largest magnitude, at least `least`: what a map is divided by. */
export function magnitude(values: Float32Array, least = 1e-6): number {
  let most = least;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}
