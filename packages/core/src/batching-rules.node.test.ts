/** Every primitive of the sources says what it does to many rows, found by reading the folders. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Primitive } from './graph/primitive.ts';

/** What is exported by a module and is a primitive. */
function primitivesOf(module: Record<string, unknown>): Primitive[] {
  const isPrimitive = (value: unknown): value is Primitive =>
    typeof value === 'object' && value !== null && 'infer' in value && 'kind' in value && 'lower' in value;
  return Object.values(module).filter(isPrimitive);
}

describe('every primitive', () => {
  test('has a rule for many rows, or needs none', async () => {
    const names: string[] = [];
    for (const folder of ['ops', 'graph', 'linalg', 'fourier', 'functions']) {
      const at = new URL(`${folder}/`, import.meta.url);
      let files: string[] = [];
      try {
        files = readdirSync(at);
      } catch {
        continue; // a folder that is not there has no primitives
      }
      for (const file of files.filter((name) => name.endsWith('.ts') && !name.includes('.test.'))) {
        for (const primitive of primitivesOf(await import(/* @vite-ignore */ new URL(file, at).href))) {
          const { name, kind, access, batch } = primitive;
          names.push(name);
          if (kind === 'leaf' || kind === 'source' || kind === 'transparent') continue; // no rows, or those of another
          if (kind === 'pointwise' && access === undefined) continue; // spread over the rows
          expect(batch, `${name} has no batching rule`).toBeTypeOf('function');
        }
      }
    }
    expect(names.length).toBeGreaterThan(45);
    expect(names).toContain('contraction');
  });
});
