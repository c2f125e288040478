/**
 * Runs kernels on WebGPU: those that gpu.js translates, one thread per element, and those of `kernels/gpu/wgsl`, which
 * `plans.ts` puts together. All of them share buffers and one queue of commands.
 */
import type { Composer, Fusion } from '../../../../kernels/fused/fusion.ts';
import { moduleOf, type WgslForm } from '../../../../kernels/gpu/wgsl/form.ts';
import type { Kernel, Params, Shape } from '../../../../kernels/kernel.ts';
import { sizeOf } from '../../../../kernels/shape.ts';
import type { Products } from '../device.ts';
import { Block, BlockPool } from './blocks.ts';
import { Commands, type Compiled } from './commands.ts';
import {
  type Call,
  callOf,
  type Engine,
  type FusedEngine,
  type Maybe,
  Programs,
  threadsOf,
} from './engine.ts';
import { type Library, type Translated, Translator } from './gpu-js.ts';
import { fits, fusionPlans, kernelPlans, type KernelPlan, type Launcher, type Plan } from './plans.ts';
import { isLarge, measureProducts } from './measure-products.ts';
import { COMPUTE, type WebGpuDevice } from './web-gpu.ts';

/** A compiled kernel, or the promise of one. */
interface Program {
  ready: Translated | null;
  readonly compiling: Promise<Translated>;
}

/** A form in WGSL. */
interface Form {
  /** Null while it is compiled, and if the driver refused it. */
  compiled: Compiled | null;
  readonly compiling: Promise<void>;
  refused: boolean;
}

interface Computed {
  readonly block: Block;
  readonly shape: Shape;
}

const REFUSED: Products = { form: 'gpu.js', reason: 'the driver refused the products in tiles' };
const DEFAULT: Products = { form: 'tiled', reason: 'no large product has been measured yet' };

export class WebGpuEngine implements Engine {
  readonly fused: FusedEngine;
  private readonly device: WebGpuDevice;
  private readonly translator: Translator;
  private readonly blocks: BlockPool;
  private readonly commands: Commands;
  private readonly programs = new Programs<Program>(() => undefined);
  private readonly forms = new Map<WgslForm, Form>();
  private readonly refusals: string[] = [];
  private products: Products = DEFAULT;
  private undecided = true;
  private byHand = false;

  constructor(library: Library, device: WebGpuDevice) {
    this.device = device;
    this.translator = new Translator(library);
    this.commands = new Commands(device, () => {
      this.blocks.trim();
    });
    this.blocks = new BlockPool(device, this.commands);
    this.fused = this.fusedEngine();
  }

  get compiled(): number {
    return this.programs.size + this.forms.size;
  }

  upload(values: Float32Array): Block {
    const block = this.blocks.makeUnused(values.byteLength);
    this.device.queue.writeBuffer(block.buffer, 0, values);
    return block;
  }

  download(block: Block, size: number): Promise<Float32Array> {
    return this.commands.read(block.buffer, size);
  }

  release(block: Block): void {
    block.delete();
  }

  threads(name: string, sizes: readonly number[]): readonly number[] {
    const threads = threadsOf(name, sizes);
    return this.planOf(name, sizes) === null
      ? threads
      : [threads.reduce((product, extent) => product * extent, 1)];
  }

  launch(name: string, inputs: readonly Block[], sizes: readonly number[], params: Params): Maybe<Block> {
    if (
      this.undecided &&
      Object.hasOwn(kernelPlans, name) &&
      kernelPlans[name].multiplies &&
      isLarge(sizes)
    ) {
      return this.decide(name, inputs, sizes).then(() => this.launch(name, inputs, sizes, params));
    }
    const plan = this.planOf(name, sizes);
    if (plan === null) return this.launchTranslated(name, inputs, sizes, params);
    const results = this.inPlan(
      plan.forms,
      (on, arrays) => [plan.run(on, arrays, sizes)],
      inputs,
      () => {
        const block = this.launchTranslated(name, inputs, sizes, params);
        return block instanceof Promise ? block.then((found) => [found]) : [block];
      },
    );
    return results instanceof Promise ? results.then(([block]) => block) : results[0];
  }

  /** Runs the form that gpu.js translates. */
  private launchTranslated(
    name: string,
    inputs: readonly Block[],
    sizes: readonly number[],
    params: Params,
  ): Maybe<Block> {
    const call = callOf(name, sizes, params);
    const program = this.programOf(call, inputs.length);
    if (program.ready !== null) return this.run(program.ready, call, inputs);
    return program.compiling.then((translated) => this.run(translated, call, inputs));
  }

  private programOf(call: Call, inputs: number): Program {
    return this.programs.get(call.key, () => {
      const compiling = this.translator.translate(call, inputs);
      const made: Program = { ready: null, compiling };
      void compiling.then(
        (translated) => {
          made.ready = translated;
        },
        () => undefined,
      );
      return made;
    });
  }

