/** The types of `tensor-file.js`, for the driver. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** The contents of a file of arrays; sent as JSON. */
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
