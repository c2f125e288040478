/** The file of a worker thread of a page, which `start-worker.ts` names in a form that bundlers find. */
import { serve, type Start } from './worker.ts';

Object.assign(globalThis, {
  onmessage: ({ data }: { readonly data: Start }) => {
    serve(data);
  },
});
