/** Replaces a marked block of a Markdown document. */
import { format, resolveConfig } from 'prettier';

/**
 * The document with `content` between `<!-- name -->` and `<!-- /name -->`, formatted by Prettier.
 *
 * @throws {Error} The document has no such block.
 */
export async function quoted(document: string, name: string, content: string): Promise<string> {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`quoted: the document has no block ${begin} … ${end}`);
  const replaced = `${document.slice(0, from + begin.length)}\n\n${content}\n\n${document.slice(to)}`;
  return format(replaced, { ...(await resolveConfig(import.meta.filename)), parser: 'markdown' });
}
