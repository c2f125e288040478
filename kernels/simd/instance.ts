/**
 * The scratch memory of an instance. Each thread runs an instance of this module of its own, on memory that all share.
 * Scratch arrays begin `scratch` bytes after the addresses that `memory.data` reserves: 0 bytes in the main thread, and
 * where the device has put such memory for another thread.
 */
export declare const scratch: usize;
