/** `npm run bench:gpu`: times kernels and training steps on GPUs; see ../README.md. */
import { Command, Option } from 'commander';
import { integerFrom, runCommand } from '../command-line.ts';
import { type CommandOptions, runGpuBenchmarks } from './command.ts';
import { gpuNames } from './options.ts';

await new Command('bench:gpu')
  .description('Times kernels and training steps on WebGL2 and WebGPU, in headless Chromium and in Node.')
  .option('--json <file>', 'also write the results to a file')
  .option('--filter <text>', "only lines that contain this, such as 'matmul 1024' or 'step bn'", '')
  .option('--quick', 'a rough look instead of a measurement', false)
  .addOption(new Option('--device <name>', 'only this device').choices(gpuNames))
  .option('--software', 'use the software GPU even if there is a hardware GPU', false)
  .option('--seconds <number>', 'begin no measurement after this time, in each host', integerFrom(1), 130)
  .option('--serve', 'print an address for a browser that you open, and keep serving', false)
  .option('--port <number>', 'the port of --serve; 0 is any free port', '0')
  .action((options: CommandOptions) => runCommand((signal) => runGpuBenchmarks(options, signal)))
  .parseAsync();
