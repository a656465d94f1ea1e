/** The race of optimizers, in English. */
export const raceWords = {
  'race.title': 'A race of optimizers',
  'race.surface': 'Loss surface',
  'race.surface.valley': 'Narrow valley',
  'race.surface.rosenbrock': 'Rosenbrock: a bent valley',
  'race.surface.saddle': 'Saddle point',
  'race.surface.beale': 'Beale: steep walls',
  'race.surface.himmelblau': 'Himmelblau: four minima',
  'race.surface.ripples': 'Many local minima',
  'race.about.valley':
    'Steep across, flat along: plain gradient descent zigzags or creeps; momentum runs along the floor.',
  'race.about.rosenbrock': 'The floor of the valley bends: the gradient hardly ever points at the minimum.',
  'race.about.saddle':
    'At the saddle the gradient is nearly 0: whoever adapts its step to each weight leaves it first.',
  'race.about.beale':
    'Huge gradients at the walls, tiny ones in the plain between: one learning rate does not fit both.',
  'race.about.himmelblau':
    'Four minima of the same depth: which one is reached depends on the start and on the optimizer.',
  'race.about.ripples': 'Small steps end in the nearest hollow; momentum carries over some of them.',
  'race.map': '{surface} from above, blue where the loss is low, with the trails of the optimizers',
  'race.leader': 'In front',
  'race.standings': 'Standings',
  'race.out': 'diverged',
  'race.rate': 'Learning rate of {optimizer}',
  'race.startX': 'Start: weight 1',
  'race.startY': 'Start: weight 2',
  'race.hint': 'Click the surface to start elsewhere.',
  'help.race.surface': 'The loss over two weights. Each one is hard for some of the optimizers.',
  'help.race.start': 'Where all optimizers begin. A click on the map puts it, too.',
  'help.race.rate': 'The learning rate of this optimizer. Too high, and it leaves the map.',
  'help.race.steps': 'The step that is shown. Drag to go back and forth.',
  'help.race.leader': 'Whose loss is lowest at this step.',
  'help.race.loss': 'The lowest loss at this step.',
} as const;
