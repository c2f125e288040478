/** The blocks of README.md that quote results of GPUs. */
import { digits, milliseconds, percent } from './format.ts';
import type { HostReport } from './gpu/gpu-report.ts';
import { type CudaReport, type GpuResults, markdownTable } from './results.ts';

const NONE = 'Not measured yet: `npm run bench:gpu -- --json bench/results/gpu-NAME.json`.';

/** A row for each net and batch, with the step before an optimization and PyTorch's on the same GPU, where measured. */
export function gpuSteps(all: readonly GpuResults[]): string {
  const tables = all.flatMap(({ name, report, before, cuda }) =>
    report.hosts
      .filter(({ steps }) => steps.length > 0)
      .map((host) => {
        const earlier = before?.hosts.flatMap(({ steps }) => steps) ?? [];
        const limits = cuda?.steps ?? [];
        const rows = host.steps
          .filter(({ device }) => device === 'webgpu')
          .map(({ net, batch, seconds }) => {
            const at = (timings: CudaReport['steps']) =>
              timings.find((each) => each.net === net && each.batch === batch)?.seconds;
            const wasm = at(host.steps.filter(({ device }) => device === 'wasm'));
            const limit = at(limits);
            return [
              net,
              String(batch),
              time(wasm),
              time(at(earlier.filter(({ device }) => device === 'webgpu'))),
              milliseconds(seconds),
              wasm === undefined ? '–' : digits(wasm / seconds),
              time(limit),
              limit === undefined ? '–' : percent((100 * limit) / seconds),
            ];
          });
        const head = [
          'net',
          'batch',
          '`wasm`, ms',
          'before, ms',
          '`webgpu`, ms',
          'wasm ÷ webgpu',
          'PyTorch, ms',
          'of its speed',
        ];
        return `${sourceOf(name, host, 'gpu')}\n\n${markdownTable(head, rows)}`;
      }),
  );
  return tables.length === 0 ? NONE : tables.join('\n\n');
}

/** A row for each product, with PyTorch's rate on the same GPU, where measured. */
export function gpuProducts(all: readonly GpuResults[]): string {
  const tables = all.flatMap(({ name, products, cuda }) =>
    (products?.hosts ?? [])
      .filter((host) => host.products.length > 0)
      .map((host) => {
        const rows = host.products
          .filter(({ form }) => form === 'tiled')
          .map(({ kernel, size, seconds, teraflops }) => {
            const same = (each: { kernel: string; size: string }) =>
              each.kernel === kernel && each.size === size;
            const other = host.products.find((each) => each.form === 'gpu.js' && same(each));
            const limit = cuda?.products.find(same);
            return [
              `\`${kernel}\` ${size}`,
              other === undefined ? '–' : digits(other.teraflops),
              digits(teraflops),
              other === undefined ? '–' : digits(other.seconds / seconds),
              limit === undefined ? '–' : digits(limit.teraflops),
              limit === undefined ? '–' : percent((100 * teraflops) / limit.teraflops),
            ];
          });
        const head = [
          'product',
          'gpu.js, TFLOP/s',
          'tiled, TFLOP/s',
          'tiled ÷ gpu.js',
          'PyTorch, TFLOP/s',
          'of its speed',
        ];
        return `${sourceOf(name, host, 'gpu', '-products')}\n\n${markdownTable(head, rows)}`;
      }),
  );
  return tables.length === 0 ? NONE : tables.join('\n\n');
}

function time(seconds: number | undefined): string {
  return seconds === undefined ? '–' : milliseconds(seconds);
}

/** `Node v24.1.0, NVIDIA …, from [gpu-h100.json](results/gpu-h100.json):` */
function sourceOf(name: string, { host, devices }: HostReport, kind: string, suffix = ''): string {
  const adapter = devices.find(({ device }) => device === 'webgpu')?.adapter ?? '';
  const file = `${kind}-${name}${suffix}.json`;
  return `${host}, ${adapter}, from [${file}](results/${file}):`;
}
