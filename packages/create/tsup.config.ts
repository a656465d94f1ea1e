import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({
  entry: { index: 'src/index.ts', main: 'src/main.ts' },
  // The command uses the package by its name, as everybody does.
  external: [/^node:/, '@nn/create'],
  // The templates are found from the file, in CommonJS, too.
  shims: true,
});
