/**
 * A browser's language may be a tag that `Intl` refuses, as `en-US@posix`, and the library that draws the curves formats
 * with it as soon as it is imported. To be imported before it: such a tag is replaced by the part that is one, or by English.
 */
function isTag(tag: string): boolean {
  try {
    new Intl.NumberFormat(tag);
    return true;
  } catch {
    return false;
  }
}

if (!isTag(navigator.language)) {
  const plain = navigator.language.replace(/[@._].*$/, '').replaceAll('_', '-');
  Object.defineProperty(navigator, 'language', {
    configurable: true,
    value: isTag(plain) && plain !== '' ? plain : 'en',
  });
}
