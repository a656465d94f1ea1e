/** The tabs below the network, but for the walk-through. */
export const closerWords = {
  tabs: 'Look closer',
  'tab.walk': 'Walk-through',
  'tab.distributions': 'Distributions',
  'tab.mistakes': 'Mistakes',
  'tab.images': 'Filters and maps',
  'tab.take': 'Export',
  weights: 'Weights',
  gradients: 'Gradients',
  outputs: 'Outputs',
  histogramOf: '{what} of {layer}: from {low} to {high}',
  confusion: 'Confusion matrix of {count} test samples: rows are true classes, columns predicted ones.',
  filtersOf: 'Filters of {layer}',
  mapsOf: 'Feature maps of {layer}',
  binOf: '{low} to {high}: {count}',
} as const;
