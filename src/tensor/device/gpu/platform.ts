/** The parts of the web platform that the GPU devices use. TypeScript's own `dom` types would declare a whole page. */

export interface WebGL {
  readonly MAX_TEXTURE_SIZE: number;
  readonly RENDERER: number;
  getExtension(name: string): { loseContext?(): void } | null;
  getParameter(name: number): unknown;
  isContextLost(): boolean;
  deleteTexture(texture: object): void;
}

export interface Canvas {
  getContext(kind: 'webgl2', attributes: object): WebGL | null;
}

export interface WebGpuAdapter {
  readonly info?: AdapterInfo;
  readonly isFallbackAdapter?: boolean;
}

export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

export interface NavigatorGpu {
  requestAdapter(): Promise<WebGpuAdapter | null>;
}

/** Globals of a page, a worker, or Node; none of them exists everywhere. */
export interface Platform {
  readonly OffscreenCanvas?: new (width: number, height: number) => Canvas;
  readonly document?: { createElement(tag: 'canvas'): Canvas };
  readonly navigator?: { readonly gpu?: NavigatorGpu };
  readonly process?: NodeProcess;
}

/** What loading the `webgpu` package needs of Node: the main entry must not import `node:`. */
export interface NodeProcess {
  readonly platform: string;
  readonly getBuiltinModule?: <Name extends keyof NodeModules>(name: Name) => NodeModules[Name];
}

export interface NodeModules {
  readonly module: {
    createRequire(from: string): ((name: string) => unknown) & { resolve(name: string): string };
  };
  readonly fs: { existsSync(path: string): boolean };
}

export const platform: Platform = globalThis;
