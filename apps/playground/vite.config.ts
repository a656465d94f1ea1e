/**
 * How the page is built: a folder of static files with relative addresses, from the sources of the packages.
 * The preview server isolates the page from other origins, so that threads may share memory; hosts that do not are fine.
 */
import { defineConfig } from 'vite';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  root: import.meta.dirname,
  resolve: { conditions: ['@nn/source', 'browser', 'module', 'development|production'] },
  build: { target: 'es2022', outDir: 'dist', emptyOutDir: true, chunkSizeWarningLimit: 1500 },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
});
