/** The engine that runs generated JavaScript loops, where a policy allows to generate functions. */
import type { Algorithms } from '../algorithms/all.ts';
import type { EngineFactory } from '../engine.ts';
import { HostEngine } from '../host/engine.ts';
import { forbidden, javascript } from './dialect.ts';

export const javascriptEngine =
  (algorithms: Algorithms): EngineFactory =>
  () => {
    const unavailable = forbidden();
    return unavailable === null ? new HostEngine(javascript, algorithms) : { unavailable };
  };
