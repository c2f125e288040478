import { encode } from 'fast-png';
import type { Sample } from './model.ts';

/** An image as an address that needs no file. */
export function dataUri({ width, height, pixels }: Sample): string {
  const channels = pixels.length / (width * height);
  const png = encode({ width, height, data: pixels, channels, depth: 8 });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
