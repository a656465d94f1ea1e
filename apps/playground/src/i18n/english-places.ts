/** The places beside the board, in English; fetched with the first of them. */
import { agentWords } from './english/places/agents.ts';
import { barWords } from './english/places/bar.ts';
import { explainWords } from './english/places/explain.ts';
import { gameWords } from './english/places/games.ts';
import { generatorWords } from './english/places/generators.ts';
import { raceWords } from './english/places/race.ts';
import { senseWords } from './english/places/senses.ts';
import { sequenceWords } from './english/places/sequences.ts';

type AllWords = typeof raceWords &
  typeof agentWords &
  typeof gameWords &
  typeof sequenceWords &
  typeof explainWords &
  typeof senseWords &
  typeof generatorWords &
  typeof barWords;

export type PlaceKey = keyof AllWords;

export const places: AllWords = {
  ...raceWords,
  ...agentWords,
  ...gameWords,
  ...sequenceWords,
  ...explainWords,
  ...senseWords,
  ...generatorWords,
  ...barWords,
};
