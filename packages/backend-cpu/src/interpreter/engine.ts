/** The engine that needs no permission: it generates nothing. */
import { algorithms } from '../algorithms/fetched.ts';
import type { EngineFactory } from '../engine.ts';
import { HostEngine } from '../host/engine.ts';
import { interpreter } from './dialect.ts';

export const interpreterEngine: EngineFactory = () => new HostEngine(interpreter, algorithms);
