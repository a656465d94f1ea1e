/** Sequences of characters, in English. */
export const sequenceWords = {
  'sequences.title': 'A text',
  'sequences.text': 'Text to learn',
  'sequences.text.sentences': 'Sentences',
  'sequences.text.repeats': 'Words said three times',
  'sequences.text.brackets': 'Brackets',
  'sequences.text.own': 'Your own',
  'sequences.about.sentences':
    'Simple sentences, made by a few rules. At first the network writes noise, then words, then sentences.',
  'sequences.about.repeats':
    'Each made-up word comes three times. From the second on, nothing but looking back at the first tells how it goes on: after some 300 steps, see what attention picks.',
  'sequences.about.brackets':
    'Each bracket is closed by its partner, the last one first. The network must remember which are open.',
  'sequences.about.own': 'Paste a text of a few hundred characters or more, in any language. It stays on this page.',
  'sequences.ownText': 'Your text',
  'sequences.take': 'Learn this text',
  'sequences.facts': '{characters} characters, {kinds} of them different; a tenth is kept for the test.',
  'sequences.width': 'Width',
  'sequences.layers': 'Layers',
  'sequences.heads': 'Attention heads',
  'sequences.bits': 'Bits a character',
  'sequences.written': 'What it writes',
  'sequences.write': 'Write',
  'sequences.after': 'After {step} steps',
  'sequences.next': 'What comes next',
  'sequences.prompt': 'Prompt',
  'sequences.temperature': 'Temperature',
  'sequences.topK': 'Top k',
  'sequences.all': 'all',
  'sequences.take1': 'Go on with {character}, {share}',
  'sequences.nextHelp':
    'The frame is the network’s own probability, the bar what temperature and top k make of it. Press a character to go on with it.',
  'sequences.attention': 'Attention',
  'sequences.head': 'Layer {layer}, head {head}',
  'sequences.attentionHelp':
    'In each row a character looks at those before it; the darker, the more it takes from there. Point at a character to see where it looks.',
  'sequences.looks': '{from} looks most at {to}, {place} back: {share}',
} as const;
