/** `npm run bench:gpu`: kernels and training steps on GPUs; see ../README.md. */
import { Command, Option } from 'commander';
import { runCommand } from '../command-line.ts';
import { type CommandOptions, runGpuBenchmarks } from './command.ts';
import { gpuNames } from './options.ts';

await new Command('bench:gpu')
  .description('Validates, and times, in headless Chromium and in Node, on WebGL2 and on WebGPU.')
  .option('--json <file>', 'write the results to a file too')
  .option('--filter <text>', "only what has this in its line, such as 'matmul 1024' or 'step bn'", '')
  .option('--quick', 'a look, not a measurement', false)
  .addOption(new Option('--device <name>', 'one of the two alone').choices(gpuNames))
  .option('--software', 'the software GPU, also where there is hardware', false)
  .option('--serve', 'for a browser that you open yourself: print an address, and keep serving', false)
  .option('--port <number>', 'for --serve', '0')
  .action((options: CommandOptions) => runCommand((signal) => runGpuBenchmarks(options, signal)))
  .parseAsync();
