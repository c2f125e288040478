/**
 * While the GPU computes, the package `webgpu` asks it in each turn of Node's event loop whether it has finished. A
 * software GPU needs the same processor, and the questions take most of the time of a program. Importing this module
 * makes them wait for a millisecond.
 */
Object.assign(globalThis, {
  setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    setTimeout(callback, 1, ...args),
});

export {};
