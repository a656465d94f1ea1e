/**
 * What ends the program with one line: mistakes in options and files, told without a stack. Everything else is a defect
 * of the program and keeps its stack. `main.ts` prints them.
 */
import { isNNError } from '@nn/core';

/** A mistake that the user can mend; the message says how. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
}

/** The one line for an error, or undefined where the error is a defect of the program. */
export function lineOf(error: unknown): string | undefined {
  if (error instanceof Failure || isNNError(error)) return oneLine(error.message);
  if (error instanceof Error && 'syscall' in error) return oneLine(error.message);
  return undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
