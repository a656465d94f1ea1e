/** 网络页面之外的各处；首次进入时读取。 */
import { agentWords } from './chinese/places/agents.ts';
import { barWords } from './chinese/places/bar.ts';
import { explainWords } from './chinese/places/explain.ts';
import { gameWords } from './chinese/places/games.ts';
import { generatorWords } from './chinese/places/generators.ts';
import { raceWords } from './chinese/places/race.ts';
import { senseWords } from './chinese/places/senses.ts';
import { sequenceWords } from './chinese/places/sequences.ts';
import type { PlaceWords } from './words.ts';

export const places: PlaceWords = {
  ...raceWords,
  ...agentWords,
  ...gameWords,
  ...sequenceWords,
  ...explainWords,
  ...senseWords,
  ...generatorWords,
  ...barWords,
};
