/** What the page says first. It is in the file as text too, so that it is seen before the program has started. */
export const title = 'Batch normalization, forward and backward';

export const intro: string =
  'Eight questions about one layer. Every number on this page is computed by gammabeta, a tensor library written to be ' +
  'read, while you move the inputs.';
