/** What the first bytes of a file say about its format. */

/** Whether a file is compressed with gzip. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Whether a file is an HTML page, which servers and proxies send in place of the file that was asked for. */
export function isHtml(bytes: Uint8Array): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, 256)); // drops a byte order mark
  return /^\s*<(?:!doctype|!--|html|head|body|\?xml)/i.test(start);
}
