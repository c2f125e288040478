/** All of echarts in one file. The modules that it is made of are 585 files, which take eight times as long to load. */
declare module 'echarts/dist/echarts.esm.min.mjs' {
  export * from 'echarts';
}
