export type { CpuBackend, CpuInfo } from './backend.ts';
export { cpu } from './cpu.ts';
export type { CpuOptions, EngineInfo, EngineName } from './engine.ts';
