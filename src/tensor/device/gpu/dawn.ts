/** WebGPU in Node: Google's Dawn, from the package `webgpu`. */
import { DeviceError } from '../../errors.ts';
import { type NavigatorGpu, type NodeModules, platform } from './platform.ts';

interface Dawn {
  create(options: readonly string[]): NavigatorGpu;
}

/** `navigator.gpu`, where gpu.js looks for it while it opens the device. */
export interface Borrowed {
  /** Makes `navigator` what it was. */
  restore(): void;
}

/** Kept as long as the program runs: if it is collected while one of its devices lives, Dawn crashes. */
let entry: NavigatorGpu | null = null;

/** What Linux shows of a graphics card: Mesa's drivers, NVIDIA's, and those of Windows below. */
const CARDS = ['/dev/dri', '/dev/nvidia0', '/dev/dxg'];

const elsewhere = "use 'wasm', or 'auto' for the fastest there is";

/**
 * Sets up `navigator.gpu` in Node.
 *
 * gpu.js brings the package itself, but in version 0.2.9: its binary needs glibc 2.38, and where it loads, an open
 * device was seen to block Node's event loop, so that no timer fires any more and the program never ends. Version
 * 0.6 needs glibc 2.34 and does neither. So the version that is used is one that the program has installed.
 *
 * @param hardware Software will not do. Then Dawn is not even asked where Linux shows no graphics card: that takes a
 *   tenth of a second, and drivers write to stderr.
 * @throws {DeviceError} This is not Node, the package is not there or is too old, or it does not load.
 */
export async function borrowNavigatorGpu(hardware: boolean): Promise<Borrowed> {
  const { process } = platform;
  const module = process?.getBuiltinModule?.('module');
  if (module === undefined) throw new DeviceError('webgpu', 'there is no WebGPU here', elsewhere);
  if (hardware && process?.platform === 'linux') {
    const files = process.getBuiltinModule?.('fs');
    const isThere = (path: string): boolean => files?.existsSync(path) ?? false;
    if (!CARDS.some(isThere)) throw new DeviceError('webgpu', 'there is no graphics card', elsewhere);
  }
  entry ??= (await loadDawn(module.createRequire(import.meta.url))).create([]);
  const gpu = entry;
  const { navigator } = platform; // Node 20 has none
  const [owner, name, value]: [object, string, unknown] =
    navigator === undefined ? [globalThis, 'navigator', { gpu }] : [navigator, 'gpu', gpu];
  Object.defineProperty(owner, name, { value, configurable: true });
  return { restore: () => void Reflect.deleteProperty(owner, name) };
}

const install = 'install it beside gammabeta: npm install webgpu@0.6';

async function loadDawn(require: Require): Promise<Dawn> {
  const path = found(() => require.resolve('webgpu'));
  const version = path === null ? '' : versionAt(require, path);
  if (path === null || /^0\.[0-5]\./.test(version)) {
    const problem = path === null ? 'is not there' : `is version ${version}, which is too old`;
    throw new DeviceError('webgpu', `the package 'webgpu', which is WebGPU for Node, ${problem}`, install);
  }
  try {
    const url = `file://${path.replaceAll('\\', '/').replace(/^(?=\w:)/, '/')}`;
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as Dawn;
  } catch (error) {
    const [message] = String(error instanceof Error ? error.message : error).split('\n');
    throw new DeviceError(
      'webgpu',
      `the package 'webgpu' does not load: ${message}`,
      "use 'wasm'; on Linux it needs glibc 2.34 and the package libvulkan1",
    );
  }
}

type Require = ReturnType<NodeModules['module']['createRequire']>;

/** The version of the package that a file is the main file of. */
function versionAt(require: Require, main: string): string {
  const description = found(() => require(main.replace(/[^\\/]+$/, 'package.json')));
  return String((description as { readonly version?: string } | null)?.version);
}

/** What a look finds; null if it throws. */
function found<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
