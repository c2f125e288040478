/** Estimates the width of text without a browser, for a wide font, so that the estimate is rather too large. */

/** Widths in em. */
const NARROW = 0.4;
const USUAL = 0.64;
const WIDE = 1;

export function textWidth(text: string, fontSize: number): number {
  const em = Array.from(text).reduce((sum, character) => sum + widthOf(character), 0);
  return em * fontSize;
}

function widthOf(character: string): number {
  if (/[\s.,:;'|!ijlrtfI()[\]⁰¹²³⁴-⁹⁻·]/.test(character)) return NARROW;
  if (/[mwMW%@→—…]/.test(character) || character > '\u2e80') return WIDE;
  return USUAL;
}

/** Breaks the text into lines of at most this width: at spaces, and inside words that are longer than a line. */
export function wrap(text: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((each) => pieces(each, width, fontSize))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, fontSize) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** The word, or its pieces if it is longer than a line. */
function pieces(word: string, width: number, fontSize: number): string[] {
  const found = [''];
  for (const character of word) {
    const longer = `${found[found.length - 1]}${character}`;
    if (textWidth(longer, fontSize) <= width || found[found.length - 1] === '') {
      found[found.length - 1] = longer;
    } else {
      found.push(character);
    }
  }
  return found;
}
