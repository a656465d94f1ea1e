/** The cell of the confusion matrix that is open: the truth and what it was taken for; null for none. */
import { type Signal, signal } from '@preact/signals';

export const cell: Signal<readonly [truth: number, guess: number] | null> = signal(null);
