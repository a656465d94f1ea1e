/** The fixed algorithms, for engines that run on the host: fetched when the first kernel has a hint. */
import { Fetched } from '../fetched.ts';
import type { Hinted } from '../host/making.ts';

export const algorithms: Fetched<Hinted> = /* @__PURE__ */ new Fetched('the algorithms of kernels', async () => {
  const { hinted } = await import('./hinted.ts');
  return hinted;
});
