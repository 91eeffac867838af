import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { chartData, chartOptions } from './chart.js';
import type { Feed } from './feed.js';
import type { Panel } from './panels.js';

/** A panel: its curves, and their latest values or those under the pointer. */
export function Plot({ feed, panel }: { readonly feed: Feed; readonly panel: Panel }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const point = useSignal<number | null>(null);
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const options = chartOptions(panel, element.clientWidth, (index) => (point.value = index));
    const chart = new uPlot(options, chartData(panel, feed.history.peek()), element);
    const stop = feed.history.subscribe((history) => chart.setData(chartData(panel, history)));
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: options.height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      stop();
      chart.destroy();
    };
  }, [feed, panel, point]);

  const { times, series } = feed.history.value;
  const index = point.value ?? times.length - 1;
  return (
    <figure class="plot" data-testid="plot">
      <figcaption>
        <h2>{panel.title}</h2>
        <p>{panel.hint}</p>
      </figcaption>
      <div class="chart" ref={host} aria-hidden="true" />
      <ul class="legend">
        {panel.curves.map(({ key, name, color, dashed }) => (
          <li key={key}>
            <span class="swatch" data-dashed={dashed} style={{ backgroundColor: color }} />
            {name}
            <b>{panel.format(series[key]?.[index])}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}
