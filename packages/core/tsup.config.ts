import { readFileSync } from 'node:fs';
import { packageBuild } from '../../tsup.base.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

export default packageBuild({
  // What a copy calls itself when two of them meet: src/copy.ts.
  esbuildOptions(options, { format }) {
    const system = format === 'cjs' ? 'CommonJS' : 'ES module';
    options.define = { ...options.define, __NN_COPY__: JSON.stringify(`${version}, ${system}`) };
  },
});
