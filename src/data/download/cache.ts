import { join, resolve } from 'node:path';
import { userCache } from './vendor.ts';

/**
 * Where downloads are kept: the folder that the environment variable GAMMABETA_CACHE names, else the user's cache
 * folder on this platform (`~/.cache/gammabeta` on Linux, where XDG_CACHE_HOME does not say otherwise;
 * `~/Library/Caches/gammabeta` on macOS; `%LOCALAPPDATA%\gammabeta\Cache` on Windows).
 *
 * @param parts names below that folder
 */
export function inCache(...parts: readonly string[]): string {
  const named = process.env.GAMMABETA_CACHE;
  return join(named === undefined || named === '' ? userCache('gammabeta') : resolve(named), ...parts);
}
