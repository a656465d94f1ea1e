import { defineConfig } from 'vite';

// Modules in workers, which Vite does not make by itself; and headers with which threads may share memory.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  base: './',
  build: { target: 'es2022' },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
});
