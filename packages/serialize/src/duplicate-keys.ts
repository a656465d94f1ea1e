/**
 * Finds keys that stand twice in one JSON object, which `JSON.parse` hides by keeping the last.
 * It takes text that `JSON.parse` has accepted, so it only follows brackets and strings.
 */

/** The first key that an object of the text has twice, or undefined. */
export function findDuplicateKey(text: string): string | undefined {
  /** For each open bracket: the keys so far of an object, null for an array. */
  const open: (Set<string> | null)[] = [];
  let keyFollows = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        keyFollows = true;
        break;
      case '[':
        open.push(null);
        keyFollows = false;
        break;
      case '}':
      case ']':
        open.pop();
        keyFollows = false;
        break;
      case ',':
        keyFollows = open[open.length - 1] instanceof Set;
        break;
      case '"': {
        const start = at++;
        while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
        const keys = open[open.length - 1];
        if (keyFollows && keys) {
          // Escapes make one key of several spellings.
          const key = String(JSON.parse(text.slice(start, at + 1)));
          if (keys.has(key)) return key;
          keys.add(key);
        }
        keyFollows = false;
        break;
      }
    }
  }
  return undefined;
}
