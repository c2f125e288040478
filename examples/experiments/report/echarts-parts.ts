/** The parts of echarts that `svg.ts` draws with, for the command in the package: they are half as large as the whole. */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendPlainComponent, TitleComponent } from 'echarts/components';
import { use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendPlainComponent,
  TitleComponent,
  SVGRenderer,
]);

export { init } from 'echarts/core';
