/** Agents that learn by doing, in English. */
export const agentWords = {
  'agents.title': 'An agent',
  'agents.world': 'World',
  'agents.world.cartpole': 'CartPole',
  'agents.world.snake': 'Snake',
  'agents.about.cartpole':
    'A cart is pushed to the left or to the right, fifty times a second, so that the pole on it does not fall over. Each step that it stands earns 1; after 500 the episode ends.',
  'agents.about.snake':
    'An apple earns 1, the wall or its own body costs 1. The network sees eleven numbers: danger ahead and at its sides, where it is heading, and where the apple is.',
  'agents.method':
    'PPO: several copies of the world are played at once; then actions that turned out better than expected become more probable, those that turned out worse less.',
  'agents.episodes': 'Episodes',
  'agents.mean': 'Mean return of 100',
  'agents.best': 'Best return',
  'agents.entropy': 'Entropy',
  'agents.returns': 'Returns',
  'agents.each': 'Return of each episode',
  'agents.discount': 'Discount factor',
  'agents.entropyWeight': 'Entropy bonus',
  'agents.watched': 'Policy after {steps} steps: return {total}',
  'agents.picture.cartpole': 'The cart with its pole, as the agent moves it',
  'agents.picture.snake': 'The board with snake and apple, as the agent moves',
  'agents.boardMap': 'Colours: what each square were worth to the head, heading as it does now.',
  'agents.left': 'Push left',
  'agents.right': 'Push right',
  'agents.ahead': 'Straight on',
  'agents.turnRight': 'Turn right',
  'agents.turnLeft': 'Turn left',
  'agents.value': 'Value',
  'agents.valueTitle': 'Value function',
  'agents.valueHelp.cartpole':
    'The discounted rewards that the agent expects of each state; the two other quantities are 0. The dot is the state that you watch.',
  'agents.valueHelp.snake': 'The lowest and the highest value of all 288 states that the snake can be in.',
  'agents.position': 'Position (m)',
  'agents.speed': 'Velocity (m/s)',
  'agents.angle': 'Angle (rad)',
  'agents.turning': 'Angular velocity (rad/s)',
} as const;
