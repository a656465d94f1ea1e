/**
 * How every package is built: ES modules and CommonJS for any platform, with source maps.
 * The `types` task of a package runs the same configuration with `--dts-only`.
 */
import { defineConfig, type Options } from 'tsup';

type Configuration = ReturnType<typeof defineConfig>;

export function packageBuild(options: Options = {}): Configuration {
  return defineConfig((given) => ({
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    // The types have their own task, so that code can be built without waiting for them: cleaning spares them.
    clean: given.dts ? false : ['!**/*.d.{ts,cts}'],
    silent: true,
    // tsup would turn 'node:test' into 'test', which is no module of Node's.
    removeNodeProtocol: false,
    external: [/^node:/],
    ...options,
  }));
}
