/** TensorFlow.js on WebGPU or WebGL, in a page. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { workloadsOf } from './tfjs-workloads.js';

/** @param {'webgpu' | 'webgl'} backend The two share one engine, so each is made current before its work. */
export async function open(backend) {
  const activate = async () => {
    if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js finds no ${backend}`);
  };
  await activate();
  return { workloads: workloadsOf(tf), activate };
}
