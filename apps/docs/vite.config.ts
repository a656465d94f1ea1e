/** How `vite preview` serves the site that VitePress has built. */
import { defineConfig } from 'vite';

export default defineConfig({ root: import.meta.dirname, build: { outDir: 'dist' } });
