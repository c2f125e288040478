/** Runs ONNX files with ONNX Runtime, in WebAssembly. */
import * as ort from 'onnxruntime-web/wasm';
import { type Tensor, tensor } from '../../../src/index.ts';

ort.env.wasm.numThreads = 1; // worker threads would keep the process alive

/** The output of a file for each input. */
export async function runOnnx(bytes: Uint8Array, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const session = await ort.InferenceSession.create(bytes);
  try {
    const outputs: Tensor[] = [];
    for (const x of inputs) {
      const data = Float32Array.from(x.dataSync());
      const { y } = await session.run({ x: new ort.Tensor('float32', data, x.shape) });
      outputs.push(tensor(y.data as Float32Array, { shape: y.dims }));
    }
    return outputs;
  } finally {
    await session.release();
  }
}
