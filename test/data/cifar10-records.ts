/** A file in CIFAR-10's format with these labels. The pixels depend on image and plane. */
export function records(labels: readonly number[]): Uint8Array {
  const file = new Uint8Array(labels.length * 3073);
  labels.forEach((label, i) => {
    file[i * 3073] = label;
    for (let at = 0; at < 3072; at++) file[i * 3073 + 1 + at] = 31 * i + 7 * (at >> 10) + at;
  });
  return file;
}
