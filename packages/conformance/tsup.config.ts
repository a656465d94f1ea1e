import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({ entry: ['src/index.ts', 'src/vitest.ts', 'src/node-test.ts'] });
