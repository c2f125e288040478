/** For the driver, which is TypeScript. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** What is where in a file of arrays: the part that travels as JSON. */
export interface TensorList {
  readonly file: string;
  readonly entries: readonly {
    readonly name: string;
    readonly dtype: 'float32' | 'uint8';
    readonly shape: readonly number[];
    readonly offset: number;
  }[];
}

export function writeTensors(file: string, tensors: Readonly<Record<string, NamedTensor>>): TensorList;
export function readTensors(list: TensorList): Record<string, NamedTensor>;
