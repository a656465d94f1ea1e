import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({
  entry: {
    index: 'src/index.ts',
    javascript: 'src/javascript/index.ts',
    tier: 'src/wasm/tier.ts',
    wasm: 'src/wasm/index.ts',
  },
});
