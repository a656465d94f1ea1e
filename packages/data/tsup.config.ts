import { packageBuild } from '../../tsup.base.ts';

export default packageBuild({
  entry: { index: 'src/index.ts', parquet: 'src/parquet/index.ts', arrow: 'src/arrow/index.ts' },
});
