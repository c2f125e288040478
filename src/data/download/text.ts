/**
 * Whether bytes are the HTML page that a server, or a proxy before it, sent instead of a file. Its first characters decide,
 * white space and a byte order mark aside.
 */
export function isHtml(bytes: Uint8Array): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, 256));
  return /^\s*<(?:!doctype|!--|html|head|body|\?xml)/i.test(start);
}
