/**
 * How the page is built: a folder of static files with relative addresses, from the sources of the packages.
 * The preview server isolates the page from other origins, so that threads may share memory; hosts that do not are fine.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const serviceWorker = 'service-worker';
const publicFolder = join(import.meta.dirname, 'public');

/** Tells the service worker what there is to keep: everything that was built, and all of `public/`. */
function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle[`${serviceWorker}.js`];
        if (worker?.type !== 'chunk') return;
        const copied = readdirSync(publicFolder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) =>
            join(entry.parentPath, entry.name)
              .slice(publicFolder.length + 1)
              .replaceAll('\\', '/'),
          )
          .sort();
        const built = Object.keys(bundle).filter((name) => name !== worker.fileName && name !== 'index.html');
        const hash = createHash('sha256');
        for (const name of built) hash.update(name);
        for (const name of copied) hash.update(name).update(readFileSync(join(publicFolder, name)));
        hash.update(readFileSync(join(import.meta.dirname, 'index.html')));
        worker.code = worker.code
          .replace('__NAME__', JSON.stringify('nn.playground'))
          .replace('__FILES__', JSON.stringify(['./', ...built, ...copied]))
          .replace('__LATER__', '[]')
          .replace('__VERSION__', JSON.stringify(hash.digest('hex').slice(0, 16)));
      },
    },
  };
}

export default defineConfig({
  base: './',
  root: import.meta.dirname,
  resolve: { conditions: ['@nn/source', 'browser', 'module', 'development|production'] },
  plugins: [offline()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: {
        index: join(import.meta.dirname, 'index.html'),
        [serviceWorker]: join(import.meta.dirname, 'src/service-worker.ts'),
      },
      output: {
        entryFileNames: ({ name }) => (name === serviceWorker ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
});
