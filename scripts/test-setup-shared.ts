/** Runs before each test file where files share a process or a page: what the file before left in core is forgotten. */
import { forget } from '../packages/core/src/testing.ts';

forget();
