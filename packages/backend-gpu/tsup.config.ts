/**
 * gpu.js is built in, as a module of its own beside ours that both formats load when a device is opened:
 * docs/decisions/0009-gpu-js-inside.md. Its licences stand in THIRD-PARTY.md.
 */
import type { Options } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

const gpuJs: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'gpu.js',
  setup({ esbuild, initialOptions, onResolve, onStart }) {
    onResolve({ filter: /^gpu\.js$/ }, () => ({ path: './gpu-js.js', external: true }));
    // CommonJS imports the same file, so it is written once.
    if (initialOptions.format !== 'esm') return;
    onStart(async () => {
      const { errors, warnings } = await esbuild.build({
        // The build for browsers, which also runs in Node: WebGPU needs nothing of the other one.
        entryPoints: ['gpu.js/dist/gpu-browser.js'],
        outfile: 'dist/gpu-js.js',
        bundle: true,
        format: 'esm',
        target: 'es2022',
        logLevel: 'silent',
        banner: { js: '/*! Contains gpu.js, acorn and gpu-mock.js (MIT): see THIRD-PARTY.md of @nn/backend-gpu. */' },
      });
      return { errors, warnings };
    });
  },
};

export default packageBuild({ esbuildPlugins: [gpuJs] });