  private run(translated: Translated, { extents, numbers, types }: Call, inputs: readonly Block[]): Block {
    const [x, y = 1, z = 1] = extents;
    const output = this.blocks.make(4 * x * y * z);
    const most = this.device.limits.maxComputeWorkgroupsPerDimension;
    const [width, height] = extents.length === 1 ? [64, 1] : [8, 8]; // the workgroups of gpu.js
    const columns = Math.ceil(x / width);
    const rows = extents.length === 1 ? Math.ceil(columns / most) : Math.ceil(y / height);
    const across = extents.length === 1 ? Math.ceil(columns / rows) : columns; // one axis is folded where it is too long
    const write = (view: DataView, at: number): void => {
      view.setUint32(at, x, true);
      view.setUint32(at + 4, y, true);
      view.setUint32(at + 8, z, true);
      view.setUint32(at + 12, across * width, true);
      for (let k = 0; k < numbers.length; k++) {
        if (types[k] === 'Integer') view.setInt32(at + translated.places[k], numbers[k], true);
        else view.setFloat32(at + translated.places[k], numbers[k], true);
      }
    };
    const buffers = [...inputs, output].map(({ buffer }) => buffer);
    this.commands.launch(translated, write, translated.bytes, buffers, [across, rows, z]);
    return output;
  }

  // ── forms in WGSL ────────────────────────────────────────────────────────────────────────────────────

  private formOf(form: WgslForm): Form {
    const found = this.forms.get(form);
    if (found !== undefined) return found;
    const made: Form = {
      compiled: null,
      refused: false,
      compiling: this.compile(form).then(
        (compiled) => {
          made.compiled = compiled;
        },
        (error: unknown) => {
          made.refused = true;
          this.refusals.push(`${form.name}: ${error instanceof Error ? error.message : String(error)}`);
        },
      ),
    };
    this.forms.set(form, made);
    return made;
  }

  private async compile(form: WgslForm): Promise<Compiled> {
    const { device } = this;
    const kinds = [
      'uniform',
      ...form.reads.map(() => 'read-only-storage'),
      ...form.writes.map(() => 'storage'),
    ];
    device.pushErrorScope('validation');
    const layout = device.createBindGroupLayout({
      entries: kinds.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
    });
    const layoutOfAll = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const module = device.createShaderModule({ code: moduleOf(form) });
    const error = await device.popErrorScope();
    if (error !== null) throw new Error(error.message);
    const compute = { module, entryPoint: 'main' };
    return { pipeline: await device.createComputePipelineAsync({ layout: layoutOfAll, compute }), layout };
  }

  /** Whether the forms of a plan can be launched; `multiplies` says whether it launches a product in tiles. */
  private canLaunch({ forms }: Plan | KernelPlan, multiplies = false): boolean {
    if (multiplies && this.products.form !== 'tiled') return false;
    return this.refusals.length === 0 || !forms.some((form) => this.forms.get(form)?.refused);
  }

  /** The plan of a kernel, if it has one that fits. */
  private planOf(name: string, sizes: readonly number[]): KernelPlan | null {
    const plan = Object.hasOwn(kernelPlans, name) ? kernelPlans[name] : null;
    return plan !== null && this.canLaunch(plan, plan.multiplies) && plan.fits(sizes) ? plan : null;
  }

  /** Runs a plan, after its forms have been compiled. If the driver refuses one, `otherwise` runs. */
  private inPlan(
    forms: readonly WgslForm[],
    plan: <B>(on: Launcher<B>, inputs: readonly B[]) => readonly B[],
    inputs: readonly Block[],
    otherwise: () => Maybe<readonly Block[]>,
  ): Maybe<readonly Block[]> {
    const launch = () => this.launchPlan((on) => plan(on, inputs));
    if (forms.every((form) => this.forms.get(form)?.compiled)) return launch();
    const needed = formsIn((on) =>
      plan(
        on,
        inputs.map(() => null),
      ),
    ).map((form) => this.formOf(form));
    if (needed.every(({ compiled }) => compiled !== null)) return launch();
    const compiling = Promise.all(needed.map(({ compiling }) => compiling));
    return compiling.then(() => (needed.some(({ refused }) => refused) ? otherwise() : launch()));
  }

  /** Runs a plan, and frees the memory that it does not return. */
  private launchPlan(plan: (on: Launcher<Block>) => readonly Block[]): readonly Block[] {
    const made: Block[] = [];
    const results = plan({
      launch: (form, reads, outputs, numbers, groups, updates = []) => {
        const compiled = this.forms.get(form)?.compiled;
        if (!compiled) throw new Error(`${form.name} was not compiled`);
        const written = outputs.map((size) => this.blocks.make(4 * size));
        made.push(...written);
        const { sizes, numbers: names = [] } = form;
        const write = (view: DataView, at: number): void => {
          sizes.forEach((name, k) => view.setUint32(at + 4 * k, numbers[name], true));
          names.forEach((name, k) => view.setFloat32(at + 4 * (sizes.length + k), numbers[name], true));
        };
        const bytes = 16 * Math.ceil((sizes.length + names.length) / 4);
        const buffers = [...reads, ...written, ...updates].map(({ buffer }) => buffer);
        this.commands.launch(compiled, write, bytes, buffers, groups);
        return written;
      },
    });
    for (const block of made) if (!results.includes(block)) block.delete();
    return results;
  }

