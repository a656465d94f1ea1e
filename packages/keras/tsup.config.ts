/**
 * h5wasm is built in, as a module of its own beside ours that both formats load when an HDF5 file is read or written, in the
 * way of docs/decisions/0009-gpu-js-inside.md. Its licence stands in THIRD-PARTY.md.
 */
import type { Options } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

const h5wasm: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'h5wasm',
  setup({ esbuild, initialOptions, onResolve, onStart }) {
    onResolve({ filter: /^h5wasm$/ }, () => ({ path: './h5wasm.js', external: true }));
    // CommonJS imports the same file, so it is written once.
    if (initialOptions.format !== 'esm') return;
    onStart(async () => {
      const { errors, warnings } = await esbuild.build({
        stdin: { contents: "export { File, Group, ready } from 'h5wasm';", resolveDir: '.' },
        outfile: 'dist/h5wasm.js',
        bundle: true,
        format: 'esm',
        target: 'es2022',
        logLevel: 'silent',
        // the code of WebAssembly stands in it as text
        charset: 'utf8',
        banner: { js: '/*! Contains h5wasm (NIST) and HDF5 (The HDF Group): see THIRD-PARTY.md of @nn/keras. */' },
      });
      return { errors, warnings };
    });
  },
};

export default packageBuild({
  entry: { index: 'src/index.ts', main: 'src/main.ts' },
  // The command uses the package by its name, as everybody does.
  external: [/^node:/, '@nn/keras'],
  esbuildPlugins: [h5wasm],
});
