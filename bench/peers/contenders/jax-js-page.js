/** jax-js on WebGPU, in a page. */
import { defaultDevice, init } from '@jax-js/jax';
import { workloads } from './jax-js-workloads.js';

export async function open() {
  const devices = await init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js finds no WebGPU');
  defaultDevice('webgpu');
  return { workloads, activate: () => Promise.resolve() };
}
