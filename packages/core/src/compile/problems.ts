/** What eager debugging found, for the reads that come after. */
export const problems: { first: unknown; pending: Promise<void> | null } = { first: null, pending: null };
