/**
 * Sentences of reviews with a side: those of a folder, or drawn ones in which, as in real ones, a "not" some words earlier turns the
 * meaning round, and some writers say the opposite of what they feel.
 */
import { RandomSequence } from '@nn/data';
import { linesOfFolder } from './files.ts';

export interface Reviews {
  readonly name: string;
  /** Words of each sentence, lower case. */
  readonly sentences: readonly (readonly string[])[];
  /** 1 where the writer likes it, else 0. */
  readonly sides: readonly number[];
}

const praise = [
  'wonderful',
  'clever',
  'moving',
  'funny',
  'honest',
  'brilliant',
  'warm',
  'fresh',
  'gripping',
  'charming',
];
const blame = ['dull', 'clumsy', 'shallow', 'tired', 'noisy', 'predictable', 'cold', 'silly', 'endless', 'lifeless'];
const things = [
  'the plot',
  'the acting',
  'the dialogue',
  'the ending',
  'the music',
  'this film',
  'the hero',
  'the humour',
];
const asides = [
  '',
  '',
  'on a second look',
  'to my surprise',
  'as the makers say',
  'for two hours',
  'from the first scene on',
];
const adverbs = ['', '', 'very', 'really', 'quite', 'in any way', 'at any moment', 'particularly'];
const turns = ['is not', 'was never', 'is hardly', 'never becomes', 'fails to be'];

/** movie-review-sentences.pos.txt and .neg.txt of a folder, or 4,000 drawn sentences. */
export async function reviews(folder: string | undefined, seed: number): Promise<Reviews> {
  if (folder !== undefined) {
    const [good, bad] = await Promise.all(
      ['pos', 'neg'].map((side) => linesOfFolder(folder, `movie-review-sentences.${side}.txt`)),
    );
    const lines = [...good!, ...bad!];
    return {
      name: 'movie-review-sentences',
      sentences: lines.map((line) => line.toLowerCase().split(/\s+/).filter(Boolean)),
      sides: lines.map((_, i) => (i < good!.length ? 1 : 0)),
    };
  }
  const random = new RandomSequence(seed, 3);
  const one = (list: readonly string[]): string => list[random.integer(list.length)]!;
  const sides = Array.from({ length: 4000 }, (_, i) => i % 2);
  const sentences = sides.map((side) => {
    const clause = (isGood: boolean): string => {
      const isTurned = random.uniform() < 0.4;
      const verb = isTurned ? one(turns) : 'is';
      return `${one(things)} ${verb} ${one(adverbs)} ${one(isGood !== isTurned ? praise : blame)} ${one(asides)}`;
    };
    const isMeant = random.uniform() > 0.05;
    const isGood = (side === 1) === isMeant;
    const text = random.uniform() < 0.5 ? clause(isGood) : `${clause(isGood)} and ${clause(isGood)}`;
    return text.split(/\s+/).filter(Boolean);
  });
  return { name: 'drawn sentences', sentences, sides };
}
