import { parameterSchemasFor, solverNames, type ModelControl } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { solversWith } from '../support/parameters.js';
import { openPage, servedPage } from '../support/served-page.js';
import { startServer } from '../support/server.js';
import { steeredModel } from '../support/steered-model.js';

const served = servedPage();

async function openControls(page: Page): Promise<void> {
  await openPage(page, served.url);
  await page.getByTestId('more').click();
}

/** Asserts that, of the parameters, only those of `wanted` can be set on the page. */
async function assertUsable(
  page: Page,
  names: readonly string[],
  wanted: readonly string[],
  message?: string,
): Promise<void> {
  await eventually(async () => {
    const used = await page
      .locator('[data-testid^=parameter-][data-used=true]')
      .evaluateAll((controls) =>
        controls.map((control) => control.dataset['testid']?.replace('parameter-', '')),
      );
    assert.deepEqual(
      names.filter((name) => used.includes(name)),
      wanted,
      message,
    );
  });
}

test('solvers that suit the model are offered, and their options only with those that honour them', async () => {
  const page = await served.browser.newPage();
  await openControls(page);
  const choice = page.getByTestId('parameter-solver').locator('select');
  await choice.waitFor();
  const offered = (await choice.locator('option').allTextContents()).map((label) => `${label}Scheduler`);
  const others = solverNames.filter((solver) => !offered.includes(solver));
  assert.deepEqual(others, [
    'FlowMatchEulerDiscreteScheduler',
    'FlowMatchHeunDiscreteScheduler',
    'PeRFlowScheduler',
    'DPMSolverV3Scheduler',
  ]);
  assert.equal(await page.getByTestId('parameter-flow_shift').count(), 0);
  for (const solver of offered) {
    await choice.selectOption({ label: solver.replace('Scheduler', '') });
    const honoured = Object.entries(solversWith).filter(([, names]) => names.includes(solver));
    await assertUsable(
      page,
      Object.keys(solversWith),
      honoured.map(([name]) => name),
      solver,
    );
  }
  await page.close();
});

test('a solver for each step can be typed behind More, shows the options of all, and takes the place of one', async () => {
  const page = await served.browser.newPage();
  await openControls(page);
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  const control = page.getByTestId('parameter-solver_schedule');
  const field = control.locator('input');
  await field.fill('DDIMScheduler, BDIAScheduler');
  await page.keyboard.press('Tab');
  const names = ['solver', 'eta', 'bdia_gamma', 'do_add_noise', 'solver_order'];
  await page.getByTestId('parameter-bdia_gamma').waitFor();
  await assertUsable(page, names, ['eta', 'bdia_gamma']);
  await field.fill('DDIM');
  await page.keyboard.press('Tab');
  await control.getByRole('alert').filter({ hasText: 'not ["DDIM"]' }).waitFor();
  await field.fill('');
  await page.keyboard.press('Tab');
  await page.getByTestId('parameter-solver').waitFor();
  await assertUsable(page, names, ['solver', 'do_add_noise']);
  await control.locator('[role=alert]:empty').waitFor({ state: 'attached' });
  await page.close();
});

test('the guidance scale can be set for a model with embedded guidance, which has one guidance type', async () => {
  const page = await served.browser.newPage();
  await openControls(page);
  await assertUsable(page, ['guidance_scale'], []);
  await page.route('**/v1/capabilities', async (route) => {
    const response = await route.fetch();
    const capabilities = (await response.json()) as { readonly parameters: { properties: unknown } };
    capabilities.parameters.properties = parameterSchemasFor({ selfGuided: true });
    await route.fulfill({ response, json: capabilities });
  });
  await openControls(page);
  await assertUsable(page, ['guidance_scale', 'delta', 'negative_prompt'], ['guidance_scale']);
  await page.close();
});

/** Opens the page as for a model with these controls. */
async function openWithControls(page: Page, controls: readonly ModelControl[]): Promise<void> {
  await page.route('**/v1/capabilities', async (route) => {
    const response = await route.fetch();
    const capabilities = (await response.json()) as { readonly parameters: { properties: unknown } };
    capabilities.parameters.properties = parameterSchemasFor({ controls });
    await route.fulfill({ response, json: capabilities });
  });
  await openControls(page);
}

test('each control of the model can be set, and nothing is shown if it has none', async () => {
  const page = await served.browser.newPage();
  await openControls(page);
  assert.equal(await page.getByTestId('parameter-controls').count(), 0);
  await openWithControls(page, [
    { name: 'canny', preprocessors: ['canny', 'soft_edge'], preprocessor: 'canny' },
    { name: 'depth', preprocessors: [], preprocessor: null },
  ]);
  const settings = (name: string): Promise<readonly string[]> =>
    page
      .locator(`[data-testid^=parameter-controls-${name}-]`)
      .evaluateAll((found) => found.map((control) => control.dataset['testid']?.split('-').at(-1) ?? ''));
  assert.deepEqual(await settings('canny'), ['scale', 'start', 'end', 'preprocessor']);
  assert.deepEqual(await settings('depth'), ['scale', 'start', 'end']);
  const scale = page.locator('#parameter-controls-depth-scale');
  assert.equal(await scale.inputValue(), '0');
  assert.equal(await page.locator('#parameter-controls-depth-end').inputValue(), '1');

  // The server of this test has no controls, and says so.
  await page.getByTestId('source-clip').click();
  await scale.fill('0.75');
  const problem = page.locator('#parameter-controls-problem');
  await problem.getByText('controls has no "depth": with this model it has none').waitFor();
  await page.close();
});

test('a control without a preprocessor asks for one, and then steers', async () => {
  await using steered = await startServer({ model: await steeredModel('all') });
  await steered.app.ready();
  const page = await served.browser.newPage({ viewport: { width: 390, height: 844 } });
  await openPage(page, steered.url);
  await page.getByTestId('more').click();
  await page.getByTestId('source-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  await page.locator('#parameter-controls-controlnet-a-scale').fill('1');
  const notice = page.getByText('Choose a preprocessor for the control controlnet-a');
  await notice.waitFor();
  const [text, input] = await Promise.all([notice.boundingBox(), page.locator('.pane.input').boundingBox()]);
  assert.ok(text && input && text.y + text.height <= input.y, 'the input covers no part of it');
  const preprocessors = page.locator('#parameter-controls-controlnet-a-preprocessor');
  assert.equal(await preprocessors.locator('option:checked').textContent(), 'choose one');
  await preprocessors.selectOption('canny');
  await notice.waitFor({ state: 'detached' });
  assert.equal(await preprocessors.locator('option:checked').textContent(), 'canny');
  await page.close();
});

test('a prompt that is typed before the server has answered stays', async () => {
  const page = await served.browser.newPage();
  await page.clock.install();
  let answer = (): void => {};
  const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/v1/capabilities', async (route) => {
    await mayAnswer;
    await route.continue();
  });
  await page.goto(served.url);
  const prompt = page.getByTestId('prompt');
  await prompt.waitFor();
  await page.clock.pauseAt(Date.now() + 60_000);
  await prompt.pressSequentially('neon harbour');
  answer();
  // Little time passes there, so the prompt is not sent yet: a page sends what is typed after a pause.
  await eventually(async () => {
    await page.clock.runFor(1);
    assert.equal(await page.getByTestId('parameter-steps').count(), 1);
  });
  await page.clock.runFor(100);
  assert.equal(await prompt.inputValue(), 'neon harbour');
  await page.clock.resume();
  await page.waitForFunction(() => location.hash.includes('neon'));
  assert.equal(await prompt.inputValue(), 'neon harbour');
  await page.close();
});
