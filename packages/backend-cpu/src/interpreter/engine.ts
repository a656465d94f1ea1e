/** The engine that needs no permission: it generates nothing. */
import { hinted } from '../algorithms/hinted.ts';
import type { EngineFactory } from '../engine.ts';
import { HostEngine } from '../host/engine.ts';
import { interpreter } from './dialect.ts';

export const interpreterEngine: EngineFactory = () => new HostEngine(interpreter, hinted);
