/** The names under which Keras 3 keeps the parts of a model in a `.weights.h5`: not those of layers, but of their classes. */

/** MaxPooling2D to max_pooling2d, LSTMCell to lstm_cell. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** Gives each class its numbers in a list: dense, dense_1, dense_2. */
export function numbering(): (className: string) => string {
  const counts = new Map<string, number>();
  return (className) => {
    const key = snakeCase(className);
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count === 0 ? key : `${key}_${count}`;
  };
}
