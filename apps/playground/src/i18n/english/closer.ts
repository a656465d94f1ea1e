/** The tabs below the network, but for the walk-through. */
export const closerWords = {
  tabs: 'Look closer',
  'tab.walk': 'Walk-through',
  'tab.distributions': 'Distributions',
  'tab.mistakes': 'Mistakes',
  'tab.images': 'Filters and maps',
  'tab.take': 'Take along',
  weights: 'Weights',
  gradients: 'Gradients',
  outputs: 'Outputs',
  histogramOf: '{what} of {layer}: from {low} to {high}',
  confusion: 'Rows are the truth, columns the answer of the network, for {count} test samples.',
  filtersOf: 'Filters of {layer}',
  mapsOf: 'Feature maps of {layer}',
} as const;
