/** The places beside the board, in English; fetched with the first of them. */
import { agentWords } from './english/places/agents.ts';

type AllWords = typeof agentWords;

export type PlaceKey = keyof AllWords;

export const places: AllWords = { ...agentWords };
