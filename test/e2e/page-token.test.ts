import assert from 'node:assert/strict';
import { SignJWT } from 'jose';
import { test } from 'node:test';
import { openBrowser } from '../support/browser.js';
import { openPage } from '../support/served-page.js';
import { startServer } from '../support/server.js';

const jwtSecret = 'a-secret-of-the-test-that-nobody-else-knows';

test('the page asks for a required token, asks again if it was wrong, and remembers it', async () => {
  await using server = await startServer({ jwtSecret });
  await server.app.ready();
  const token = await new SignJWT({ sub: 'somebody' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwtSecret));
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await openPage(page, server.url);
  await page.getByTestId('play-clip').click();
  await page.getByLabel('requires an access token').fill('a guess');
  await page.keyboard.press('Enter');
  await page.getByLabel('not valid here').fill(token);
  await page.keyboard.press('Enter');
  await page.locator('[data-flowing=true]').waitFor();
  assert.equal(await page.getByTestId('token').count(), 0);
  await openPage(page, server.url);
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
});
