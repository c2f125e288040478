/** The deepest nesting that is read, as in the reference implementation. The header of a safetensors file needs 3. */
const DEEPEST = 128;

/**
 * Parses JSON in which no object has a key twice, or the key `__proto__`. `JSON.parse` keeps the last of equal keys, so
 * two programs could read one text differently.
 *
 * @throws {SyntaxError} The text is not JSON, has such a key, or is nested more than 128 levels deep.
 */
export function parseStrictly(text: string): unknown {
  expectDistinctKeys(text); // first: JSON.parse takes seconds for millions of open brackets
  return JSON.parse(text);
}

/** Walks from bracket to bracket and string to string. The text may be no JSON: `JSON.parse` reports that. */
function expectDistinctKeys(text: string): void {
  const open: (Set<string> | null)[] = []; // the keys of each open object; null for an array
  let isKey = false; // whether the next string is one
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    if (open.length > DEEPEST) throw new SyntaxError(`it is nested more than ${DEEPEST} levels deep`);
    if (character === '{' || character === ',') isKey = (open.at(-1) ?? null) !== null;
    if (character !== '"') continue;
    const start = at;
    at = endOfString(text, start);
    if (isKey) addKey(open.at(-1) ?? null, JSON.parse(text.slice(start, at + 1)) as string);
    isKey = false;
  }
}

function addKey(keys: Set<string> | null, key: string): void {
  if (key === '__proto__') throw new SyntaxError('a key is __proto__');
  if (keys?.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key)} is given twice`);
  keys?.add(key);
}

/** The place of the quote that ends a string: the next one without a backslash that belongs to it; or the text's end. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
