/**
 * Patches the engine's WebAssembly before it loads the library, trains, and prints the outcome as JSON. The argument
 * names the features that the engine then has.
 */
import { binaries } from '../../../../kernels/simd/binaries.generated.ts';

export type Engine = 'all' | 'no relaxed SIMD' | 'no SIMD' | 'no memory' | 'nothing';

export interface Outcome {
  readonly info: {
    readonly device: string;
    readonly adapter: string;
    readonly passedOver: readonly { readonly device: string; readonly reason: string }[];
  };
  readonly losses: readonly number[];
  /** The error that useDevice('wasm') throws, or null. */
  readonly refusal: { readonly name: string; readonly message: string } | null;
  /** The device of a tensor created after that. */
  readonly after: string;
}

interface Patched {
  WebAssembly?: { validate: (bytes: Uint8Array) => boolean; Instance: unknown };
}

function patch(engine: Engine): void {
  const { WebAssembly } = globalThis as Patched;
  if (WebAssembly === undefined) throw new Error('this engine has no WebAssembly to begin with');
  const relaxed = binaries.relaxed();
  // One byte says whether the memory is shared.
  const isRelaxed = (bytes: Uint8Array) =>
    bytes.length === relaxed.length && bytes.filter((byte, at) => byte !== relaxed[at]).length <= 1;
  const validate = WebAssembly.validate.bind(WebAssembly);
  if (engine === 'nothing') delete (globalThis as Patched).WebAssembly;
  if (engine === 'no SIMD') WebAssembly.validate = () => false;
  if (engine === 'no relaxed SIMD') WebAssembly.validate = (bytes) => !isRelaxed(bytes) && validate(bytes);
  if (engine === 'no memory') {
    WebAssembly.Instance = function (): never {
      throw new RangeError('Out of memory');
    };
  }
}

async function train(): Promise<Outcome> {
  const { Dense, deviceInfo, manualSeed, mse, SGD, tensor, useDevice } =
    await import('../../../../src/index.ts');
  manualSeed(1);
  const model = new Dense(2, 1);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const losses = Array.from({ length: 50 }, () => {
    const loss = mse(model.forward(tensor([[0, 1], [1, 0], [1, 1]])), tensor([[1], [2], [3]])); // prettier-ignore
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  });
  const info = deviceInfo();
  const refusal = await useDevice('wasm').then(
    () => null,
    (error: unknown) => (error instanceof Error ? { name: error.name, message: error.message } : null),
  );
  return { info, losses, refusal, after: tensor(1).device };
}

if (process.argv[1] === import.meta.filename) {
  patch(process.argv[2] as Engine);
  console.log(JSON.stringify(await train()));
}
