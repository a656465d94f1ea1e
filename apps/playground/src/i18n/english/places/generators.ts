/** Networks that make something, in English. */
export const generatorWords = {
  'generators.settings': 'A generator',
  'generators.kind': 'Kind',
  'generators.kind.gan': 'Adversarial (GAN)',
  'generators.kind.autoencoder': 'Autoencoder',
  'generators.title.gan': 'Generator against discriminator',
  'generators.title.autoencoder': 'Autoencoder of digits',
  'generators.about.gan':
    'One network turns noise into points; the other learns to tell them from real ones, and the first learns to deceive it.',
  'generators.about.autoencoder':
    'A digit goes through two numbers and has to come out again: so each digit gets a place in a plane, and each place is a digit.',
  'generators.help.gan':
    'Rings are real points, dots are made ones. Blue: the discriminator believes what lies there; orange: it does not. Each stroke shows where the generator is told to move its point.',
  'generators.help.autoencoder':
    'Dots are test digits, a colour for each. Behind them is what the places decode to. Drag through the plane, or use the arrow keys.',
  'generators.plane': 'Real and made points on the plane',
  'generators.latentPad': 'Latent plane: drag or use arrow keys to choose a place',
  'generators.shape': 'Real points',
  'generators.shape.ring': 'Two rings',
  'generators.shape.moons': 'Moons',
  'generators.shape.islands': 'Five islands',
  'generators.shape.spiral': 'Spirals',
  'generators.generatorRate': 'Learning rate of the generator',
  'generators.discriminatorRate': 'Learning rate of the discriminator',
  'generators.divergence': 'Weight of the KL divergence',
  'generators.generator': 'Generator',
  'generators.discriminator': 'Discriminator',
  'generators.coverage': 'Coverage',
  'generators.decoded': 'Decoded',
  'generators.decodedDigit': 'The digit of this place',
  'generators.decodedHelp': 'What the decoder makes of the two numbers of this place.',
  'generators.passedHelp': 'On the left what came out of the two numbers, on the right the test digit that went in.',
  'generators.went': 'The digit that went in',
  'generators.through': 'Send a test digit through',
  'generators.pass': 'Send a {digit} through',
  'help.generators.kind': 'A generator that learns against a discriminator, or an autoencoder.',
  'help.generators.shape': 'Where the real points come from, which the generator is to imitate.',
  'help.generators.rate':
    'How large the steps of this network are. If one of the two runs ahead, the other learns nothing.',
  'help.generators.divergence':
    'Draws the codes of the digits together around the middle, so that places between them decode to digits, too.',
  'help.generators.discriminatorLoss':
    'How often the discriminator is wrong: ln 4 ≈ 1.39 is guessing on real and made points.',
  'help.generators.generatorLoss': 'How little the discriminator believes in the made points.',
  'help.generators.coverage':
    'The share of the real points with a made one near. Low: the generator makes only some of them.',
  'help.generators.gallery':
    'Sends a test digit through: what it becomes as two numbers, and what is made of them again.',
  'help.generators.losses':
    'The losses over the steps. Of a generator and its discriminator none has to fall for good.',
} as const;
