/** Nests as generated functions. Only `generate` knows that there is such a thing as `new Function`. */
import type { KernelFunction } from '../host/call.ts';
import type { Dialect } from '../host/dialect.ts';
import { halves } from '../host/halves.ts';
import type { Temporary, Workspace } from '../host/region.ts';
import type { Nest } from '../nest/nest.ts';
import { helpers } from './helpers.ts';
import { nestSource } from './nest-source.ts';

type RowArray = Float64Array | Int32Array;

/** Why functions cannot be generated here (a Content-Security-Policy), or null where they can. */
export function forbidden(): string | null {
  try {
    return new Function('return 1')() === 1 ? null : 'generated functions do not work';
  } catch (error) {
    return `functions cannot be generated here (${error instanceof Error ? error.message : String(error)})`;
  }
}

export const javascript: Dialect = {
  name: 'javascript',
  path: 'loops',
  nest(nest: Nest, workspace: Workspace): KernelFunction {
    const { source, row } = nestSource(nest);
    if (row === null) return generate(source, null);
    return generate(source, row.dtype === 'float32' ? workspace.float64(row.length) : workspace.int32(row.length));
  },
};

function generate(source: string, row: Temporary<RowArray> | null): KernelFunction {
  const body = row === null ? source : `const row = rows.get();\n${source}`;
  const known = { ...helpers, ...halves.code };
  const make = new Function(
    'helpers',
    'rows',
    `'use strict';\nconst { ${Object.keys(known).join(', ')} } = helpers;\nreturn function kernel(call) {\n${body}\n};`,
  );
  return make(known, row);
}
