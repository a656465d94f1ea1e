/** The public names of @nn/backend-gpu, one by one. */
export type { Capabilities, GpuBackend, GpuInfo } from './backend.ts';
export { type Availability, available, type GpuMode, type GpuOptions, gpu } from './gpu.ts';
