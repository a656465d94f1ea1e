/**
 * jpeg-js is built in, as a module of its own beside ours that both formats load when a JPEG is read, in the way of
 * docs/decisions/0009-gpu-js-inside.md. Its licence stands in THIRD-PARTY.md.
 */
import type { Options } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

const jpegJs: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'jpeg-js',
  setup({ esbuild, initialOptions, onResolve, onStart }) {
    onResolve({ filter: /^jpeg-js$/ }, () => ({ path: './jpeg-js.js', external: true }));
    // CommonJS imports the same file, so it is written once.
    if (initialOptions.format !== 'esm') return;
    onStart(async () => {
      const { errors, warnings } = await esbuild.build({
        stdin: { contents: "export { default as decode } from 'jpeg-js/lib/decoder.js';", resolveDir: '.' },
        outfile: 'dist/jpeg-js.js',
        bundle: true,
        format: 'esm',
        target: 'es2022',
        logLevel: 'silent',
        banner: {
          js: '/*! Contains the decoder of jpeg-js (BSD-3-Clause, Apache-2.0): see THIRD-PARTY.md of @nn/vision. */',
        },
      });
      return { errors, warnings };
    });
  },
};

export default packageBuild({ esbuildPlugins: [jpegJs] });
