/**
 * The outline of JSON from somebody else, looked at before `JSON.parse` and in linear time: how deep it is nested, and how
 * many items it has. What is deeper or has more than its reader needs is refused before it costs memory or the stack.
 * Afterwards: keys that stand twice in one object, which `JSON.parse` hides by keeping the last.
 */

/** The deepest nesting of brackets, and the number of commas outside of text, each counted no further than to its limit. */
export function outlineOf(
  text: string,
  limits: { readonly depth: number; readonly items: number },
): { depth: number; items: number } {
  let depth = 0;
  let deepest = 0;
  let items = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // a quote
        at = endOfString(text, at);
        break;
      case 0x7b:
      case 0x5b:
        depth++;
        if (depth > deepest) deepest = depth;
        if (deepest > limits.depth) return { depth: deepest, items };
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        break;
      case 0x2c:
        items++;
        if (items > limits.items) return { depth: deepest, items };
        break;
    }
  }
  return { depth: deepest, items };
}

/** Where the text that begins with the quote at `start` ends: its closing quote, or the end of all. */
function endOfString(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let slashes = 0;
    while (end - 1 - slashes > start && text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
    from = end + 1;
  }
}

/** The first key that an object of the text has twice, or undefined. It takes text that `JSON.parse` has accepted. */
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
        keyFollows = open[open.length - 1] !== null;
        break;
      case '"': {
        const start = at;
        at = endOfString(text, start);
        const keys = open[open.length - 1];
        if (keyFollows && keys) {
          const spelled = text.slice(start + 1, at);
          // Escapes make one key of several spellings.
          const key = spelled.includes('\\') ? String(JSON.parse(`"${spelled}"`)) : spelled;
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
