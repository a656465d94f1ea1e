/**
 * The tasks, in one place: what each shows, what it learns from, and the file that does it. The command line, the list that
 * `--list` prints and the program read this; the tests hold the README to it.
 */
import type { Context } from './context.ts';

/** True when it is done, false where it was stopped. */
type Run = (context: Context) => Promise<boolean>;

export interface Task {
  /** A line of `--list`. */
  readonly shows: string;
  /** Files of `--data`, or generated ones; what it always draws itself; or what it does, as agents do. */
  readonly learnsFrom: 'files' | 'drawings' | 'acting';
}

const all = {
  moons: {
    shows: 'the classic first network tells two moons apart',
    learnsFrom: 'drawings',
    load: (): Promise<Run> => import('./tasks/moons.ts').then(({ runMoons }) => runMoons),
  },
  digits: {
    shows: 'a convolutional network reads digits',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/digits.ts').then(({ runDigits }) => runDigits),
  },
  titanic: {
    shows: 'a table with missing values: who survived, and a saved pipeline that takes a raw row',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/titanic.ts').then(({ runTitanic }) => runTitanic),
  },
  forecast: {
    shows: 'an LSTM and a linear model let two series go on',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/forecast.ts').then(({ runForecast }) => runForecast),
  },
  rare: {
    shows: 'one case in 43: fourteen ways to train on unequal classes, side by side',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/rare.ts').then(({ runRare }) => runRare),
  },
  fair: {
    shows: 'who earns more: gaps by sex and race before and after eight remedies, and what they cost',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/fair.ts').then(({ runFair }) => runFair),
  },
  private: {
    shows: 'what a network keeps of single samples: accuracy against epsilon, and two attacks',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/private.ts').then(({ runPrivate }) => runPrivate),
  },
  federated: {
    shows: 'ten clients with unequal digits learn together, some of them liars, and tell sums only',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/federated.ts').then(({ runFederated }) => runFederated),
  },
  speech: {
    shows: 'networks hear digits: of known and unknown speakers, and strings of them',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/speech.ts').then(({ runSpeech }) => runSpeech),
  },
  sentiment: {
    shows: 'attention and an LSTM tell who liked a film, each word with its share',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/sentiment.ts').then(({ runSentiment }) => runSentiment),
  },
  translate: {
    shows: 'an LSTM with attention reads days in forty languages; a Transformer, with --data, English to German',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/translate.ts').then(({ runTranslate }) => runTranslate),
  },
  summarize: {
    shows: 'a pointer-generator gives headlines to documentation',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/summarize.ts').then(({ runSummarize }) => runSummarize),
  },
  'language-model': {
    shows: 'a GPT learns to write, by characters and by pieces of words',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/language-model.ts').then(({ runLanguageModel }) => runLanguageModel),
  },
  photos: {
    shows: 'ants or bees from a few photos, seen as they are and seen differently each time',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/photos.ts').then(({ runPhotos }) => runPhotos),
  },
  segment: {
    shows: 'a U-Net says where discs, squares and triangles are',
    learnsFrom: 'drawings',
    load: (): Promise<Run> => import('./tasks/segment.ts').then(({ runSegment }) => runSegment),
  },
  generate: {
    shows: 'a variational autoencoder draws digits that nobody wrote',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/generate.ts').then(({ runGenerate }) => runGenerate),
  },
  transfer: {
    shows: 'what was learned of five digits serves for five others',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/transfer.ts').then(({ runTransfer }) => runTransfer),
  },
  energy: {
    shows: 'the same for less: a network pruned, distilled and of bytes; its accuracy, size, time and joules',
    learnsFrom: 'files',
    load: (): Promise<Run> => import('./tasks/energy.ts').then(({ runEnergy }) => runEnergy),
  },
  cartpole: {
    shows: 'an agent learns to keep a pole upright',
    learnsFrom: 'acting',
    load: (): Promise<Run> => import('./tasks/cartpole.ts').then(({ runCartpole }) => runCartpole),
  },
  snake: {
    shows: 'an agent learns to play Snake, and plays on its own',
    learnsFrom: 'acting',
    load: (): Promise<Run> => import('./tasks/snake.ts').then(({ runSnake }) => runSnake),
  },
  tictactoe: {
    shows: 'self-play with tree search, until no move loses: proven over all positions',
    learnsFrom: 'acting',
    load: (): Promise<Run> => import('./tasks/board-games.ts').then(({ runTictactoe }) => runTictactoe),
  },
  connect4: {
    shows: 'self-play with tree search, against players who look ahead',
    learnsFrom: 'acting',
    load: (): Promise<Run> => import('./tasks/board-games.ts').then(({ runConnect4 }) => runConnect4),
  },
} as const;

export type TaskName = keyof typeof all;
export const taskNames = Object.keys(all) as readonly TaskName[]; // the cast: these are the keys
export const tasks: Readonly<Record<TaskName, Task>> = all;

/** What runs a task. Its file is read now. */
export const loadTask = (name: TaskName): Promise<Run> => all[name].load();
