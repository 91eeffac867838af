import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertKnownSeries } from './known-series.js';
import { dashboards, type Panel } from './dashboards.js';

const overlaps = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

describe('ops/grafana', () => {
  it('has an overview, the anatomy of frames, and the capacity', () => {
    assert.deepEqual(dashboards.map(({ uid }) => uid).sort(), [
      'millrace-capacity',
      'millrace-frames',
      'millrace-overview',
    ]);
  });

  for (const { title, panels, templating, annotations } of dashboards) {
    it(`${title}: panels have titles of their own, explanations, a place, and the chosen data source`, () => {
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

    it(`${title}: asks only for series that there are`, () => {
      for (const { expr } of [...panels.flatMap(({ targets }) => targets), ...annotations.list]) {
        assertKnownSeries(expr);
      }
    });
  }
});
