/** What main.ts has found, for VitePress. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sidebar } from './order.ts';
import { content } from './places.ts';

export interface Site {
  readonly sidebar: Sidebar;
  /** Package, name and page of every public name. */
  readonly names: readonly (readonly [owner: string, name: string, page: string])[];
  /** What examples in the page may import. */
  readonly inPage: readonly string[];
}

export const site = (): Site => JSON.parse(readFileSync(join(content, 'site.json'), 'utf8'));
