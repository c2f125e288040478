/** Begins `worker.ts`: in a thread, Node 20 leaves tsx to read what a program imports, but not the program itself. */
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
