/** Modules that Vite makes when it builds the page. */
/* eslint-disable @typescript-eslint/consistent-type-imports -- with an import statement, these would be no declarations */
declare module '*?worker&inline' {
  const InlineWorker: new () => Worker;
  export default InlineWorker;
}
declare module '*.css';
declare module 'virtual:kernel-sources' {
  const sources: Readonly<Record<string, import('./build-sources.ts').KernelSource>>;
  export default sources;
}
declare module 'virtual:claims' {
  const claims: import('./build-claims.ts').ClaimCards;
  export default claims;
}
