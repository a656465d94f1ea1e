/** How fast it trains: steps a second to watch; null for all that the device can. */
export const paces = { single: 1, slow: 8, medium: 40, normal: 200, full: null } as const;
export type PaceName = keyof typeof paces;
export const paceNames: readonly PaceName[] = ['single', 'slow', 'medium', 'normal', 'full'];
