import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({
  entry: { index: 'src/index.ts', node: 'src/node/index.ts', browser: 'src/browser/index.ts' },
});
