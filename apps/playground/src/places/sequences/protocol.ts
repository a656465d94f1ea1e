/** What the page and the worker of the sequences say to one another. */
export interface SequenceSettings {
  readonly text: string;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly learningRate: number;
  readonly seed: number;
}

/** Characters that the network sees at once. */
export const contextLength = 48;

export interface SequenceFacts {
  /** The characters that it knows, by how often they come. */
  readonly vocabulary: readonly string[];
  readonly parameterCount: number;
  readonly characters: number;
}

/** What goes on after a text: from its last `contextLength` characters. */
export interface Inspection {
  readonly characters: readonly string[];
  /** Of each character of the vocabulary to come next. */
  readonly logits: Float32Array;
  /** How much each character looks at each before it: [layers, heads, length, length]. */
  readonly attention: Float32Array;
  readonly layers: number;
  readonly heads: number;
}

export interface Steering {
  readonly temperature: number;
  /** Only so many of the most probable; 0 for all. */
  readonly topK: number;
}

export interface SequenceFrame {
  readonly step: number;
  /** Cross entropy in nats a character: of the last batches, and of the tenth of the text that is kept apart. */
  readonly trainLoss: number;
  readonly testLoss: number;
  readonly run: number;
}

export interface SequenceCalls {
  begin(settings: SequenceSettings): SequenceFacts;
  inspect(text: string): Promise<Inspection>;
  /** Goes on with a text by so many characters. */
  write(text: string, length: number, steering: Steering, seed: number): Promise<string>;
}
