import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({ entry: { index: 'src/index.ts', 'hugging-face': 'src/hugging-face/index.ts' } });
