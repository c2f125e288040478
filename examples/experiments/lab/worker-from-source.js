/** Starts `worker.ts`: in a worker thread of Node 20, tsx compiles what the program imports, but not the program itself. */
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