  private fusedEngine(): FusedEngine {
    const plans = fusionPlans as Readonly<Record<string, Plan>>;
    const products = () => this.products;
    return {
      has: ({ name }, shapes) =>
        Object.hasOwn(plans, name) &&
        this.canLaunch(plans[name], plans[name].product !== undefined) &&
        fits(shapes),
      run: (fusion, inputs, shapes, params) => {
        const blocks = inputs.filter((input) => input instanceof Block);
        const plan = plans[fusion.name];
        const launch = () =>
          this.inPlan(
            plan.forms,
            (on, arrays) => plan.run(on, arrays, shapes, params),
            blocks,
            () => this.compose(fusion, blocks, shapes, params),
          );
        const product = this.undecided ? plan.product?.(shapes) : undefined;
        if (product === undefined || !isLarge(product)) return launch();
        return this.decide('matmul', null, product).then(launch);
      },
      get products() {
        return products();
      },
      refused: this.refusals,
      choose: (form) => {
        if (form === undefined && !this.byHand) return; // what was measured stays
        this.byHand = form !== undefined;
        this.undecided = !this.byHand;
        this.products = form === undefined ? DEFAULT : { form, reason: 'chosen by the caller of useDevice' };
      },
    };
  }

  /** Runs the kernels of a fusion that the driver refused as one, in the forms that gpu.js translates. */
  private async compose(
    fusion: Fusion<never>,
    inputs: readonly Block[],
    shapes: readonly Shape[],
    params: Params,
  ): Promise<readonly Block[]> {
    const programs: Promise<unknown>[] = [];
    const made: Block[] = [];
    /** Collects the programs, then runs them: a kernel is compiled asynchronously, but `compose` is synchronous. */
    const composer = (launches: boolean): Composer<Computed> => {
      const apply = (kernel: Kernel, from: readonly Computed[], numbers: Params): Computed => {
        const fromShapes = from.map(({ shape }) => shape);
        const shape = kernel.shape(fromShapes, numbers);
        const call = callOf(kernel.name, kernel.sizes(fromShapes, numbers), numbers);
        const program = this.programOf(call, from.length);
        programs.push(program.compiling);
        if (!launches || program.ready === null) return { block: from[0].block, shape };
        const block = this.run(program.ready, call, from.map((each) => each.block)); // prettier-ignore
        made.push(block);
        return { block, shape };
      };
      return {
        run: (kernel, from, ...[numbers]) => apply(kernel, from, numbers ?? {}),
        update: (kernel, from, ...[numbers]) => {
          const { block, shape } = apply(kernel, from, numbers ?? {});
          if (launches) this.commands.copy(block.buffer, from[0].block.buffer, sizeOf(shape));
        },
      };
    };
    const given = inputs.map((block, k): Computed => ({ block, shape: shapes[k] }));
    fusion.compose(composer(false), given, params as never);
    await Promise.all(programs);
    const results = fusion.compose(composer(true), given, params as never).map(({ block }) => block);
    for (const block of made) if (!results.includes(block)) block.delete();
    return results;
  }

  // ── the choice of products ───────────────────────────────────────────────────────────────────────────

  /** Measures both products at the first large one, and keeps the faster. */
  private async decide(
    name: string,
    inputs: readonly Block[] | null,
    sizes: readonly number[],
  ): Promise<void> {
    this.undecided = false;
    const plan = kernelPlans[name];
    if (!this.canLaunch(plan, plan.multiplies)) {
      this.products = REFUSED;
      return;
    }
    const [m, k, n] = sizes;
    const made = inputs === null ? [m * k, k * n].map((size) => this.upload(pattern(size))) : [];
    const operands = inputs ?? made;
    this.products = await measureProducts({
      sizes,
      translated: () => this.launchTranslated(name, operands, sizes, {}),
      tiled: async () => {
        const refused = () => this.launchTranslated(name, operands, sizes, {});
        const run = <B>(on: Launcher<B>, arrays: readonly B[]) => [plan.run(on, arrays, sizes)];
        const otherwise = async () => [await refused()];
        return (await this.inPlan(plan.forms, run, operands, otherwise))[0];
      },
      finished: () => {
        this.commands.submit();
        return this.device.queue.onSubmittedWorkDone();
      },
      read: (block, size) => this.download(block, size),
    });
    for (const block of made) block.delete();
    if (!this.canLaunch(plan, plan.multiplies)) this.products = REFUSED;
  }
}

/** The forms that a plan launches. */
function formsIn(plan: (on: Launcher<null>) => unknown): readonly WgslForm[] {
  const forms: WgslForm[] = [];
  plan({
    launch: (form, _reads, outputs) => {
      forms.push(form);
      return outputs.map(() => null);
    },
  });
  return forms;
}

/** Values between −1 and 1, for a measurement. */
const pattern = (size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, k) => ((k * 37) % 101) / 50 - 1);
