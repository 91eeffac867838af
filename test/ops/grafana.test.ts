import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertKnownSeries } from './known-series.js';
import { dashboards, type Panel } from './dashboards.js';

const overlaps = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** The panel types used here; all are part of every Grafana. */
const panelTypes = new Set(['stat', 'timeseries', 'heatmap', 'table']);
/** The ids of the units used here, as Grafana names them (packages/grafana-data, valueFormats). */
const units = new Set<unknown>(['short', 's', 'percentunit', 'bytes', 'Bps', 'eps', 'rowsps', 'suffix:fps']);

describe('ops/grafana', () => {
  it('has dashboards for the overview, the frames, the capacity and the fleet', () => {
    assert.deepEqual(dashboards.map(({ uid }) => uid).sort(), [
      'millrace-capacity',
      'millrace-fleet',
      'millrace-frames',
      'millrace-overview',
    ]);
  });

  for (const { title, schemaVersion, panels, templating, annotations } of dashboards) {
    it(`${title}: panels have unique titles, descriptions, a place, and the chosen data source`, () => {
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      assert.equal(new Set(panels.map((panel) => panel.title)).size, panels.length);
      assert.deepEqual(
        templating.list.map(({ name }) => name),
        ['datasource', 'instance'],
      );
      for (const panel of panels) {
        assert.match(panel.description, /\.$/, panel.title);
        assert.deepEqual(panel.datasource, { type: 'prometheus', uid: '${datasource}' });
        assert.ok(panel.gridPos.x + panel.gridPos.w <= 24, panel.title);
        assert.ok(panel.targets.length > 0, panel.title);
        const covered = panels.filter((other) => other !== panel && overlaps(panel, other));
        assert.deepEqual(
          covered.map((other) => other.title),
          [],
        );
      }
    });

    it(`${title}: works in Grafana 10 and later without plug-ins`, () => {
      assert.equal(schemaVersion, 39);
      assert.deepEqual(
        templating.list.map(({ type }) => type),
        ['datasource', 'query'],
      );
      for (const { title: name, type, targets, gridPos, fieldConfig } of panels) {
        assert.ok(panelTypes.has(type), `${name}: ${type}`);
        assert.ok(gridPos.x >= 0 && gridPos.y >= 0 && gridPos.w > 0 && gridPos.h > 0, name);
        const refs = targets.map(({ refId }) => refId);
        assert.equal(new Set(refs).size, refs.length, name);
        for (const { datasource } of targets) assert.equal(datasource.uid, '${datasource}', name);
        const { defaults, overrides } = fieldConfig;
        const used = overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'unit'));
        for (const unit of [defaults.unit ?? 'short', ...used.map(({ value }) => value)]) {
          assert.ok(units.has(unit), `${name}: ${String(unit)}`);
        }
        for (const { matcher } of overrides) {
          if (matcher.id === 'byFrameRefID')
            assert.ok(
              refs.some((ref) => ref === matcher.options),
              name,
            );
        }
      }
    });

    it(`${title}: queries only existing series`, () => {
      for (const { expr } of [...panels.flatMap(({ targets }) => targets), ...annotations.list]) {
        assertKnownSeries(expr);
      }
    });
  }
});
