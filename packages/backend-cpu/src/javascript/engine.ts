/** The engine that runs generated JavaScript loops, where a policy allows to generate functions. */
import type { EngineFactory } from '../engine.ts';
import type { Fetched } from '../fetched.ts';
import { HostEngine } from '../host/engine.ts';
import type { Hinted } from '../host/making.ts';
import { forbidden, javascript } from './dialect.ts';

export const javascriptEngine =
  (algorithms: Fetched<Hinted> | null): EngineFactory =>
  () => {
    const unavailable = forbidden();
    return unavailable === null ? new HostEngine(javascript, algorithms) : { unavailable };
  };
