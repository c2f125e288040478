/**
 * Puts `prefix` before the names of clip paths and styles in an SVG of echarts. These count the charts and styles of the
 * process: the same chart has to be the same file, and two charts on one page need different names.
 */
export function renamed(svg: string, prefix: string): string {
  const first = Math.min(...Array.from(svg.matchAll(/\bzr\d+-cls-(\d+)/g), ([, number]) => Number(number)));
  return svg
    .replaceAll(/\bzr\d+-cls-(\d+)/g, (_, number: string) => `${prefix}-cls-${Number(number) - first}`)
    .replaceAll(/\bzr\d+-c(\d+)/g, `${prefix}-c$1`);
}
