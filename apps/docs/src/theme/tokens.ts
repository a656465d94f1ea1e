/** The colours of code while it is edited: comments, text, numbers and words of the language, by one pattern. */

export interface Token {
  readonly kind: 'text' | 'comment' | 'string' | 'number' | 'keyword';
  readonly text: string;
}

const keywords =
  'as|async|await|break|case|catch|class|const|continue|default|delete|do|else|export|extends|false|finally|for|from|function|' +
  'get|if|import|in|instanceof|interface|let|new|null|of|private|readonly|return|satisfies|set|static|super|switch|this|throw|' +
  'true|try|type|typeof|undefined|void|while|yield';

const pattern = new RegExp(
  [
    '(?<comment>//[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$))',
    '(?<string>\'(?:\\\\.|[^\'\\\\\\n])*\'?|"(?:\\\\.|[^"\\\\\\n])*"?|`(?:\\\\.|[^`\\\\])*`?)',
    '(?<number>\\b\\d[\\d_]*(?:\\.\\d+)?(?:e[-+]?\\d+)?\\b)',
    `(?<keyword>\\b(?:${keywords})\\b)`,
  ].join('|'),
  'g',
);

/** All of the code, in order. */
export function tokens(code: string): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const match of code.matchAll(pattern)) {
    if (match.index > at) found.push({ kind: 'text', text: code.slice(at, match.index) });
    const { comment, string, number } = match.groups ?? {};
    const kind =
      comment !== undefined ? 'comment' : string !== undefined ? 'string' : number !== undefined ? 'number' : 'keyword';
    found.push({ kind, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < code.length) found.push({ kind: 'text', text: code.slice(at) });
  return found;
}
