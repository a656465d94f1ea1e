import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({
  entry: { index: 'src/index.ts', javascript: 'src/javascript/index.ts', wasm: 'src/wasm/index.ts' },
});
