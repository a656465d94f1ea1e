/**
 * How every package is built: ES modules and CommonJS for any platform, with source maps.
 * The declarations are written by scripts/types.mjs, for all packages at once.
 */
import { defineConfig, type Options } from 'tsup';

type Configuration = ReturnType<typeof defineConfig>;

export function packageBuild(options: Options = {}): Configuration {
  return defineConfig({
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    // Cleaning spares the declarations.
    clean: ['!**/*.d.{ts,cts}'],
    silent: true,
    // tsup would turn 'node:test' into 'test', which is no module of Node's.
    removeNodeProtocol: false,
    external: [/^node:/],
    ...options,
  });
}
