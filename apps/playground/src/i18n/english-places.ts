/** The places beside the board, in English; fetched with the first of them. */
import { agentWords } from './english/places/agents.ts';
import { raceWords } from './english/places/race.ts';

type AllWords = typeof agentWords & typeof raceWords;

export type PlaceKey = keyof AllWords;

export const places: AllWords = { ...agentWords, ...raceWords };
