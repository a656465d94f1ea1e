/** What the page and the worker of the generators say to one another. */
export const kinds = ['gan', 'autoencoder'] as const;
export type Kind = (typeof kinds)[number];

export const shapes = ['ring', 'moons', 'islands', 'spiral'] as const;
export type ShapeName = (typeof shapes)[number];

export interface GeneratorSettings {
  readonly kind: Kind;
  readonly shape: ShapeName;
  readonly generatorRate: number;
  readonly discriminatorRate: number;
  /** Weight of the divergence from a normal distribution; 0 for a plain autoencoder. */
  readonly divergenceWeight: number;
  readonly seed: number;
}

/** Points of the plane that the discriminator is asked about, on each side; the plane goes from -1.5 to 1.5. */
export const mapSide = 32;
export const reach = 1.5;
/** Points that are shown. */
export const pointCount = 256;
export const digitSide = 28;
/** Digits of the latent plane that are decoded at once, on each side. */
export const tileSide = 8;
/** Digits that are shown on the latent plane. */
export const codeCount = 250;

export interface GanFrame {
  readonly kind: 'gan';
  readonly run: number;
  readonly step: number;
  readonly generatorLoss: number;
  readonly discriminatorLoss: number;
  /** [pointCount, 2] */
  readonly real: Float32Array;
  readonly made: Float32Array;
  /** Where the generator is told to move its points: the way in which the discriminator believes them more, [pointCount, 2]. */
  readonly pulls: Float32Array;
  /** How real the discriminator thinks a place, 0 to 1: [mapSide, mapSide] from the top left. */
  readonly belief: Float32Array;
  /** The share of real points with a made one near them. */
  readonly coverage: number;
}

export interface AutoencoderFrame {
  readonly kind: 'autoencoder';
  readonly run: number;
  readonly step: number;
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Test digits on the latent plane, [codeCount, 2], and what they are. */
  readonly codes: Float32Array;
  readonly labels: Int32Array;
  /** The part of the latent plane that is shown: [left, right, bottom, top]. */
  readonly bounds: readonly [number, number, number, number];
  /** Decoded places of that part: [tileSide x digitSide, tileSide x digitSide] pixels from the top left. */
  readonly tiles: Float32Array;
}

export type GeneratorFrame = GanFrame | AutoencoderFrame;

export interface GeneratorCalls {
  begin(settings: GeneratorSettings): null;
  /** The digit of a place of the latent plane: [digitSide x digitSide], 0 to 1. */
  decode(x: number, y: number): Promise<Float32Array>;
  /** The place of a test digit, and what becomes of it. */
  pass(index: number): Promise<{ readonly input: Float32Array; readonly output: Float32Array }>;
}
