/** The bar that all places have, and what they have in common, in English. */
export const barWords = {
  'help.train': 'Lets it run, or pauses it.',
  'help.reset': 'Starts over from the beginning, with the present settings.',
  'help.places.newSeed': 'Starts over with other random numbers.',
  'help.places.learningRate': 'How large a step is: too low creeps, too high runs away. A change starts over.',
} as const;
