/** A command that ignores the signal and never ends. */
import { runCommand } from '../../cli/run.ts';

setInterval(() => undefined, 1000);
await runCommand(() => {
  console.log('begun');
  return new Promise(() => undefined);
});
