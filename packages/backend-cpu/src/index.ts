export type { CpuBackend, CpuInfo } from './backend.ts';
export { cpu } from './backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from './engine.ts';
