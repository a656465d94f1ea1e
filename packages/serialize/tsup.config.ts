import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({
  entry: { formats: 'src/formats.ts', index: 'src/index.ts', main: 'src/main.ts' },
  // The command uses the package by its name, as everybody does.
  external: [/^node:/, '@nn/serialize'],
});
