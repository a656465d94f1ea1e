/** Where the user's code called: the first frame of a stack that lies outside of nn. */

/** Frames inside of nn itself: its packages as installed, as a dev server bundles them, or as sources. */
const own = /[\\/](?:@nn[\\/][\w-]+|deps[\\/]@nn_[\w-]+|packages[\\/][\w-]+[\\/](?:src|dist))[\\/.](?!.*\.test\.)/;
const place = /\(?((?:file:|[A-Za-z]:|\/|https?:)[^()]*:\d+:\d+)\)?$/;

/** An error that holds the stack down to the user's code; only its `stack` is of use, and costs little until it is read. */
export function captureStack(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 64; // a model may be deep
  const captured = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return captured;
}

/** ` at file:line:column` of the user's code, or nothing where no frame is. */
export function lineOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').slice(1);
  const places = frames.filter((text) => !own.test(text)).map((text) => place.exec(text.trim())?.[1]);
  const first = places.find((text) => text !== undefined);
  return first === undefined ? '' : ` at ${first}`;
}
