/** WebGPU in Node: Google's Dawn, from the npm package `webgpu`. */
import { DeviceError } from '../../errors.ts';
import { type NavigatorGpu, type NodeModules, platform } from './platform.ts';

interface Dawn {
  create(options: readonly string[]): NavigatorGpu;
}

/** A temporary `navigator.gpu`: gpu.js looks for it there while it opens the device. */
export interface Borrowed {
  /** Removes it again. */
  restore(): void;
}

/** Kept for the life of the program: Dawn crashes if this object is collected while one of its devices is alive. */
let entry: NavigatorGpu | null = null;

/** Device files of graphics cards on Linux: Mesa's drivers, NVIDIA's driver, and Windows' under WSL. */
const CARDS = ['/dev/dri', '/dev/nvidia0', '/dev/dxg'];

/** The hint for a GPU that cannot be opened. */
export const otherDevice = "use 'wasm', or 'auto' for the fastest device available";

/**
 * Sets up `navigator.gpu` in Node, with the `webgpu` package that the program has installed.
 *
 * The version must be 0.6 or newer, which needs glibc 2.34. The binary of 0.2.9, which gpu.js itself depends on, needs
 * glibc 2.38, and an open device was seen to block Node's event loop, so that timers never fire and the program never
 * ends.
 *
 * @param hardware Accept only a hardware GPU. If Linux then shows no graphics card, Dawn is not loaded: that would
 *   take 0.1 s, and drivers would write to stderr.
 * @throws {DeviceError} This is not Node, or the package is missing, too old, or does not load.
 */
export function borrowNavigatorGpu(hardware: boolean): Borrowed {
  const { process } = platform;
  const module = process?.getBuiltinModule?.('module');
  if (module === undefined) throw new DeviceError('webgpu', 'there is no WebGPU here', otherDevice);
  if (hardware && process?.platform === 'linux') {
    const files = process.getBuiltinModule?.('fs');
    const isThere = (path: string): boolean => files?.existsSync(path) ?? false;
    if (!CARDS.some(isThere)) throw new DeviceError('webgpu', 'there is no graphics card', otherDevice);
  }
  entry ??= loadDawn(module.createRequire(import.meta.url)).create([]);
  const gpu = entry;
  const { navigator } = platform; // undefined in Node 20
  const [owner, name, value]: [object, string, unknown] =
    navigator === undefined ? [globalThis, 'navigator', { gpu }] : [navigator, 'gpu', gpu];
  Object.defineProperty(owner, name, { value, configurable: true });
  return { restore: () => void Reflect.deleteProperty(owner, name) };
}

const install = 'install it: npm install webgpu@0.6';

function loadDawn(require: Require): Dawn {
  const path = found(() => require.resolve('webgpu'));
  const version = path === null ? '' : versionAt(require, path);
  if (path === null || /^0\.[0-5]\./.test(version)) {
    const problem = path === null ? 'is not installed' : `is too old: version ${version}`;
    throw new DeviceError('webgpu', `the package 'webgpu' (WebGPU for Node) ${problem}`, install);
  }
  try {
    return require(path) as Dawn; // an ES module: `require` loads those since Node 20.19
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

/** The version of a package, from the path of its main file. */
function versionAt(require: Require, main: string): string {
  const description = found(() => require(main.replace(/[^\\/]+$/, 'package.json')));
  return String((description as { readonly version?: string } | null)?.version);
}

/** The result of `find`, or null if it throws. */
function found<T>(find: () => T): T | null {
  try {
    return find();
  } catch {
    return null;
  }
}
