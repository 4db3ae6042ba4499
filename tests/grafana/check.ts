// Our dashboards as values of the types that Grafana publishes: what is not in them, or of another type, does not compile.
import type { Dashboard as Board, Panel as AnyPanel, RowPanel, FieldConfig as AnyField } from '@grafana/schema';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as BarGauge } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as Lines, FieldConfig as LinesField } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { Options as Timeline, FieldConfig as TimelineField } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as History, FieldConfig as HistoryField } from '@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen';

// JSON has the values of an enum, not its names.
type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

type Influx = { refId: string; datasource: { type: 'influxdb'; uid: string }; rawQuery: true; query: string; resultFormat: 'time_series'; alias: string };
type Field<Custom> = Omit<Plain<AnyField>, 'custom' | 'links'> & { custom?: Plain<Custom>; links?: { title: string; url: string; targetBlank: boolean }[] };
type Drawn<Type extends string, Options, Custom> = Omit<Plain<AnyPanel>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Type;
  options: Plain<Options>;
  targets: Influx[];
  fieldConfig: { defaults: Field<Custom>; overrides: { matcher: { id: string; options: string }; properties: { id: 'unit'; value: string }[] }[] };
};
type None = Record<string, never>;
// Grafana publishes no type for the options of a list of alerts.
type Alerts = Omit<Plain<AnyPanel>, 'type' | 'options'> & { type: 'alertlist'; options: object };
export type Panel =
  | Drawn<'stat', Stat, None>
  | Drawn<'bargauge', BarGauge, None>
  | Drawn<'timeseries', Lines, LinesField>
  | Drawn<'state-timeline', Timeline, TimelineField>
  | Drawn<'status-history', History, HistoryField>
  | Alerts
  | Plain<RowPanel>;
export type Dashboard = Omit<Plain<Board>, 'panels'> & { panels: Panel[] };
