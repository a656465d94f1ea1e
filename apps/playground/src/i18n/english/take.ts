/** What can be taken along. */
export const takeWords = {
  takeLink: 'A link to this experiment',
  copy: 'Copy',
  copied: 'Copied',
  takeModel: 'The trained model',
  saveModel: 'Download model',
  saveCheckpoint: 'Download checkpoint',
  openModel: 'Open a file',
  modelHelp:
    'A model holds the weights (safetensors, readable by PyTorch). A checkpoint also holds the optimizer and the position in the data: training goes on where it was.',
  takeProgram: 'The program',
  programHelp:
    'This TypeScript program builds the same network and trains it on the same data, to the same numbers (the last digits depend on the device).',
  measured: 'Both measure the first {count} samples of each part.',
  notPublished:
    'The packages are not published yet: put {name} into a checkout of the project and run npm run build, then npx tsx {name} there.',
  notStraight:
    'Settings were changed in mid-training, or a file was loaded: the program trains with the present settings from the first step on, to other numbers.',
  saveProgram: 'Download program',
  linkHelp: 'Everything but files and weights stands in the address.',
  takeFiles: 'Files that run on their own',
  takeFilesHelp:
    'The zip holds the data, the model, a TypeScript program that trains and one that predicts, the same training in PyTorch, to the same numbers, a page that predicts, and the network as ONNX.',
  torchDropout: 'Dropout draws other random numbers in PyTorch, so its losses differ a little.',
  'take.zip': 'Download everything (zip)',
  'take.page': 'Page that predicts (HTML)',
  'take.onnx': 'Network as ONNX',
} as const;
