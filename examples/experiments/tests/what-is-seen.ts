/** Finds layout problems of a page. Each function runs inside the page, so it is self-contained. */

/** Pairs of texts of one SVG whose boxes overlap. */
export function overlappingText(): string[] {
  return [...document.querySelectorAll('svg')].flatMap((svg) => {
    const texts = [...svg.querySelectorAll('text')].map((text) => ({
      words: text.textContent,
      box: text.getBoundingClientRect(),
    }));
    return texts.flatMap(({ words, box }, i) =>
      texts
        .slice(i + 1)
        .filter(({ box: other }) => {
          const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
          const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
          // The box of a text is higher than its letters.
          return across > 0.5 && down > 0.25 * Math.min(box.height, other.height);
        })
        .map((other) => `${words} / ${other.words}`),
    );
  });
}

/** Texts that extend beyond their SVG, or are less than 9 pixels high. */
export function textOutside(): string[] {
  return [...document.querySelectorAll('svg')].flatMap((svg) => {
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width || 1;
    return [...svg.querySelectorAll('text')]
      .filter((text) => {
        const box = text.getBoundingClientRect();
        const isInside =
          box.left >= frame.left - 1 &&
          box.right <= frame.right + 1 &&
          box.top >= frame.top - 3 &&
          box.bottom <= frame.bottom + 1;
        return !isInside || parseFloat(getComputedStyle(text).fontSize) * scale < 9;
      })
      .map((text) => text.textContent);
  });
}

/** Elements that clip a part of their text. Elements for screen readers only are excluded. */
export function clippedText(): string[] {
  return [...document.querySelectorAll<HTMLElement>('body *:not(.hidden):not(svg *)')]
    .filter((element) => {
      const { overflowX, overflowY } = getComputedStyle(element);
      const cuts = (overflow: string) => overflow === 'hidden' || overflow === 'clip';
      return (
        (cuts(overflowX) && element.scrollWidth > element.clientWidth + 1) ||
        (cuts(overflowY) && element.scrollHeight > element.clientHeight + 1)
      );
    })
    .map((element) => element.textContent.trim());
}

/** Texts whose contrast with their background is below 4.5, with their contrast. */
export function faintText(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (canvas === null) throw new Error('there is no canvas');
  canvas.canvas.width = canvas.canvas.height = 1;
  /** The layers of CSS colors, blended, as bytes. */
  const paint = (...layers: string[]) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) {
      canvas.fillStyle = layer;
      canvas.fillRect(0, 0, 1, 1);
    }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]: Uint8ClampedArray) => {
    const linear = [r, g, b].map((byte) =>
      byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const found = new Set<string>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() !== null) {
    const words = walker.currentNode.textContent?.trim() ?? '';
    const element = walker.currentNode.parentElement;
    if (words === '' || element === null || element.matches('.hidden, .hidden *, style')) continue;
    const behind: string[] = [];
    for (let up: Element | null = element; up !== null; up = up.parentElement) {
      behind.unshift(getComputedStyle(up).backgroundColor);
    }
    const { color, fill } = getComputedStyle(element);
    const layers = ['white', ...behind];
    const text = luminance(paint(...layers, element instanceof SVGElement ? fill : color));
    const paper = luminance(paint(...layers));
    const contrast = (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05);
    if (contrast < 4.5) found.add(`${words} ${contrast.toFixed(2)}`);
  }
  return [...found];
}

/** Words that are broken at the end of a line. Words are letters and digits: a hyphen or slash may end a line. */
export function brokenWords(): string[] {
  const LONGEST = 30; // words that no screen could hold may be broken
  const found: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() !== null) {
    const node = walker.currentNode;
    const text = node.textContent ?? '';
    if (node.parentElement?.closest('.hidden, style, script, svg') !== null) continue;
    for (const { 0: word, index } of text.matchAll(/[\p{L}\p{N}]+/gu)) {
      if (word.length > LONGEST) continue;
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set(
        [...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)),
      );
      if (lines.size > 1) found.push(word);
    }
  }
  return found;
}
