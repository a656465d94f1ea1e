/** What an answer rests on, and the cells of the confusion matrix, in English. */
export const explainWords = {
  'explain.draw': 'Draw a digit, or take one of the test set, to see what the answer rests on.',
  'explain.target': 'Explain the score of',
  'explain.best': 'the answer, {digit}',
  'explain.integrated': 'Integrated gradients',
  'explain.integratedOf': 'Integrated gradients: what each pixel adds to the score of {digit}',
  'explain.cam': 'Grad-CAM of {layer}',
  'explain.camOf': 'Grad-CAM of {layer}: where it saw what speaks for {digit}',
  'explain.sum':
    'The score of {digit} is {score} for this image and {baseline} for empty paper; the pixels add up to {sum}, which is the difference.',
  'explain.help':
    'Blue speaks for the class, orange against it. Integrated gradients look at the image on its way from empty paper to what it is (Sundararajan et al. 2017); Grad-CAM weighs feature maps by their gradients (Selvaraju et al. 2017).',
  'explain.noFilters': 'Grad-CAM needs a layer of filters: add one.',
  'explain.cell': '{truth}, taken for {guess}',
  'explain.cellWaits': 'Training runs: the samples are those of before. Pause to see those of now.',
  'explain.cellHelp': 'Test samples, the surest answers first. Press one to walk it through the network.',
  'explain.walk': 'Sample {index}, {share} sure: walk it through the network',
  'help.explain.target': 'For which class the evidence is asked.',
  'help.explain.integrated': 'What each pixel adds to the score, summed along the way from empty paper to the image.',
  'help.explain.cam': 'Where the feature maps of this layer speak for the class.',
  'help.explain.cell': 'Test samples of this cell. Press one to walk it through the network.',
} as const;
