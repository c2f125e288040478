/** `gammabeta/onnx`: models as ONNX files, for ONNX Runtime and other programs. It runs in browsers and in Node. */
export { toOnnx, type ToOnnxOptions } from './io/onnx/to-onnx.ts';
