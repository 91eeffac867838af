import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterFromText, parameterSchemas, type ParameterName } from '@millrace/protocol';

test('text becomes a value of the type of its parameter; what is invalid stays text', () => {
  const weighted = [{ seed: 1, weight: 2 }];
  const cases: readonly (readonly [ParameterName, string, unknown])[] = [
    ['seed', '7', 7],
    ['seed', JSON.stringify(weighted), weighted],
    ['seed', '[{', '[{'],
    ['t_index_list', '20,30', [20, 30]],
    ['t_index_list', '[20]', [20]],
    ['t_index_list', 'null', null],
    ['solver_schedule', 'DDIMScheduler, GHVBScheduler', ['DDIMScheduler', 'GHVBScheduler']],
    ['solver_schedule', '["DDIMScheduler"]', ['DDIMScheduler']],
    ['solver_schedule', 'null', null],
    ['timestep_spacing', 'null', null],
    ['timestep_spacing', 'even', 'even'],
    ['solver', 'null', 'null'],
    ['style_image', 'null', null],
    ['similar_image_filter', 'true', true],
    ['similar_image_filter', 'false', false],
    ['similar_image_filter', 'yes', 'yes'],
    ['prompt', 'a fox', 'a fox'],
  ];
  for (const [name, text, value] of cases) {
    assert.deepEqual(parameterFromText(parameterSchemas[name], text), value, `${name} ${text}`);
  }
});
