/** The module of a worker that waits before it serves, as one does that loads its data first. */
await new Promise((resolve) => setTimeout(resolve, 50));
await import('./served-tests.ts');

export {};
